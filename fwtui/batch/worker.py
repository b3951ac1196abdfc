"""Engine worker: runs the engine process of one slot, feeds it files and handles its replies."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from fwtui.batch.conflicts import SKIPPED_AT_ONCE, resolve_outputs, stem_path
from fwtui.batch.diarization import send_known_groups
from fwtui.batch.disk_wait import blocks_batch
from fwtui.batch.estimate import Performance, settings_key, shortage
from fwtui.batch.file_recorder import (
    FileRecorder,
    finished_plan,
    log_cleanup,
    log_engine_end,
    log_utilisation,
    new_run,
    resume_point,
    transcribe_request,
)
from fwtui.batch.file_run import FileRun
from fwtui.batch.memory_guard import MemoryGuard
from fwtui.batch.messages import EngineExited, EngineMessage, EngineReplied, WorkerMessage
from fwtui.batch.retry import CANNOT_WORK, FILES_IN_VAIN, LOWERED_FILES, NO_GPU, without_gpu
from fwtui.batch.split_tracks import keeps_file, list_tracks, settings_of, wants_split
from fwtui.batch.start_checks import check_writable, settings_failure
from fwtui.batch.state import BatchState, now
from fwtui.batch.watchdog import Watchdog, WindowPace
from fwtui.config.overrides import from_overrides
from fwtui.core.decoding import batch_size
from fwtui.core.events import EngineChanged, EngineInfo, JobProgress, Level
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Failed, Job, JobId, Processing
from fwtui.core.settings import ModelSettings, Settings
from fwtui.engine.client import EngineClient, EngineExit
from fwtui.engine.protocol import (
    AnyReply,
    Busy,
    Cancel,
    CleanedUp,
    CleanUp,
    Fatal,
    FileFailed,
    FileFinished,
    FilePrepared,
    FilePreparing,
    FileProbed,
    FileReply,
    FileStarted,
    FileStopped,
    FileTranscribed,
    Held,
    Hold,
    InModel,
    Note,
    Pong,
    Ready,
    Shutdown,
    SpeakersFound,
    SpeakersHeard,
    WindowDone,
)
from fwtui.errors import EngineError
from fwtui.memory.measure import MemoryMeter, peak_of

# Audio to prepare ahead: enough that an engine never runs dry, little enough that no other engine
# is short of files.
AHEAD_SECONDS = 120.0
# Audio that is transcribed and whose speakers are not known yet: 460 MB of scratch files. Only a
# fast GPU beside slow processors gets so far ahead; it waits then.
BEHIND_SECONDS = 4 * 3600.0
# Engines in a row that die while they load, before the slot is given up.
FAILED_STARTS = 2


class JobStage(Enum):
    """How far a job has come in the engine."""

    SENT = auto()
    PREPARING = auto()
    PREPARED = auto()
    IN_MODEL = auto()
    LISTENING = auto()  # transcribed; its speakers are still to be told apart


class InFlight:
    """Jobs in the engine and their stages, in the order in which they were sent."""

    def __init__(self) -> None:
        self._stages: dict[JobId, JobStage] = {}

    def __contains__(self, job: JobId) -> bool:
        return job in self._stages

    def __iter__(self) -> Iterator[JobId]:
        return iter(tuple(self._stages))

    def __len__(self) -> int:
        return len(self._stages)

    @property
    def before_end(self) -> int:
        """How many of them the model has not finished."""
        return len(self._stages) - len(self.at(JobStage.LISTENING))

    def add(self, job: JobId) -> None:
        """Add a job that was just sent."""
        self._stages[job] = JobStage.SENT

    def remove(self, job: JobId) -> None:
        """Remove a job that has left the engine."""
        del self._stages[job]

    def move(self, job: JobId, stage: JobStage) -> None:
        """Set the stage of a job; ignored if the job is not in the engine."""
        if job in self._stages:
            self._stages[job] = stage

    def set_in_model(self, jobs: Iterable[JobId]) -> None:
        """Record that exactly these jobs are in the model."""
        for job in self.at(JobStage.IN_MODEL):
            self._stages[job] = JobStage.PREPARED
        for job in jobs:
            self.move(job, JobStage.IN_MODEL)

    def at(self, *stages: JobStage) -> tuple[JobId, ...]:
        """The jobs at one of these stages."""
        return tuple(job for job, stage in self._stages.items() if stage in stages)

    def suspects(self, kind: FailureKind) -> tuple[JobId, ...]:
        """The jobs that may have caused the engine's death; never those that only waited.

        The model needs most of the memory, so its jobs are suspected first when memory ran out.
        If nothing had been done with any file, the first job is suspected: the engine was started
        for it.
        """
        model = self.at(JobStage.IN_MODEL)
        active = self.at(JobStage.IN_MODEL, JobStage.PREPARING, JobStage.LISTENING)
        suspected = (model or active) if kind is FailureKind.OUT_OF_MEMORY else active
        return suspected or tuple(self)[:1]

    def wants_more(self, lengths: dict[JobId, float], batch: int) -> bool:
        """Whether the engine should get another job.

        `lengths` are seconds, 0 if unknown; `batch` is the number of chunks per batch. Long files
        are not hoarded, because another engine may have nothing to do; of short files there must
        be enough to fill the next batch.
        """
        stages = (JobStage.SENT, JobStage.PREPARING, JobStage.PREPARED)
        waiting = [lengths[job] for job in self.at(*stages)]
        known = [seconds for seconds in waiting if seconds > 0]
        unknown = len(waiting) - len(known)
        behind = sum(lengths[job] for job in self.at(JobStage.LISTENING))
        return (
            behind < BEHIND_SECONDS
            and unknown < 1 + min(2, len(known))
            and len(waiting) < 2 * batch + 2
            and sum(known) < AHEAD_SECONDS * max(1, batch / 4)
        )


class EngineWorker:
    """Owns at most one engine process. All methods run in the event loop.

    `slot` is its number, `device` the index of its GPU; with `on_cpu` the GPU is not used. `post`
    puts a message into the batch's inbox and may be called from any thread. `halted` is why the
    batch cannot continue; with `unusable` only this engine is affected. `windows` counts the
    windows since the present engine was loaded. `learn` gets what was measured with which settings.
    """

    def __init__(
        self,
        slot: int,
        device: int,
        state: BatchState,
        scratch: Path,
        meter: MemoryMeter,
        memory_guard: MemoryGuard,
        post: Callable[[WorkerMessage], None],
        command: tuple[str, ...],
        learn: Callable[[Settings, Performance], None],
    ) -> None:
        self.slot = slot
        self.device = device
        self.state = state
        self.scratch = scratch
        self.meter = meter
        self.memory_guard = memory_guard
        self.post = post
        self.command = command
        self.learn = learn
        self.info: EngineInfo | None = None
        self.halted: Failure | None = None
        self.unusable = False
        self.on_cpu = False
        self.is_held = False
        self.windows = 0
        self._recorder = FileRecorder(state, meter, slot)
        self._client: EngineClient | None = None
        self._ending = False
        self._reader: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._in_flight = InFlight()
        self._runs: dict[JobId, FileRun] = {}
        self._paces: dict[JobId, WindowPace] = {}
        self._returning: JobId | None = None
        self._due: Failure | Literal["replace"] | None = None
        self._replacing = False
        self._unsplit: set[JobId] = set()
        self._recent_rungs: deque[int] = deque(maxlen=3)
        self._lowered = 0  # files in a row that ended with less memory than the user wants
        self._has_worked = False
        self._files_in_vain = 0
        self._failed_starts = 0
        self._fatal: Failure | None = None
        self._busy: Busy | None = None
        self._checked: Settings | None = None  # can work
        self._peak = 0.0  # MB
        self._peak_key = ""  # of the settings that it was measured with

    # --- state ---------------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Whether it has neither jobs nor an engine process."""
        return not self._in_flight and self._client is None

    @property
    def needs_jobs(self) -> bool:
        """Whether it could work but has no job."""
        return self.halted is None and not self._ending and not self._in_flight.before_end

    @property
    def speed(self) -> float:
        """Audio seconds per second of work, over the last windows; 0 before the first."""
        return self._recorder.speed.value

    @property
    def positions(self) -> dict[JobId, float]:
        """Seconds done of the jobs in the engine."""
        return {job: self._runs[job].position for job in self._in_flight}

    def has(self, job: JobId) -> bool:
        """Whether the job is in the engine."""
        return job in self._in_flight

    def is_cancelling(self, job: JobId) -> bool:
        """Whether the job is in the engine and was cancelled."""
        return job in self._in_flight and self._runs[job].cancelled

    def is_overdue(self, job: JobId) -> bool:
        """Whether a cancelled job should be ended by killing the engine.

        Not while other jobs share its batch: it ends with that batch, and they lose nothing.
        """
        batch = self._in_flight.at(JobStage.IN_MODEL)
        shared = job in batch and not all(self.is_cancelling(other) for other in batch)
        return self.is_cancelling(job) and not shared

    # --- feeding -------------------------------------------------------------------------------

    async def feed(self, most: int | None = None) -> bool:
        """Send the engine its next jobs, up to `most` at a time; start an engine if needed.

        An engine with another model is shut down. Returns True if it stopped early, after skipping
        many files, and must be called again.
        """
        skipped = 0
        while not self._ending and self.halted is None and self._wants_more(most):
            if skipped == SKIPPED_AT_ONCE:
                return True
            if (waiting := self.state.queue.next_pending()) is None:
                break
            if await self._has_bad_settings(waiting):
                continue
            if await self._split_tracks(waiting):
                continue
            run = self._runs.get(waiting.id) or self._new_run(waiting)
            if (job := await self._resolve_outputs(waiting, run)) is None:
                self._runs.pop(waiting.id, None)
                skipped += 1
                continue
            if await self._complete_from_journal(job, run):
                continue
            if run.alone and self._in_flight:
                break
            if self._client is None:
                self._start_engine(run)
            elif self._client.model != self._model(run):
                if not self._in_flight:
                    self.end_engine()
                break
            await self._send(job, run)
        return False

    async def _split_tracks(self, job: Job) -> bool:
        """Make each audio track of a file a job of its own, if that is asked for."""
        if job.id in self._unsplit or not wants_split(self.state, job):
            return False
        tracks = await list_tracks(job.path)
        if len(tracks) > 1 and keeps_file(self.state, job):
            await self.state.split_tracks(job, tracks)
            self.state.log(
                Level.INFO, f"{job.name}: {len(tracks)} audio tracks, one by one", job.id
            )
            return True
        self._unsplit.add(job.id)
        if len(tracks) > 1:
            text = "only one audio track is transcribed, because the file is not kept"
            self.state.log(Level.WARNING, f"{job.name}: {text}", job.id)
        return False

    async def _has_bad_settings(self, job: Job) -> bool:
        """Fail a file whose own settings cannot work; the batch's are checked at its start."""
        if job.settings is None or (settings := from_overrides(job.settings)) == self._checked:
            return False
        failure = await asyncio.to_thread(settings_failure, settings)
        if failure is None:
            self._checked = settings  # mostly those of the next file, too
            return False
        await self.state.put(replace(job, state=Failed(now(), failure)))
        self.state.log(Level.ERROR, failure.about(job.name), job.id)
        return True

    async def _resolve_outputs(self, waiting: Job, run: FileRun) -> Job | None:
        """The job with the names for its outputs; None if it was skipped, or must wait or fail."""
        folder = stem_path(waiting.stem, run.settings.output).parent
        try:
            known = self.state.output_folders
            missing = await asyncio.to_thread(known.missing_drive, self.scratch)
            missing = missing or await asyncio.to_thread(known.missing, folder)
            if missing is None:
                await asyncio.to_thread(check_writable, folder)
                return await resolve_outputs(self.state, waiting, run.settings)
            self._halt(missing)
            return None
        except OSError as error:
            blocked = await self._recorder.unwritable(waiting, run, error, folder)
            if blocked is not None:
                self._halt(blocked)
            return None

    def _wants_more(self, most: int | None) -> bool:
        enough = most is not None and self._in_flight.before_end >= most
        if enough or any(self._runs[job].alone for job in self._in_flight):
            return False
        lengths = {job: self.state.queue[job].duration for job in self._in_flight}
        device = self.info.device if self.info else "cpu"
        size = batch_size(self.state.settings.decoding, device)
        return self._in_flight.wants_more(lengths, size)

    def _new_run(self, job: Job) -> FileRun:
        """A run for the job; kept only once the job is sent."""
        self._paces.pop(job.id, None)
        settings = settings_of(self.state, job)
        device = self.info.device if self.info else settings.model.device
        return new_run(job, settings, device, list(self._recent_rungs))

    async def _complete_from_journal(self, job: Job, run: FileRun) -> bool:
        """Write the outputs of a file if all its windows are journaled; returns whether it did."""
        plan = await finished_plan(self.state, job, run)
        if plan is None:
            return False
        run.plan, run.position = plan, plan.duration
        self._runs.pop(job.id, None)
        await self._complete(run)
        return True

    async def _send(self, job: Job, run: FileRun) -> None:
        assert self._client is not None
        point = await resume_point(self.state, run)
        if run.rung and job.id not in self._runs:
            text = f"{job.name}: starting with {run.current.remedy}"
            reason = "because the last files ran out of memory"
            self.state.log(Level.WARNING, f"{text}, {reason}", job.id)
        self._runs[job.id] = run
        self._in_flight.add(job.id)
        request = await transcribe_request(self.state, self.scratch, job, run, point)
        await self.state.put(replace(job, state=Processing(run.started_at, slot=self.slot)))
        if request.speakers is not None:
            await asyncio.to_thread(send_known_groups, self._client, self.state.store, job.id)
        self._client.send(request)

    def cancel(self, job: JobId) -> None:
        """Ask the engine to stop a job at its next window."""
        assert self._client is not None
        self._runs[job].cancelled = True
        self._client.send(Cancel(job))

    @property
    def is_returning_job(self) -> bool:
        """Whether a job is on its way back from the engine."""
        return self._returning is not None and self._returning in self._in_flight

    def return_job(self, min_seconds: float) -> bool:
        """Ask for a job that only waits in the engine, so that another engine can have it.

        The job has `min_seconds` or more, or an unknown length. Returns whether there is one.
        """
        if self._client is None:
            return False
        behind = self._in_flight.at(JobStage.SENT, JobStage.PREPARED)
        if not self._in_flight.at(JobStage.IN_MODEL, JobStage.PREPARING):
            behind = behind[1:]  # the first one is next here
        for job in reversed(behind):
            length = self.state.queue[job].duration
            if not self._runs[job].cancelled and (not length or length >= min_seconds):
                self._returning = job
                self._client.send(Cancel(job))
                return True
        return False

    def forget_attempts(self) -> None:
        """Start files that wait for a retry with fresh settings; only between two batches."""
        assert not self._in_flight
        self._runs.clear()

    def forget_rungs(self) -> None:
        """Forget what the last files needed, and whether any worked: the settings have changed."""
        self._recent_rungs.clear()
        self._lowered = self._files_in_vain = 0
        self._has_worked = False

    # --- the engine process --------------------------------------------------------------------

    def _model(self, run: FileRun) -> ModelSettings:
        model = replace(run.current.model, device_index=str(self.device))
        return without_gpu(model) if self.on_cpu else model

    def _start_engine(self, run: FileRun) -> None:
        self.memory_guard.engine_starts()
        watchdog = Watchdog(self.state.settings.batch.stall_seconds, self._paces)
        client = EngineClient(self._model(run), self._on_stderr, self.command, watchdog)
        self._client, self._busy = client, None
        self._peak, self._peak_key = 0.0, ""
        self._watching = asyncio.create_task(
            watchdog.watch(client, self._on_stalled, self._on_slow)
        )
        self._reader = asyncio.create_task(asyncio.to_thread(_read_replies, client, self.post))
        self.state.emit(EngineChanged(self.slot, loading=True))
        self.state.log(Level.INFO, f"Loading model {run.current.model.model}")

    def _on_stderr(self, line: str) -> None:
        if self._client is not None:
            self.post(EngineReplied(self._client, Note(Level.DEBUG, line)))

    def _on_slow(self, client: EngineClient, note: Note) -> None:
        self.post(EngineReplied(client, note))

    def _on_stalled(self, client: EngineClient, failure: Failure) -> None:
        self.post(EngineReplied(client, Fatal(failure)))

    def hold(self, on: bool) -> None:
        """Hold the engine after its current window, or release it."""
        if self._client is not None:
            self._client.send(Hold(on))
        if not on:
            self.is_held = False

    def end_engine(self) -> None:
        """Shut an idle engine down; its end arrives as a message."""
        if self._client is not None and not self._ending:
            self._ending = True
            self._client.send(Shutdown())

    def kill_engine(self) -> None:
        """Kill the engine; its jobs go back to the queue."""
        if self._client is not None:
            self._ending = True
            self._client.kill()

    async def join(self) -> None:
        """Wait until the reader thread has ended."""
        if self._reader is not None:
            await self._reader

    # --- what the memory guard asks for --------------------------------------------------------

    def clean_up(self) -> None:
        """Have the engine free memory at its next window."""
        if self._client is not None:
            self._client.send(CleanUp())

    def replace_engine(self) -> None:
        """Replace the engine at its next window; its files continue. An idle one just ends."""
        if self._in_flight:
            self._due = "replace"
        else:
            self.end_engine()

    def reduce_memory(self, failure: Failure) -> None:
        """Treat the files in the model as out of memory, with this failure, at the next window."""
        self._due = failure

    async def _at_window(self, *, done: bool) -> None:
        """Do what is due now that a window is durable; `done`: it was the file's last."""
        due, self._due = self._due, None
        if due is None or self._ending:
            return
        if isinstance(due, Failure) and not done:
            await self._fail_suspects(due)
        else:
            self._replacing = True
            self.kill_engine()

    async def _fail_suspects(self, failure: Failure) -> None:
        """Fail the files in the model, or else the first in line, and end the engine."""
        jobs = self._in_flight.suspects(failure.kind)
        for job in jobs:
            await self._failed(self._remove(job), failure, died=False, shared=len(jobs) > 1)
        self.kill_engine()

    # --- replies -------------------------------------------------------------------------------

    async def handle(self, message: EngineMessage) -> None:
        """Handle a reply of the engine, or its end; messages of other engines are ignored."""
        if message.client is not self._client:
            return
        match message:
            case EngineReplied(reply=reply):
                await self._on_reply(reply)
            case EngineExited(exit=ended):
                await self._on_exit(ended)

    async def _on_reply(self, reply: AnyReply) -> None:
        match reply:
            case Ready():
                await self._on_ready(reply)
            case Fatal(failure=failure):
                self._fatal = failure
            case Held(on=on):
                self.is_held = on
            case InModel(jobs=jobs):
                self._in_flight.set_in_model(jobs)
            case CleanedUp():
                await log_cleanup(self.state, self.meter, reply)
            case Pong():
                pass  # for the watchdog
            case Busy():
                self._busy = reply
            case Note(level=level, text=text, job=about):
                self.state.log(level, text, about)
            case _:
                await self._on_file_reply(reply)

    async def _on_file_reply(self, reply: FileReply) -> None:
        match reply:
            case FilePreparing(job=job, done=done, total=total):
                self._in_flight.move(job, JobStage.PREPARING)
                self.state.emit(JobProgress(job, done, total, 0.0, None, preparing=True))
            case FileProbed(job=job, media=media):
                await self.state.put(replace(self.state.queue[job], media=media))
            case FilePrepared(job=job):
                self._in_flight.move(job, JobStage.PREPARED)
            case FileStarted(job=job):
                await self._recorder.started(self._runs[job], reply)
            case WindowDone(job=job, result=result, worked=worked):
                await self._recorder.window(self._runs[job], result, worked)
                self.windows += 1
                self._has_worked = self._has_worked or not (result.skipped or result.silent)
                if not result.skipped:
                    self._learn_peak(self._runs[job])
                await self._at_window(done=result.state.done)
            case SpeakersHeard(job=job, group=group):
                await self._recorder.heard(self._runs[job], group)
                if not self._in_flight.at(JobStage.IN_MODEL):
                    await self._at_window(done=False)
            case SpeakersFound(job=job, result=speakers):
                await self.state.set_speakers(job, speakers)
            case FileTranscribed(job=job):
                self._in_flight.move(job, JobStage.LISTENING)
                self._recorder.listening(self._runs[job])
            case FileFinished(job=job, changed=changed, rss=rss):
                run = await self._leave(job, rss)
                run.changed = changed
                await self._complete(run)
            case FileStopped(job=job, rss=rss):
                await self._recorder.stopped(await self._leave(job, rss))
            case FileFailed(job=job, failure=failure, shared=shared, rss=rss):
                await self._on_file_failed(await self._leave(job, rss), failure, shared=shared)

    # --- what is learnt of the memory -----------------------------------------------------------

    def _settings_of(self, run: FileRun) -> Settings:
        """The settings that the file is transcribed with now, on its rung and device."""
        model = without_gpu(run.current.model) if self.on_cpu else run.current.model
        return replace(run.settings, model=model, decoding=run.current.decoding)

    def _learn_peak(self, run: FileRun) -> None:
        """Learn the engine's peak, now that a window is done.

        It is that of all files since the engine was started, so nothing is learnt of an engine that
        had files with different settings.
        """
        assert self.info is not None
        key = settings_key(self._settings_of(run))
        self._peak_key = self._peak_key or key
        if key == self._peak_key and (peak := peak_of(self.info.pid)) > self._peak:
            self._peak = peak
            self.learn(self._settings_of(run), Performance(ram=peak))

    def _learn_shortage(self, run: FileRun, failure: Failure) -> None:
        """Learn that the file needs more memory than there was."""
        reading = self.meter.last_engines
        if failure.kind is not FailureKind.OUT_OF_MEMORY or reading is None:
            return
        settings = self._settings_of(run)
        if "GPU" in failure.title:
            for gpu in reading.gpus:
                if gpu.index == self.device:
                    had = shortage(gpu.ours or gpu.used, gpu.total - gpu.used)
                    self.learn(settings, Performance(short_gpu=had))
        else:
            had = shortage(self._peak or reading.engines, reading.available)
            self.learn(settings, Performance(short_ram=had))

    async def _on_ready(self, ready: Ready) -> None:
        assert self._client is not None
        self._failed_starts = self.windows = 0
        for job in self._in_flight:
            self._runs[job].set_device(ready.device)
        self.info = EngineInfo(
            slot=self.slot,
            model=self._client.model.model,
            device=ready.device,
            compute_type=ready.compute_type,
            load_seconds=ready.load_seconds,
            pid=ready.pid,
        )
        self.state.emit(EngineChanged(self.slot, self.info))
        self.state.log(Level.INFO, _loaded_line(self.info))
        refusal = self.memory_guard.check_loaded(await asyncio.to_thread(self.meter.read))
        if refusal is None or self._ending:
            return
        if any(self._runs[job].rung for job in self._in_flight):  # other files may still fit
            await self._fail_suspects(replace(refusal, kind=FailureKind.OUT_OF_MEMORY))
        else:
            self._halt(refusal)

    def _remove(self, job: JobId) -> FileRun:
        """Remove a job that has left the engine."""
        self._in_flight.remove(job)
        return self._runs.pop(job)

    async def _leave(self, job: JobId, rss: float) -> FileRun:
        """Remove a job that its engine, using `rss` MB, has just reported the end of."""
        run = self._remove(job)
        if run.memory_before is not None and self.info is not None and rss:
            run.memory_after = await asyncio.to_thread(self.meter.read, {self.info.pid: rss})
        return run

    async def _complete(self, run: FileRun) -> None:
        self._recent_rungs.append(run.rung)
        self._lowered = self._lowered + 1 if run.rung > 1 else 0
        if self._lowered >= LOWERED_FILES:  # the next file shows whether there is memory again
            self._recent_rungs.popleft()
            self._lowered = 0
        if no_room := await self._recorder.complete(self.state.queue[run.job], run):
            self._halt(no_room)
        elif self._is_in_vain(run):
            self.unusable = True
            self._halt(CANNOT_WORK)

    async def _on_file_failed(self, run: FileRun, failure: Failure, *, shared: bool) -> None:
        no_gpu = failure.kind in NO_GPU
        # Only scratch files are written in the engine: their disk is not the file's fault.
        scratch = failure.kind is FailureKind.OUTPUT and bool(failure.place)
        if no_gpu or failure.stops or scratch or await blocks_batch(failure):
            await self._recorder.stopped(run)
            if self._in_flight and failure.kind is FailureKind.DISK_FULL:
                run.alone = True  # there may be room when the previous file's scratch WAV is gone
                self._runs[run.job] = run
            else:
                self.unusable = no_gpu
                self._halt(failure)  # the next file would fail in the same way
            return
        self._learn_shortage(run, failure)
        retried = await self._failed(run, failure, died=False, shared=shared)
        if shared and self._in_flight.at(JobStage.IN_MODEL):
            return  # the same reply is still to come for the rest of the batch
        if failure.kind is FailureKind.SCRATCH_CHANGED:
            return
        if retried or failure.kind is FailureKind.OUT_OF_MEMORY:
            self.kill_engine()  # only its end is sure to free all memory

    def _halt(self, failure: Failure) -> None:
        """Stop working until the user has done something about the failure."""
        self.halted = failure
        self.kill_engine()

    async def _failed(
        self, run: FileRun, failure: Failure, *, died: bool, shared: bool, loaded: bool = True
    ) -> bool:
        retried = await self._recorder.failed(run, failure, died=died, shared=shared, loaded=loaded)
        if retried:
            self._runs[run.job] = run
        elif self._is_in_vain(run):
            self.unusable = True
            self._halt(CANNOT_WORK)
        return retried

    def _is_in_vain(self, run: FileRun) -> bool:
        """Whether the engine cannot work, now that this file has ended.

        Nothing was transcribed of several files, and of none before.
        """
        state = self.state.queue[run.job].state
        if isinstance(state, Failed) and state.failure.kind is FailureKind.ENGINE_UNUSABLE:
            self._files_in_vain += 1
        return not self._has_worked and self._files_in_vain >= FILES_IN_VAIN

    async def _on_exit(self, ended: EngineExit) -> None:
        expected, self._ending = self._ending, False
        replacing, self._replacing, self._due = self._replacing, False, None
        before, loaded = self.meter.last_engines, self.info is not None
        fatal, self._fatal = self._fatal, None
        self._client, self.info, self.is_held = None, None, False
        jobs, self._in_flight = self._in_flight, InFlight()
        self.state.emit(EngineChanged(self.slot))
        log_utilisation(self.state, self._busy)
        failure = await asyncio.to_thread(self.memory_guard.explain, fatal or ended.failure)
        suspects = jobs.suspects(failure.kind)
        smaller = any(self._runs[job].rung for job in suspects)  # the next rung may work
        if not expected and self._cannot_work(failure, is_new=not loaded and not smaller):
            self.halted, self.unusable = await self._or_give_up(failure), True
            expected = True
        if not expected and failure.detail:
            self.state.log(Level.DEBUG, failure.detail)
        for job in jobs:
            run = self._runs.pop(job)
            if job in suspects and not expected:
                shared = len(suspects) > 1
                self._learn_shortage(run, failure)
                await self._failed(run, failure, died=True, shared=shared, loaded=loaded)
                continue
            await self._recorder.stopped(run)
            if replacing and not run.cancelled:
                self._runs[job] = run
        await log_engine_end(self.state, self.meter, before)

    def _cannot_work(self, failure: Failure, *, is_new: bool) -> bool:
        """Whether no file can be transcribed: there is no GPU, or the model never loads."""
        if failure.kind in NO_GPU:
            return True
        if failure.kind is FailureKind.OUT_OF_MEMORY or not is_new:
            return False
        self._failed_starts += 1
        died = failure.kind in {FailureKind.ENGINE_DIED, FailureKind.STALLED}
        return not died or self._failed_starts >= FAILED_STARTS

    async def _or_give_up(self, failure: Failure) -> Failure:
        """The failure of a new engine; one to wait for only as long as waiting can help."""
        if not failure.place:
            return failure
        self._failed_starts += 1
        hopeless = self._failed_starts > FAILED_STARTS and not await blocks_batch(failure)
        return replace(failure, place="") if hopeless else failure


def _read_replies(client: EngineClient, post: Callable[[WorkerMessage], None]) -> None:
    """Post all replies of an engine, then its end. Runs in the reader thread."""
    try:
        for reply in client.replies():
            post(EngineReplied(client, reply))
    except EngineError as error:
        detail = str(error.__cause__)
        failure = Failure(FailureKind.ENGINE_DIED, error.title, error.hint, detail)
        post(EngineReplied(client, Fatal(failure)))
        client.kill()
    post(EngineExited(client, client.wait()))


def _loaded_line(info: EngineInfo) -> str:
    where = f"{info.device}, {info.compute_type}"
    return f"Model {info.model} loaded in {info.load_seconds:.1f} s ({where})"
