"""The batch at work: an actor that takes commands and engine messages one at a time."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from fwtui.batch.guardian import Guardian
from fwtui.batch.incoming import Incoming, LookedUp
from fwtui.batch.ledger import Ledger, now
from fwtui.batch.link import Listener
from fwtui.batch.outcome import write_report
from fwtui.batch.removals import Removals
from fwtui.batch.said import (
    EngineGone,
    EngineSaid,
    LengthFound,
    Overdue,
    Sampled,
    SlotMessage,
    Unused,
)
from fwtui.batch.slot import EngineSlot
from fwtui.batch.upkeep import Upkeep
from fwtui.core.commands import (
    AddPaths,
    AnyCommand,
    ArrangeJobs,
    ChangeSettings,
    MoveJobs,
    Pause,
    Quit,
    RemoveJobs,
    RetryJobs,
    SkipJobs,
    Start,
    Stop,
    UndoRemove,
)
from fwtui.core.events import (
    BatchFinished,
    BatchProgress,
    BatchSnapshot,
    Level,
    MemoryReading,
    MemorySampled,
    Phase,
    PhaseChanged,
)
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Completed, JobId, Pending, Processing, Skipped
from fwtui.core.segment import Transcript
from fwtui.engine.client import COMMAND
from fwtui.errors import DiskFullError, FwtuiError
from fwtui.memory.describe import batch_line
from fwtui.memory.measure import MemoryMeter
from fwtui.storage.store import SessionStore

SAMPLE_SECONDS = 1.0


Message = AnyCommand | EngineSaid | EngineGone | LookedUp | LengthFound | Overdue | Unused | Sampled


class BatchRunner:
    """Works through the queue of one session. Implements `BatchLink`.

    `scratch` is the folder for decoded sound, `engine` the command line of the child, `history`
    the file of what was measured in earlier batches.
    """

    def __init__(
        self,
        store: SessionStore,
        scratch: Path,
        engine: tuple[str, ...] = COMMAND,
        history: Path | None = None,
    ) -> None:
        self.ledger = Ledger(store)
        self.phase = Phase.IDLE
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._meter = MemoryMeter()
        self._memory: MemoryReading | None = None
        guardian = Guardian(self.ledger)
        self._slot = EngineSlot(0, self.ledger, scratch, self._meter, guardian, self._post, engine)
        self._upkeep = Upkeep(self.ledger, self._meter, guardian, self._inbox.put_nowait, history)
        self._incoming = Incoming(self._post)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began: float | None = None
        self._began_at = now()
        self._batches = 0
        self._removals = Removals(self.ledger)
        self._trouble: Failure | None = None
        self._quitting = False

    # --- BatchLink -----------------------------------------------------------------------------

    def send(self, command: AnyCommand) -> None:
        """See `BatchLink`."""
        self._inbox.put_nowait(command)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See `BatchLink`."""
        ledger = self.ledger
        listener(
            BatchSnapshot(
                session_id=ledger.store.session_id,
                created_at=ledger.store.created_at,
                settings=ledger.settings,
                phase=self.phase,
                jobs=tuple(ledger.queue),
                engine=self._slot.info,
                memory=self._memory,
            )
        )
        return ledger.listen(listener)

    async def transcript(self, job: JobId) -> Transcript:
        """See `BatchLink`."""
        return await self.ledger.transcript(job)

    # --- the loop ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until a `Quit` command; then the session is closed, or deleted if all is done.

        When this task is cancelled the engine is killed and the session is kept.
        """
        self._loop = asyncio.get_running_loop()
        sampler = asyncio.create_task(self._sample())
        try:
            while not (self._quitting and self._slot.is_idle):
                await self._take(await self._inbox.get())
        finally:
            self._slot.kill_engine()
            sampler.cancel()
            await self._upkeep.lengths.end()
            await asyncio.gather(sampler, return_exceptions=True)
            await self._slot.join()
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        tally = self.ledger.tally
        if tally.pending or tally.failed:
            self.ledger.store.close()
        else:
            self.ledger.store.delete()

    def _post(self, message: SlotMessage | LookedUp) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._inbox.put_nowait, message)

    async def _sample(self) -> None:
        while True:
            self._inbox.put_nowait(Sampled(await asyncio.to_thread(self._meter.read)))
            await asyncio.sleep(SAMPLE_SECONDS)

    async def _take(self, message: Message) -> None:
        """Handle one message; trouble with the session's own disk halts the batch, not fwtui."""
        try:
            await self._handle(message)
            await self._go_on()
        except FwtuiError as error:
            full = isinstance(error, DiskFullError)
            kind = FailureKind.DISK_FULL if full else FailureKind.INTERNAL
            await self._halt(Failure(kind, error.title, error.hint))

    async def _handle(self, message: Message) -> None:
        match message:
            case EngineSaid() | EngineGone():
                await self._slot.handle(message)
            case Sampled(reading=reading):
                self._memory = self._upkeep.guardian.look(reading, [self._slot])
                self.ledger.emit(MemorySampled(self._memory))
                self._emit_progress()
            case Overdue(job=job):
                if self._slot.is_overdue(job):
                    self.ledger.log(Level.WARNING, "The engine did not stop in time: killed", job)
                    self._slot.kill_engine()
            case LengthFound():
                await self._upkeep.lengths.take(message)
            case Unused(after=number):
                if self.phase is Phase.IDLE and number == self._batches:
                    self.ledger.log(Level.INFO, "No batch for a while: the model is let go")
                    self._slot.end_engine()
            case LookedUp():
                self._incoming.done()
                await self._add(message)
                await self._upkeep.forecast(self.phase)
            case _:
                if not self._incoming.must_wait(message):
                    await self._obey(message)

    async def _obey(self, command: AnyCommand) -> None:
        match command:
            case AddPaths(paths=paths):
                self._incoming.look_up(paths)
            case RemoveJobs(ids=ids):
                await self._remove(ids)
            case UndoRemove():
                await self._removals.undo()
                self._emit_progress()
            case ArrangeJobs(order=order):
                await self.ledger.arrange(order)
            case MoveJobs(ids=ids, offset=offset):
                await self.ledger.move(ids, offset)
            case SkipJobs(ids=ids):
                await self._skip(ids)
            case RetryJobs(ids=ids, restart=restart):
                await self._retry(ids, restart=restart)
            case ChangeSettings(settings=settings):
                await self.ledger.change_settings(settings)
                self._slot.forget_rungs()
                await self._upkeep.forecast(self.phase)
            case Start():
                await self._start()
            case Pause():
                self._pause()
            case Stop():
                self._stop()
            case Quit():
                self._quitting = True
                self._stop()

    async def _go_on(self) -> None:
        """After every message: feed the engine, notice a rest, a halt or the end."""
        while (command := self._incoming.next()) is not None:
            await self._obey(command)
        await self._remove_cancelled()
        if self._slot.halted is not None and self._slot.is_idle:
            self._trouble, self._slot.halted = self._slot.halted, None
            await self._finish(stopped=True)
        elif self.phase is Phase.STOPPING and self._slot.is_idle:
            await self._finish(stopped=True)
        elif self.phase is Phase.PAUSING and (self._slot.resting or not self._slot.positions):
            self._set_phase(Phase.PAUSED)
        elif self.phase is Phase.RUNNING:
            await self._slot.feed()
            more = self._incoming.is_busy or self.ledger.queue.next_pending() is not None
            if not self._slot.positions and not more:
                keep = self.ledger.settings.memory.keep_model_minutes > 0
                if not keep:
                    self._slot.end_engine()
                if keep or self._slot.is_idle:
                    await self._finish(stopped=False)

    # --- commands ------------------------------------------------------------------------------

    async def _add(self, answer: LookedUp) -> None:
        found = answer.found
        for problem in found.problems:
            self.ledger.log(Level.ERROR, str(problem.failure))
        added = await self.ledger.add(found.files, found.problems)
        known = len(found.files) + len(found.problems) - added
        if known:
            self.ledger.log(Level.INFO, f"{known} files are in the queue already")
        if not added and not known:
            self.ledger.log(Level.WARNING, f"No media files found in {', '.join(answer.paths)}")
        self._emit_progress()

    async def _remove(self, ids: tuple[JobId, ...]) -> None:
        running = [job for job in ids if self._slot.has(job)]
        self._cancel(running)
        await self._removals.remove(ids, running)

    async def _remove_cancelled(self) -> None:
        """Jobs that were running when they were removed, and have left the engine."""
        left = [job for job in self._removals.stopping if not self._slot.has(job)]
        if left:
            await self._removals.left(left)

    async def _skip(self, ids: tuple[JobId, ...]) -> None:
        self._cancel([job for job in ids if self._slot.has(job)])
        for job in ids:
            if job in self.ledger.queue and isinstance(self.ledger.queue[job].state, Pending):
                state = Skipped(now(), "skipped by you")
                await self.ledger.put(replace(self.ledger.queue[job], state=state))

    def _cancel(self, jobs: list[JobId]) -> None:
        assert self._loop is not None
        for job in jobs:
            self._slot.cancel(job)
            wait = self.ledger.settings.batch.cancel_seconds
            self._loop.call_later(wait, self._inbox.put_nowait, Overdue(job))

    async def _retry(self, ids: tuple[JobId, ...], *, restart: bool) -> None:
        for number in ids:
            if number not in self.ledger.queue or not self.ledger.queue[number].is_finished:
                continue
            job = self.ledger.queue[number]
            if restart or isinstance(job.state, Completed):
                await self.ledger.forget_progress(number)
            point = await asyncio.to_thread(self.ledger.store.resume_point, number)
            done = point.seconds if point else 0.0
            await self.ledger.put(replace(job, state=Pending(done)))

    async def _start(self) -> None:
        if self.phase in {Phase.PAUSED, Phase.PAUSING}:
            self._slot.hold(False)
            self._set_phase(Phase.RUNNING)
        elif self.phase is Phase.IDLE:
            if not self.ledger.tally.pending:
                self.ledger.log(Level.WARNING, "Nothing to do: add files, or retry failed ones")
                self._emit_finished(stopped=False, seconds=0.0, report=None, failure=None)
                return
            await self._take_back_strays()
            self._began, self._began_at = time.monotonic(), now()
            self._batches += 1
            await self._upkeep.begin()
            reading = await asyncio.to_thread(self._meter.read)
            self.ledger.log(Level.INFO, batch_line("Batch start", reading))
            self._set_phase(Phase.RUNNING)

    async def _take_back_strays(self) -> None:
        """Jobs that trouble with the disk left between the engine and the queue."""
        for job in tuple(self.ledger.queue):
            if isinstance(job.state, Processing) and not self._slot.has(job.id):
                await self.ledger.put(replace(job, state=Pending()))

    def _pause(self) -> None:
        if self.phase is Phase.RUNNING:
            self._slot.hold(True)
            self._set_phase(Phase.PAUSING)

    def _stop(self) -> None:
        self._slot.kill_engine()  # in a rest too: the model may have been kept
        if self.phase is not Phase.IDLE:
            self._set_phase(Phase.STOPPING)

    # --- ends ----------------------------------------------------------------------------------

    async def _halt(self, failure: Failure) -> None:
        """The session cannot be written: say so, rest, and keep all that is durable."""
        self._slot.kill_engine()
        if self.phase is Phase.IDLE:
            self.ledger.log(Level.ERROR, str(failure))
        else:
            self._trouble = failure
            self._set_phase(Phase.STOPPING)

    async def _finish(self, *, stopped: bool) -> None:
        """The queue is worked through, was stopped, or cannot be worked on."""
        failure, self._trouble = self._trouble, None
        self._slot.forget_attempts()
        if failure is not None:
            self.ledger.log(Level.ERROR, str(failure))
        reading = await asyncio.to_thread(self._meter.read)
        self.ledger.log(Level.INFO, batch_line("Batch end", reading))
        seconds = time.monotonic() - self._began if self._began is not None else 0.0
        prediction = await self._upkeep.end(stopped=stopped)
        report = None
        if self.ledger.settings.output.add_report and not stopped:
            report = await write_report(self.ledger, self._began_at, reading.peak_rss, prediction)
        self._set_phase(Phase.IDLE)
        self._emit_finished(stopped=stopped, seconds=seconds, report=report, failure=failure)
        if not self._slot.is_idle:
            assert self._loop is not None
            wait = 60 * self.ledger.settings.memory.keep_model_minutes
            self._loop.call_later(wait, self._inbox.put_nowait, Unused(self._batches))

    def _emit_finished(
        self, *, stopped: bool, seconds: float, report: str | None, failure: Failure | None
    ) -> None:
        tally = self.ledger.tally
        self._emit_progress()
        self.ledger.emit(
            BatchFinished(
                completed=tally.completed,
                failed=tally.failed,
                cancelled=tally.other,
                stopped=stopped,
                seconds=seconds,
                report=report,
                failure=failure,
            )
        )

    def _set_phase(self, phase: Phase) -> None:
        if phase is not self.phase:
            self.phase = phase
            self.ledger.emit(PhaseChanged(phase))

    def _emit_progress(self) -> None:
        tally = self.ledger.tally
        done = tally.done_seconds + sum(self._slot.positions.values())
        self.ledger.emit(
            BatchProgress(
                completed=tally.completed,
                failed=tally.failed,
                pending=tally.pending,
                total=tally.total,
                done_seconds=done,
                total_seconds=tally.total_seconds,
                eta=self._upkeep.eta(done, self._slot.speed),
            )
        )
