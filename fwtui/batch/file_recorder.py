"""Records per-file progress and results in the session."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from fwtui.audio.identity import change_since
from fwtui.batch.conflicts import final_name
from fwtui.batch.disk_wait import blocks_batch
from fwtui.batch.estimate import Speed, job_eta
from fwtui.batch.file_run import NOT_STARTED, SKIPPED, FileRun
from fwtui.batch.finish import complete
from fwtui.batch.retry import LEAVE_OUT, GiveUp, Trouble, decide, first_rung, ladder, left_out
from fwtui.batch.state import BatchState, now
from fwtui.core.events import JobProgress, Level, MemoryReading
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.finding import counted
from fwtui.core.job import (
    Attempt,
    Cancelled,
    Completed,
    Failed,
    Job,
    Pending,
    Processing,
    Skipped,
    State,
)
from fwtui.core.paths import path_to_text
from fwtui.core.session import FilePlan, Resume, WindowResult
from fwtui.core.settings import Settings
from fwtui.engine.protocol import Busy, CleanedUp, Started, Transcribe
from fwtui.memory.describe import (
    after_cleanup,
    engine_gave_back,
    file_finished,
    file_started,
    gave_back,
)
from fwtui.memory.measure import MemoryMeter
from fwtui.sessions.scratch import new_scratch


class FileRecorder:
    """Enters the fate of single files.

    `speed` is that of the slot, over all its files; `worked` the seconds that its model worked.
    """

    def __init__(self, state: BatchState, meter: MemoryMeter, slot: int = 0) -> None:
        self.state = state
        self.slot = slot
        self.meter = meter
        self.speed = Speed()
        self.worked = 0.0

    async def started(self, run: FileRun, started: Started) -> None:
        """The file is prepared; its first window is next."""
        job = self.state.queue[started.job]
        run.plan = started.plan
        if not started.resumed:
            run.position = 0.0
            await self.state.begin_file(job.id, started.plan)
        run.place = run.resume_seek if started.resumed else 0
        state = Processing(run.started_at, preparing=False, slot=self.slot)
        await self.state.put(replace(job, media=started.media, state=state))
        if started.restarted:
            text = f"{job.name} starts over: {started.restarted}"
            self.state.log(Level.WARNING, text, job.id)
        elif started.resumed:
            text = f"{job.name} goes on at {run.position:.0f} s"
            self.state.log(Level.INFO, text, job.id)
        for warning in started.plan.warnings:
            self.state.log(Level.WARNING, f"{job.name}: {warning}", job.id)
        if run.before is None:
            run.before = await asyncio.to_thread(self.meter.read)
            self.state.log(Level.INFO, file_started(job.name, run.before), job.id)
        run.speed.begin(run.worked)
        self.speed.begin(self.worked)
        self._emit_progress(run)

    async def window(self, run: FileRun, result: WindowResult, worked: float) -> None:
        """A window is done, for which the model worked so many seconds."""
        assert run.plan is not None
        await self.state.add_window(run.job, result, run.plan.language)
        run.worked += worked
        self.worked += worked
        run.speed.advance(result.seconds - run.position, run.worked)
        self.speed.advance(result.seconds - run.position, self.worked)
        if result.skipped:
            run.skip_window = False
            name = self.state.queue[run.job].name
            self.state.log(Level.ERROR, f"{name}: {left_out(run.position)}", run.job)
        run.position, run.place = result.seconds, result.state.seek
        self._emit_progress(run)

    def _emit_progress(self, run: FileRun) -> None:
        total = run.plan.duration if run.plan else 0.0
        eta = job_eta(run.position, total, run.speed.value)
        progress = JobProgress(run.job, run.position, total, run.speed.value, eta)
        self.state.emit(progress)

    async def complete(self, job: Job, run: FileRun) -> Failure | None:
        """Write the outputs, then say that the file is completed.

        Returns the failure when there is no place for them: the file then waits, and so must all.
        """
        assert run.plan is not None
        job = await final_name(self.state, job, run.settings, run.plan.language)
        state = await complete(self.state, job, run)
        await self._leave(run)
        no_room = None
        if isinstance(state, Failed):
            self.state.log(Level.ERROR, f"{job.name}: {state.failure}", job.id)
            no_room = state.failure if await blocks_batch(state.failure) else None
        await self.state.put(replace(job, state=Pending(run.position) if no_room else state))
        if isinstance(state, Completed) and state.findings:
            text = f"{job.name}: to check: {counted(state.findings)}"
            self.state.log(Level.WARNING, text, job.id)
        if run.before is not None:
            after = await asyncio.to_thread(self.meter.read)
            self.state.log(Level.INFO, file_finished(job.name, after, run.before), job.id)
        return no_room

    async def _leave(self, run: FileRun) -> None:
        if run.scratch is not None:
            await self.state.drop_temp(run.scratch)
            run.scratch = None

    async def stopped(self, run: FileRun) -> None:
        """The file was given up: cancelled by the user, or its engine ended under it."""
        await self._leave(run)
        job = self.state.queue[run.job]
        state: State = Pending(run.position)
        if run.cancelled:  # what had only been got ready was still waiting, as the user sees it
            started = run.place != NOT_STARTED
            state = Cancelled(now(), run.started_at) if started else Skipped(now(), SKIPPED)
        await self.state.put(replace(job, state=state))

    async def failed(
        self,
        run: FileRun,
        failure: Failure,
        *,
        died: bool,
        shared: bool = False,
        loaded: bool = True,
    ) -> bool:
        """Let the file be tried again as the policy says, or fail; whether it will be tried.

        `died`: the engine died; `shared`: other files may as well be the reason; `loaded`: its
        model was loaded.
        """
        if run.cancelled:
            await self.stopped(run)
            return False
        await self._leave(run)
        job = self.state.queue[run.job]
        run.stalls += failure.kind is FailureKind.STALLED and not shared
        decision = decide(
            Trouble(
                failure,
                rung=run.rung,
                rungs=len(run.rungs),
                deaths_here=run.died() if died and not shared else 0,
                deaths=sum(run.deaths.values()),
                started=run.place != NOT_STARTED,
                shared=shared,
                loaded=loaded,
                stalls=run.stalls,
            )
        )
        if isinstance(decision, GiveUp):
            state = Failed(now(), decision.failure, run.started_at)
            await self.state.put(replace(job, state=state))
            self.state.log(Level.ERROR, f"{job.name}: {decision.failure}", job.id)
            return False
        run.rung = decision.rung
        run.skip_window = decision.skip_window
        run.alone = decision.alone
        run.careful = run.careful or failure.kind is FailureKind.ENGINE_DIED
        remedy = run.current.remedy or ("no other file beside it" if shared else "a fresh engine")
        if decision.skip_window:
            remedy = LEAVE_OUT
        attempt = Attempt(now(), failure, run.position, remedy)
        await self.state.put(
            replace(job, state=Pending(run.position), attempts=(*job.attempts, attempt))
        )
        text = f"{job.name}: {failure.title}; trying again with {remedy}"
        self.state.log(Level.WARNING, text, job.id)
        return True


def new_run(job: Job, settings: Settings, device: str, recent_rungs: list[int]) -> FileRun:
    """A run with the settings of this moment."""
    rungs = ladder(settings, device)
    rung = min(first_rung(recent_rungs), len(rungs) - 1)
    return FileRun(job.id, settings, rungs, rung, now())


async def finished_plan(state: BatchState, job: Job, run: FileRun) -> FilePlan | None:
    """The plan of a file whose windows were all done before, if they still count."""
    point = await asyncio.to_thread(state.store.resume_point, job.id)
    if point is None or not point.is_done:
        return None
    if point.plan.text_hash != run.settings.text_hash():
        return None
    if await asyncio.to_thread(change_since, job.file, point.plan.fingerprint):
        return None  # the engine looks too, and says why the file starts over
    return point.plan


async def resume_point(state: BatchState, run: FileRun) -> Resume | None:
    """Where the run goes on; puts the run there."""
    point = await asyncio.to_thread(state.store.resume_point, run.job)
    run.place, run.cancelled = NOT_STARTED, False
    run.position = point.seconds if point else 0.0
    run.resume_seek = point.state.seek if point and point.state else 0
    return point


async def transcribe_request(
    state: BatchState, scratch: Path, job: Job, run: FileRun, point: Resume | None
) -> Transcribe:
    """The request for a file; its scratch file, in the folder `scratch`, is recorded."""
    run.scratch = new_scratch(scratch, state.store.session_id, job.id)
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
        scratch_limit=run.settings.batch.scratch_limit_mb << 20,
    )


_WHEN = {"files": "between files", "load": "after loading", "alert": "after the alert"}


async def log_cleanup(state: BatchState, meter: MemoryMeter, done: CleanedUp) -> None:
    """The engine collected garbage and trimmed its memory."""
    state.log(Level.INFO, after_cleanup(await asyncio.to_thread(meter.read)))
    state.log(
        Level.INFO if done.freed >= 1 else Level.DEBUG, gave_back(_WHEN[done.after], done.freed)
    )


def log_utilisation(state: BatchState, busy: Busy | None) -> None:
    """How much of its time the model of an engine worked, if that is known."""
    if busy is not None and busy.worked > 0:
        share = 100 * busy.worked / (busy.worked + busy.waited)
        state.log(Level.INFO, f"The model was busy {share:.1f} % of the time")


async def log_engine_end(
    state: BatchState, meter: MemoryMeter, before: MemoryReading | None
) -> None:
    """The engine has ended, and with it all its memory, the GPU's too."""
    after = await asyncio.to_thread(meter.read)
    state.log(Level.INFO, after_cleanup(after))
    if before is not None:
        state.log(Level.INFO, engine_gave_back(before, after))
