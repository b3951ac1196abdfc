"""What happens to a file in the engine, as ledger entries."""

import asyncio
import time

from msgspec.structs import replace

from fwtui.audio.identity import change_since
from fwtui.batch.eta import Speed, job_eta
from fwtui.batch.ledger import Ledger, now
from fwtui.batch.obstacle import blocks
from fwtui.batch.outcome import LEAVE_OUT, complete, left_out
from fwtui.batch.policy import GiveUp, Trouble, decide
from fwtui.batch.run import NOT_STARTED, Run
from fwtui.core.events import JobProgress, Level
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Attempt, Cancelled, Failed, Job, Pending, Processing
from fwtui.core.session import WindowResult
from fwtui.engine.protocol import Started
from fwtui.memory.describe import file_finished, file_started
from fwtui.memory.measure import MemoryMeter


class FileDesk:
    """Enters the fate of single files. `speed` is that of the slot, over all its files."""

    def __init__(self, ledger: Ledger, meter: MemoryMeter) -> None:
        self.ledger = ledger
        self.meter = meter
        self.speed = Speed()

    async def was_done(self, job: Job, run: Run) -> bool:
        """Whether all windows of the file were done before: only its outputs are missing."""
        point = await asyncio.to_thread(self.ledger.store.resume_point, job.id)
        if point is None or not point.is_done:
            return False
        if point.plan.text_hash != run.settings.text_hash():
            return False
        if await asyncio.to_thread(change_since, job.file, point.plan.fingerprint):
            return False  # the engine looks too, and says why the file starts over
        run.plan, run.position = point.plan, point.plan.duration
        return True

    async def started(self, run: Run, started: Started) -> None:
        """The file is prepared; its first window is next."""
        job = self.ledger.queue[started.job]
        run.plan = started.plan
        if not started.resumed:
            run.position = 0.0
            await self.ledger.begin_file(job.id, started.plan)
        run.place = run.resume_seek if started.resumed else 0
        state = Processing(run.started_at, preparing=False)
        await self.ledger.put(replace(job, media=started.media, state=state))
        if started.restarted:
            text = f"{job.name} starts over: {started.restarted}"
            self.ledger.log(Level.WARNING, text, job.id)
        elif started.resumed:
            text = f"{job.name} goes on at {run.position:.0f} s"
            self.ledger.log(Level.INFO, text, job.id)
        for warning in started.plan.warnings:
            self.ledger.log(Level.WARNING, f"{job.name}: {warning}", job.id)
        if run.before is None:
            run.before = await asyncio.to_thread(self.meter.read)
            self.ledger.log(Level.INFO, file_started(job.name, run.before), job.id)
        run.begin_work(time.monotonic())
        self.speed.begin(time.monotonic())
        self._emit_progress(run)

    async def window(self, run: Run, result: WindowResult) -> None:
        """A window is done."""
        assert run.plan is not None
        await self.ledger.add_window(run.job, result, run.plan.language)
        clock = time.monotonic()
        run.speed.advance(result.seconds - run.position, clock)
        self.speed.advance(result.seconds - run.position, clock)
        if result.skipped:
            run.skip_window = False
            name = self.ledger.queue[run.job].name
            self.ledger.log(Level.ERROR, f"{name}: {left_out(run.position)}", run.job)
        run.position, run.place = result.seconds, result.state.seek
        self._emit_progress(run)

    def _emit_progress(self, run: Run) -> None:
        total = run.plan.duration if run.plan else 0.0
        eta = job_eta(run.position, total, run.speed.value)
        progress = JobProgress(run.job, run.position, total, run.speed.value, eta)
        self.ledger.emit(progress)

    async def complete(self, job: Job, run: Run) -> Failure | None:
        """Write the outputs, then say that the file is completed.

        Returns the failure when there is no place for them: the file then waits, and so must all.
        """
        run.rest(time.monotonic())
        state = await complete(self.ledger, job, run)
        await self._leave(run)
        no_room = None
        if isinstance(state, Failed):
            self.ledger.log(Level.ERROR, f"{job.name}: {state.failure}", job.id)
            no_room = state.failure if await blocks(state.failure) else None
        await self.ledger.put(replace(job, state=Pending(run.position) if no_room else state))
        if run.before is not None:
            after = await asyncio.to_thread(self.meter.read)
            self.ledger.log(Level.INFO, file_finished(job.name, after, run.before), job.id)
        return no_room

    async def _leave(self, run: Run) -> None:
        if run.scratch is not None:
            await self.ledger.drop_temp(run.scratch)
            run.scratch = None

    async def stopped(self, run: Run) -> None:
        """The file was given up: cancelled by the user, or its engine ended under it."""
        run.rest(time.monotonic())
        await self._leave(run)
        job = self.ledger.queue[run.job]
        if run.cancelled:
            await self.ledger.put(replace(job, state=Cancelled(now(), run.started_at)))
        else:
            await self.ledger.put(replace(job, state=Pending(run.position)))

    async def failed(self, run: Run, failure: Failure, *, died: bool) -> bool:
        """Let the file be tried again as the policy says, or fail; whether it will be tried."""
        if run.cancelled:
            await self.stopped(run)
            return False
        run.rest(time.monotonic())
        await self._leave(run)
        job = self.ledger.queue[run.job]
        run.stalls += failure.kind is FailureKind.STALLED
        decision = decide(
            Trouble(
                failure,
                rung=run.rung,
                rungs=len(run.rungs),
                deaths_here=run.died() if died else 0,
                deaths=sum(run.deaths.values()),
                started=run.place != NOT_STARTED,
                stalls=run.stalls,
            )
        )
        if isinstance(decision, GiveUp):
            state = Failed(now(), decision.failure, run.started_at)
            await self.ledger.put(replace(job, state=state))
            self.ledger.log(Level.ERROR, f"{job.name}: {decision.failure}", job.id)
            return False
        run.rung = decision.rung
        run.skip_window = decision.skip_window
        run.alone = True  # so that no other file can be the reason the next time
        remedy = run.current.remedy or "a fresh engine"
        if decision.skip_window:
            remedy = LEAVE_OUT
        attempt = Attempt(now(), failure, run.position, remedy)
        await self.ledger.put(
            replace(job, state=Pending(run.position), attempts=(*job.attempts, attempt))
        )
        text = f"{job.name}: {failure.title}; trying again with {remedy}"
        self.ledger.log(Level.WARNING, text, job.id)
        return True
