"""Records per-file progress and results in the session."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from fwtui.audio.identity import change_since
from fwtui.batch.conflicts import rename_at_end, stem_path
from fwtui.batch.diarization import are_known, spared, task_of, with_known_names
from fwtui.batch.disk_wait import blocks_batch, output_failure
from fwtui.batch.estimate import Speed, job_eta
from fwtui.batch.file_run import SKIPPED_BY_USER, FileRun
from fwtui.batch.finish import complete
from fwtui.batch.retry import (
    PROGRESS_WINDOWS,
    SKIP_CHUNK,
    FailedAttempt,
    GiveUp,
    decide,
    first_rung,
    ladder,
    skipped_chunk,
)
from fwtui.batch.state import BatchState, now
from fwtui.core.events import JobProgress, Level, MemoryReading
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.finding import findings_text
from fwtui.core.job import (
    Attempt,
    Cancelled,
    Completed,
    Failed,
    Job,
    MediaInfo,
    Pending,
    Processing,
    Skipped,
    State,
)
from fwtui.core.languages import LANGUAGES
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.session import FilePlan, ResumePoint, WindowResult
from fwtui.core.settings import Settings, decides_speakers
from fwtui.core.text import clock, without_name
from fwtui.core.voices import GROUP_SECONDS, SpeakerGroup, speaker_task
from fwtui.engine.protocol import Busy, CleanedUp, FileStarted, Transcribe
from fwtui.memory.describe import (
    after_cleanup,
    file_finished,
    file_started,
    freed_by_cleanup,
    freed_by_engine_end,
)
from fwtui.memory.measure import MemoryMeter
from fwtui.sessions.scratch import new_scratch


class FileRecorder:
    """Records what happens to the files of one slot.

    `speed` is that of the slot, over all its files; `worked` the seconds that its model worked.
    """

    def __init__(self, state: BatchState, meter: MemoryMeter, slot: int = 0) -> None:
        self.state = state
        self.slot = slot
        self.meter = meter
        self.speed = Speed()
        self.worked = 0.0

    async def started(self, run: FileRun, started: FileStarted) -> None:
        """Record that the file is prepared and its first window is next."""
        job = self.state.queue[started.job]
        run.plan = started.plan
        if not started.resumed:
            run.position = 0.0
            await self.state.begin_file(job.id, started.plan)
        run.seek = run.resume_seek if started.resumed else 0
        state = Processing(run.started_at, preparing=False, slot=self.slot)
        await self.state.put(replace(job, media=started.media, state=state))
        if started.restarted:
            text = f"{job.name}: restarted because {started.restarted}"
            self.state.log(Level.WARNING, text, job.id)
        elif started.resumed:
            text = f"{job.name}: resumed at {clock(run.position)}"
            self.state.log(Level.INFO, text, job.id)
        if len(started.media.tracks) > 1 and not job.track:
            self.state.log(Level.INFO, f"{job.name}: {_tracks_text(started.media)}", job.id)
        for warning in started.plan.warnings:
            self.state.log(Level.WARNING, f"{job.name}: {warning}", job.id)
        if run.memory_before is None:
            run.memory_before = await asyncio.to_thread(self.meter.read)
            self.state.log(Level.INFO, file_started(job.name, run.memory_before), job.id)
        run.speed.begin(run.worked)
        self.speed.begin(self.worked)
        self._emit_progress(run)

    async def window(self, run: FileRun, result: WindowResult, worked: float) -> None:
        """Record a finished window, for which the model worked `worked` seconds."""
        assert run.plan is not None
        await self.state.add_window(run.job, result, run.plan.language)
        run.worked += worked
        self.worked += worked
        passed = result.seconds - run.position
        if result.silent:  # takes no time, and says nothing about what follows
            run.speed.begin(run.worked)
            self.speed.begin(self.worked)
        else:
            run.timed += max(0.0, passed)
            run.speed.advance(passed, run.worked)
            self.speed.advance(passed, self.worked)
        if result.skipped:
            run.skip_window = False
            name = self.state.queue[run.job].name
            self.state.log(Level.ERROR, f"{name}: {skipped_chunk(run.position, run.plan)}", run.job)
        run.count_window(result)
        run.is_transcribed = result.state.done
        run.position, run.seek = result.seconds, result.state.place
        self._emit_progress(run)

    def _emit_progress(self, run: FileRun) -> None:
        total = run.plan.duration if run.plan else 0.0
        eta = job_eta(run.position, total, run.speed.value)
        progress = JobProgress(run.job, run.position, total, run.speed.value, eta)
        self.state.emit(progress)

    async def heard(self, run: FileRun, group: SpeakerGroup) -> None:
        """Record voices heard in a file."""
        await self.state.add_group(run.job, group)
        run.heard = (group.index + 1) * GROUP_SECONDS
        if run.is_transcribed:
            run.progress += 1
            self.listening(run)

    def listening(self, run: FileRun) -> None:
        """Report that only the speakers of a file are still to be told apart."""
        total = run.plan.duration if run.plan else 0.0
        done = min(run.heard, total)
        self.state.emit(JobProgress(run.job, done, total, 0.0, None, listening=True))

    async def complete(self, job: Job, run: FileRun) -> Failure | None:
        """Write the outputs, then record the file as completed.

        Returns the failure if they cannot be written for now: the file waits, and so must the
        batch.
        """
        assert run.plan is not None
        state: Completed | Failed
        try:
            job = await rename_at_end(self.state, job, run.settings, run.plan.language)
            named = await asyncio.to_thread(with_known_names, self.state.store, run, job)
            state = await complete(self.state, named, run)
            job = named if isinstance(state, Completed) else job
        except OSError as error:
            folder = stem_path(job.stem, run.settings.output).parent
            state = Failed(now(), output_failure(error, folder), run.started_at)
        await self._drop_scratch(run)
        no_room = None
        if isinstance(state, Failed):
            self.state.log(Level.ERROR, state.failure.about(job.name), job.id)
            no_room = state.failure if await blocks_batch(state.failure) else None
        await self._end(replace(job, state=Pending(run.position) if no_room else state))
        if isinstance(state, Completed):
            self.state.log(Level.INFO, done_line(job.name, state), job.id)
            for line in warning_lines(job.name, state, run.plan.warnings):
                self.state.log(Level.WARNING, line, job.id)
        await self._log_memory(job, run)
        return no_room

    async def unwritable(
        self, job: Job, run: FileRun, error: OSError, folder: Path
    ) -> Failure | None:
        """Record that the folder of a waiting file's outputs cannot be looked at.

        Returns the failure if the batch must wait; otherwise the file has failed.
        """
        failure = output_failure(error, folder)
        self.state.log(Level.ERROR, failure.about(job.name), job.id)
        if await blocks_batch(failure):
            return failure
        await self.state.put(replace(job, state=Failed(now(), failure, run.started_at)))
        return None

    async def _log_memory(self, job: Job, run: FileRun) -> None:
        """Log the memory at the end of a file that had begun, compared with that at its start."""
        before, run.memory_before = run.memory_before, None
        after, run.memory_after = run.memory_after, None
        if before is None:
            return
        if after is None:  # the engine has died
            after = await asyncio.to_thread(self.meter.read)
        self.state.log(Level.INFO, file_finished(job.name, after, before), job.id)

    async def _end(self, job: Job) -> None:
        """Record the job's end; a retry of a file without any transcript starts anew."""
        failure = job.state.failure if isinstance(job.state, Failed) else None
        in_vain = failure is not None and failure.kind is FailureKind.ENGINE_UNUSABLE
        await self.state.put_all((job,), restart=in_vain)

    async def _drop_scratch(self, run: FileRun) -> None:
        if run.scratch is not None:
            await self.state.drop_temp(run.scratch)
            run.scratch = None

    async def stopped(self, run: FileRun) -> None:
        """Record that the file left the engine: the user cancelled it, or the engine ended."""
        await self._drop_scratch(run)
        job = self.state.queue[run.job]
        state: State = Pending(run.position)
        if run.cancelled:  # a file that was only being prepared was still waiting, to the user
            if run.has_started:
                state = Cancelled(now(), run.started_at, kept=True)
            else:
                state = Skipped(now(), SKIPPED_BY_USER)
        await self.state.put(replace(job, state=state))
        if run.cancelled:
            await self._log_memory(job, run)

    async def failed(
        self,
        run: FileRun,
        failure: Failure,
        *,
        died: bool,
        shared: bool = False,
        loaded: bool = True,
    ) -> bool:
        """Record a failed attempt; the file waits for a retry or has failed. True: a retry.

        `died`: the engine died; `shared`: other files may be the cause; `loaded`: the engine had
        loaded its model.
        """
        if run.cancelled:
            await self.stopped(run)
            return False
        await self._drop_scratch(run)
        run.changes += failure.kind is FailureKind.SCRATCH_CHANGED and not shared
        if run.progress >= PROGRESS_WINDOWS:
            run.deaths.clear()
        run.stalls += failure.kind is FailureKind.STALLED and not shared
        decision = decide(
            FailedAttempt(
                failure,
                rung=run.rung,
                rungs=len(run.rungs),
                deaths_here=run.count_death() if died and not shared else 0,
                deaths=sum(run.deaths.values()),
                started=run.has_started,
                shared=shared,
                loaded=loaded,
                stalls=run.stalls,
                changes=run.changes,
                progress=run.progress if died else 0,
                transcribed=run.transcribed,
                skipped=run.skipped,
            )
        )
        decision = spared(run, failure, decision)
        run.progress = 0
        job = self.state.queue[run.job]
        if isinstance(decision, GiveUp):
            state = Failed(now(), decision.failure, run.started_at)
            await self._end(replace(job, state=state))
            self.state.log(Level.ERROR, decision.failure.about(job.name), job.id)
            await self._log_memory(job, run)
            return False
        run.rung = decision.rung
        run.skip_window = decision.skip_window
        run.alone = decision.alone
        run.careful = run.careful or failure.kind is FailureKind.ENGINE_DIED
        remedy = _remedy(run, failure, shared=shared)
        attempt = Attempt(now(), failure, run.position, remedy)
        await self.state.put(
            replace(job, state=Pending(run.position), attempts=(*job.attempts, attempt))
        )
        text = f"{job.name}: {without_name(failure.title, job.name)}; retrying with {remedy}"
        self.state.log(Level.WARNING, text, job.id)
        return True


def done_line(name: str, done: Completed) -> str:
    """What the log says of a file that is done: how long it took, the language, and where."""
    parts = [f"done in {clock(done.work_seconds)}"]
    if done.language:
        parts.append(LANGUAGES.get(done.language, done.language).title())
    if paths := [text_to_path(output) for output in done.outputs]:
        parts.append(f"written to {paths[0].parent}{_outputs_text(name, paths)}")
    return f"{name}: {', '.join(parts)}"


def _outputs_text(name: str, paths: Sequence[Path]) -> str:
    """The names of outputs, without that of the recording: its reader has just read it."""
    own = f"{Path(name).stem}."
    if all(path.name.startswith(own) for path in paths):
        return f" ({', '.join(path.name.removeprefix(own) for path in paths)})"
    first, *others = paths
    same = all(path.stem == first.stem for path in others)
    names = [first.name, *(path.suffix if same else path.name for path in others)]
    return f": {', '.join(names)}"


def warning_lines(name: str, done: Completed, logged: Collection[str] = ()) -> Iterator[str]:
    """What the log says when a file is done: its warnings, without those `logged` already, and
    its findings.
    """
    for warning in done.warnings:
        if warning not in logged:
            yield f"{name}: {without_name(warning, name)}"
    if done.findings:
        yield f"{name}: please check: {findings_text(done.findings)}"


def _tracks_text(media: MediaInfo) -> str:
    """How many audio tracks there are, and which one is transcribed, for the log."""
    known = next((one for one in media.tracks if one.number == media.track), None)
    language = LANGUAGES.get(known.language, "") if known is not None else ""
    named = f"track {media.track}" + (f" ({language.title()})" if language else "")
    return f"{len(media.tracks)} audio tracks, {named} is transcribed"


def _remedy(run: FileRun, failure: Failure, *, shared: bool) -> str:
    """What the next attempt does differently, for people."""
    if failure.kind is FailureKind.SCRATCH_CHANGED:
        return "newly decoded audio"
    if run.skip_window:
        return SKIP_CHUNK
    if run.no_speakers:
        return "the speakers left out"
    return run.current.remedy or ("no other file in the engine" if shared else "a fresh engine")


def new_run(job: Job, settings: Settings, device: str, recent_rungs: list[int]) -> FileRun:
    """A run of the job with these settings."""
    rungs = ladder(settings, device)
    rung = min(first_rung(recent_rungs), len(rungs) - 1)
    speakers = speaker_task(settings.speakers, settings.model)
    if decides_speakers(settings):
        speakers = None
    return FileRun(job.id, settings, rungs, rung, now(), speakers=speakers)


async def finished_plan(state: BatchState, job: Job, run: FileRun) -> FilePlan | None:
    """The plan of a file whose windows are all journaled, if they are still valid."""
    point = await asyncio.to_thread(state.store.resume_point, job.id)
    if point is None or not point.is_done:
        return None
    if point.plan.text_hash != run.settings.text_hash():
        return None
    if not await asyncio.to_thread(are_known, state.store, run):
        return None
    if run.no_speakers:  # it was checked in this batch, and something else is wrong with it
        return point.plan
    if await asyncio.to_thread(change_since, job.file, point.plan.fingerprint):
        return None  # the engine checks again, and says why the file is restarted
    return point.plan


async def resume_point(state: BatchState, run: FileRun) -> ResumePoint | None:
    """Where the file resumes; sets the run to that point."""
    point = await asyncio.to_thread(state.store.resume_point, run.job)
    run.seek, run.cancelled = None, False
    run.position = point.seconds if point else 0.0
    run.is_transcribed = point is not None and point.is_done
    run.transcribed = run.transcribed or bool(point and point.state and point.state.segments)
    run.resume_seek = point.state.place if point and point.state else 0
    return point


async def transcribe_request(
    state: BatchState, scratch: Path, job: Job, run: FileRun, point: ResumePoint | None
) -> Transcribe:
    """The request for a file; its scratch file, in the folder `scratch`, is recorded first."""
    store = state.store
    run.scratch = new_scratch(scratch, store.session_id, job.id, sessions=store.directory)
    await state.add_temp(run.scratch)
    return Transcribe(
        job=job.id,
        path=job.path,
        decoding=run.current.decoding,
        text_hash=run.settings.text_hash(),
        scratch=path_to_text(run.scratch),
        resume=point,
        skip_window=run.skip_window,
        careful=run.careful,
        quality=run.settings.quality,
        drop_unspoken=run.settings.output.drop_unspoken,
        scratch_limit=run.settings.batch.scratch_limit_mb << 20,
        speakers=task_of(run),
    )


_WHEN = {
    "files": "between files",
    "load": "after loading the model",
    "alert": "after the memory alert",
}


async def log_cleanup(state: BatchState, meter: MemoryMeter, done: CleanedUp) -> None:
    """Log a cleanup of the engine: garbage collected, free memory returned."""
    state.log(Level.INFO, after_cleanup(await asyncio.to_thread(meter.read)))
    level = Level.INFO if done.freed >= 1 else Level.DEBUG
    state.log(level, freed_by_cleanup(done.freed, _WHEN[done.after]))


def log_utilisation(state: BatchState, busy: Busy | None) -> None:
    """Log how much of the time the engine's model worked, if known."""
    if busy is not None and busy.worked > 0:
        share = 100 * busy.worked / (busy.worked + busy.waited)
        state.log(Level.INFO, f"Model utilisation {share:.1f}%")


async def log_engine_end(
    state: BatchState, meter: MemoryMeter, before: MemoryReading | None
) -> None:
    """Log the memory that the end of an engine freed, that of the GPU included."""
    after = await asyncio.to_thread(meter.read)
    state.log(Level.INFO, after_cleanup(after))
    if before is not None:
        state.log(Level.INFO, freed_by_engine_end(before, after))
