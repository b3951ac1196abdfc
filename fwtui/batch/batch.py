"""The batch at work: an actor that takes commands and engine messages one at a time."""

import asyncio
import contextlib
import itertools
import os
import socket
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from fwtui import __version__
from fwtui.batch.devices import device_indexes
from fwtui.batch.discovery import Incoming, LookedUp, LookedUpAll
from fwtui.batch.disk_wait import Waiting, alert, failure_of
from fwtui.batch.downloads import Downloads
from fwtui.batch.durations import Lengths
from fwtui.batch.estimate import History, Pace
from fwtui.batch.exit_code import exit_code
from fwtui.batch.finish import write_report
from fwtui.batch.hooks import Hooks
from fwtui.batch.link import Listener
from fwtui.batch.memory_guard import Forecaster, MemoryGuard
from fwtui.batch.messages import (
    Cleared,
    EngineGone,
    EngineSaid,
    LengthFound,
    LinkEnded,
    Message,
    Overdue,
    Posted,
    Sampled,
    Settled,
    StillSkipping,
    Unused,
)
from fwtui.batch.pool import EnginePool
from fwtui.batch.queue_commands import Orders
from fwtui.batch.remote.batch_status import BatchResult, keep_result
from fwtui.batch.remote.endpoints import listen
from fwtui.batch.remote.protocol import PROTOCOL, Welcome, Where
from fwtui.batch.remote.server import BatchServer, Recorder
from fwtui.batch.state import BatchState, now
from fwtui.batch.watched_folders import Folders
from fwtui.batch.worker import EngineWorker
from fwtui.config.locations import Locations
from fwtui.core.commands import (
    AddPaths,
    AnyCommand,
    ArrangeJobs,
    ChangeSettings,
    Command,
    MoveJobs,
    Pause,
    Quit,
    RemoveJobs,
    RetryJobs,
    SkipJobs,
    Start,
    Stop,
    UndoRemove,
    UnwatchFolder,
    WatchFolder,
)
from fwtui.core.events import (
    AT_REST,
    BatchFinished,
    BatchProgress,
    BatchSnapshot,
    Level,
    MemoryReading,
    MemorySampled,
    Phase,
    PhaseChanged,
    Recap,
)
from fwtui.core.failure import Failure
from fwtui.core.job import JobId
from fwtui.core.segment import Transcript
from fwtui.core.watched_folder import FolderStatus
from fwtui.engine.client import COMMAND
from fwtui.errors import FwtuiError
from fwtui.memory.describe import batch_line
from fwtui.memory.measure import MemoryMeter
from fwtui.report.report import Prediction
from fwtui.sessions.scratch import LINKS, link_folder
from fwtui.sessions.store import SessionStore
from fwtui.watch.folder import Arrived, News, Noted, Renamed, Told

# What measures is imported for the first reading; the first files of the queue come before that.
FIRST_SAMPLE_SECONDS = 0.1
SAMPLE_SECONDS = 1.0
IDLE_SAMPLE_SECONDS = 3


async def sample(
    meter: MemoryMeter, tell: Callable[[Sampled], None], is_idle: Callable[[], bool]
) -> None:
    """Read once a second until cancelled, and less often when nothing runs that could grow."""
    await asyncio.sleep(FIRST_SAMPLE_SECONDS)
    for second in itertools.count():
        if is_due(second, idle=is_idle()):
            tell(Sampled(await asyncio.to_thread(meter.read)))
        await asyncio.sleep(SAMPLE_SECONDS)


def is_due(second: int, *, idle: bool) -> bool:
    """Whether to read in this second."""
    return not idle or second % IDLE_SAMPLE_SECONDS == 0


class Upkeep:
    """Of one batch runner, into whose inbox `post` puts lengths.

    `history` is the file of what was measured before, None for none.
    """

    def __init__(
        self,
        state: BatchState,
        meter: MemoryMeter,
        guardian: MemoryGuard,
        post: Callable[[LengthFound], None],
        history: Path | None,
    ) -> None:
        self.state = state
        self.guardian = guardian
        self._meter = meter
        self._history = History(history)
        self.pace = Pace(lambda: state.settings, self._history)
        self.lengths = Lengths(state, post)
        self._forecaster = Forecaster(state, meter, self._history)
        state.listen(self.pace.hear)
        state.listen(self.lengths.hear)

    async def begin(self) -> None:
        """A batch starts."""
        self.pace.begin(self.state.queue)
        self.lengths.begin()
        await self._forecaster.look(starting=True)

    async def device_indexes(self) -> tuple[int, ...]:
        """The device number of each slot of a batch that starts now."""
        settings = self.state.settings
        gpus = 0
        if settings.model.device == "auto" and settings.model.device_indexes != (0,):
            gpus = await asyncio.to_thread(self._meter.count_gpus)
        return device_indexes(settings, gpus)

    async def end(self, *, stopped: bool) -> Prediction | None:
        """It is over; what was said of its time."""
        await self.lengths.end()
        self.pace.end(stopped=stopped)
        await asyncio.to_thread(self._history.save)
        return self.pace.prediction

    async def forecast(self, phase: Phase) -> None:
        """Files were added or settings changed; before a batch that is worth another look."""
        if phase in AT_REST:
            await self._forecaster.look(starting=False)

    def progress(self, in_work: float, measured: float) -> BatchProgress:
        """How far the batch is, with `in_work` seconds of audio done in files that are not.

        `measured` is the speed of the moment (0: none).
        """
        tally = self.state.tally
        done = tally.done_seconds + in_work
        return BatchProgress(
            completed=tally.completed,
            failed=tally.failed,
            pending=tally.pending,
            total=tally.total,
            done_seconds=done,
            total_seconds=tally.total_seconds,
            eta=self.pace.eta(tally, done, self.pace.speed(measured)),
        )


class BatchRunner:
    """Works through the queue of one session. Implements `BatchLink`.

    `scratch` is the folder for decoded sound (downloads are beside it), `engine` the command line
    of the child, `history` the file of what was measured in earlier batches.
    """

    def __init__(
        self,
        store: SessionStore,
        scratch: Path,
        engine: tuple[str, ...] = COMMAND,
        history: Path | None = None,
    ) -> None:
        self.state = BatchState(store)
        self.phase = Phase.IDLE
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._meter = MemoryMeter()
        self._memory: MemoryReading | None = None
        guardian = MemoryGuard(self.state)

        def make_slot(number: int, device: int) -> EngineWorker:
            parts = self.state, scratch, self._meter, guardian, self._post, engine
            return EngineWorker(number, device, *parts)

        links = link_folder(scratch.with_name(LINKS), store.directory, store.session_id)
        downloads = Downloads(self.state, links, self._post)
        self._slots = EnginePool(self.state, make_slot, downloads)
        self._orders = Orders(self.state, self._slots, self._inbox.put_nowait)
        self._upkeep = Upkeep(self.state, self._meter, guardian, self._inbox.put_nowait, history)
        self.incoming = Incoming(self._post, self.state.emit)
        self._waiting = Waiting(lambda: self._post(Cleared()))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began: float | None = None
        self._began_at = now()
        self._batches = 0
        self._trouble: Failure | None = None
        self._leaving = False  # asked to quit, but maybe not there yet
        self._quitting = False
        self.notices: list[str] = []  # for the log, as soon as somebody listens

    # --- BatchLink -----------------------------------------------------------------------------

    def send(self, command: AnyCommand) -> None:
        """See `BatchLink`."""
        self._leaving |= isinstance(command, Quit)
        self._inbox.put_nowait(command)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See `BatchLink`."""
        state = self.state
        listener(
            BatchSnapshot(
                session_id=state.store.session_id,
                created_at=state.store.created_at,
                settings=state.settings,
                phase=self.phase,
                jobs=tuple(state.queue),
                engines=self._slots.infos,
                memory=self._memory,
                folders=self.watched,
                adding=self.incoming.state,
            )
        )
        return state.listen(listener)

    @property
    def watched(self) -> tuple[FolderStatus, ...]:
        """The folders that feed the queue."""
        return ()

    @property
    def _wants_readings(self) -> bool:
        """Whether somebody is there for them: none must follow the end of a batch."""
        return not self._leaving

    async def transcript(self, job: JobId) -> Transcript:
        """See `BatchLink`."""
        return await self.state.transcript(job)

    # --- the loop ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until a `Quit` command; then the session is closed, or deleted if all is done.

        When this task is cancelled the engine is killed and the session is kept.
        """
        self._loop = asyncio.get_running_loop()
        sampler = asyncio.create_task(sample(self._meter, self._inbox.put_nowait, self._is_idle))
        for notice in self.notices:
            self.state.log(Level.INFO, notice)
        try:
            while not (self._quitting and self._slots.is_idle):
                await self._take(await self._inbox.get())
        finally:
            self._slots.kill()
            sampler.cancel()
            await self._upkeep.lengths.end()
            await asyncio.gather(sampler, return_exceptions=True)
            await self._slots.join()
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        tally = self.state.tally
        if tally.pending or tally.failed or self.state.store.folders:
            self.state.store.close()
        else:
            self.state.store.delete()

    def _post(self, message: Posted) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._inbox.put_nowait, message)

    def _is_idle(self) -> bool:
        return self.phase is Phase.IDLE and self._slots.is_idle and not self.watched

    async def _take(self, message: Message) -> None:
        """Handle one message; trouble with the session's own disk halts the batch, not fwtui."""
        try:
            await self._handle(message)
            await self._go_on()
        except FwtuiError as error:
            await self._halt(failure_of(error))

    async def _handle(self, message: Message) -> None:
        match message:
            case EngineSaid() | EngineGone() | LinkEnded():
                await self._slots.handle(message)
            case Sampled(reading=reading) if self._wants_readings:
                self._measured(reading)
                self._emit_progress()
            case Overdue(job=job):
                self._orders.overdue(job)
            case StillSkipping():
                self._emit_progress()
            case LengthFound():
                await self._upkeep.lengths.take(message)
            case Unused(after=number):
                if self.phase in AT_REST and number == self._batches:
                    self.state.log(Level.INFO, "No batch for a while: the model is let go")
                    self._slots.shut_down()
            case Cleared():
                if self._waiting.failure is not None:
                    self.state.log(Level.INFO, "What the batch waited for is over: it goes on")
                    await self._start()
            case LookedUp():
                await self._orders.add(self.incoming.taken(message))
                self._emit_progress()
            case LookedUpAll():
                self.incoming.done()
                await self._orders.all_added(message)
                await self._upkeep.forecast(self.phase)
            case Command() if not self.incoming.must_wait(message):
                await self._obey(message)

    def _measured(self, reading: MemoryReading) -> None:
        self._memory = self._upkeep.guardian.look(reading, self._slots)
        self.state.emit(MemorySampled(self._memory))

    async def _obey(self, command: AnyCommand) -> None:
        match command:
            case AddPaths(paths=paths, roots=roots):
                self.incoming.look_up(paths, roots)
            case RemoveJobs(ids=ids):
                await self._orders.remove(ids)
            case UndoRemove():
                await self._orders.undo_remove()
                self._emit_progress()
            case ArrangeJobs(order=order):
                await self.state.arrange(order)
            case MoveJobs(ids=ids, offset=offset):
                await self.state.move(ids, offset)
            case SkipJobs(ids=ids):
                await self._orders.skip(ids)
            case RetryJobs():
                await self._orders.retry(command)
            case ChangeSettings(settings=settings):
                await self.state.change_settings(settings)
                await self.state.mind_others()
                self._slots.forget_rungs()
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
                if self.incoming.is_looking:
                    await self._orders.give_up_adding()

    async def _go_on(self) -> None:
        """After every message: feed the engine, notice a rest, a halt or the end."""
        while (command := self.incoming.next()) is not None:
            await self._obey(command)
        await self._orders.remove_cancelled()
        if (halted := self._slots.halted) is not None:
            self._slots.kill()
            if not self._slots.is_idle:
                return
            if self.phase is not Phase.RUNNING or not await self._slots.fall_back_to_cpu(halted):
                self._trouble = halted
                self._slots.clear_halts()
                await self._wait_or_finish()
        elif self.phase is Phase.STOPPING and self._slots.is_idle:
            await self._wait_or_finish()
        elif self.phase is Phase.PAUSING and self._slots.is_held:
            self._set_phase(Phase.PAUSED)
        elif self.phase is Phase.RUNNING:
            if await self._slots.feed():
                self._inbox.put_nowait(StillSkipping())
            more = self.incoming.is_busy or self.state.queue.next_pending() is not None
            if not self._slots.positions and not more:
                keep = self.state.settings.memory.keep_model_minutes > 0
                if not keep:
                    self._slots.shut_down()
                if keep or self._slots.is_idle:
                    await self._finish(stopped=False)

    # --- commands ------------------------------------------------------------------------------

    async def _start(self) -> None:
        if self.phase in {Phase.PAUSED, Phase.PAUSING}:
            if self._waiting.failure is not None:
                self._waiting.end()
                await self._orders.take_back_strays()
            self._slots.hold(False)
            self._set_phase(Phase.RUNNING)
        elif self.phase in AT_REST:
            if not self.state.tally.pending:
                self.state.log(Level.WARNING, "Nothing to do: add files, or retry failed ones")
                self._emit_finished(stopped=False, seconds=0.0, report=None, failure=None)
                return
            await self._orders.take_back_strays()
            await self.state.mind_others()
            self._slots.set_devices(await self._upkeep.device_indexes())
            self._began, self._began_at = time.monotonic(), now()
            self._batches += 1
            await self._upkeep.begin()
            reading = await asyncio.to_thread(self._meter.read)
            self._measured(reading)  # without an engine, whose share is told by that
            self.state.log(Level.INFO, batch_line("Batch start", reading))
            self._set_phase(Phase.RUNNING)

    def _pause(self) -> None:
        if self.phase is Phase.RUNNING:
            self._slots.hold(True)
            self._set_phase(Phase.PAUSING)

    def _stop(self) -> None:
        self._waiting.end()
        self._slots.kill()  # in a rest too: the model may have been kept
        if self.phase is not Phase.IDLE:
            self._set_phase(Phase.STOPPING)

    # --- ends ----------------------------------------------------------------------------------

    async def _halt(self, failure: Failure) -> None:
        """The session cannot be written: say so, rest, and keep all that is durable."""
        self._slots.kill()
        if self.phase is Phase.IDLE:
            self.state.log(Level.ERROR, str(failure))
        else:
            self._trouble = failure
            self._set_phase(Phase.STOPPING)

    async def _wait_or_finish(self) -> None:
        """The engine has ended because nothing can be done now, or because the user said so."""
        failure = self._trouble
        wait = self.state.settings.batch.on_disk_full == "wait" and not self._quitting
        if failure is None or not failure.place or not wait:
            await self._finish(stopped=True)
            return
        self._trouble = None
        told = await asyncio.to_thread(alert, failure)
        self._waiting.begin(failure)
        self.state.log(Level.ERROR, str(told))
        self._set_phase(Phase.PAUSED, told)

    async def _finish(self, *, stopped: bool) -> None:
        """The queue is worked through, was stopped, or cannot be worked on."""
        failure, self._trouble = self._trouble, None
        self._slots.clear_halts()
        self._slots.forget_attempts()
        if failure is not None:
            self.state.log(Level.ERROR, str(failure))
        reading = await asyncio.to_thread(self._meter.read)
        self.state.log(Level.INFO, batch_line("Batch end", reading))
        seconds = time.monotonic() - self._began if self._began is not None else 0.0
        self._began = None
        prediction = await self._upkeep.end(stopped=stopped)
        report = None
        if self.state.settings.output.add_report and not stopped:
            report = await write_report(self.state, self._began_at, reading.peak_rss, prediction)
        self._set_phase(self._rest(stopped=stopped))
        self._emit_finished(stopped=stopped, seconds=seconds, report=report, failure=failure)
        if not self._slots.is_idle:
            assert self._loop is not None
            wait = 60 * self.state.settings.memory.keep_model_minutes
            self._loop.call_later(wait, self._inbox.put_nowait, Unused(self._batches))

    def _rest(self, *, stopped: bool) -> Phase:  # noqa: ARG002 - of those who know of folders
        """What the batch does when it has nothing more to do."""
        return Phase.IDLE

    def _emit_finished(
        self, *, stopped: bool, seconds: float, report: str | None, failure: Failure | None
    ) -> None:
        tally = self.state.tally
        self._emit_progress()
        self.state.emit(
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

    def _set_phase(self, phase: Phase, failure: Failure | None = None) -> None:
        if phase is not self.phase:
            self.phase = phase
            self.state.emit(PhaseChanged(phase, failure))

    def _emit_progress(self) -> None:
        in_work = sum(self._slots.positions.values())
        self.state.emit(self._upkeep.progress(in_work, self._slots.speed))


AGAIN_SECONDS = 5.0


class WatchingBatch(BatchRunner):
    """A runner with folders. What comes is worked on at once if the batch was started."""

    def __init__(
        self, store: SessionStore, locations: Locations, engine: tuple[str, ...] = COMMAND
    ) -> None:
        super().__init__(store, locations.scratch, engine, locations.history)
        self._folders = Folders(self.state, locations, self._news, self._inbox.put_nowait)
        self._paused_at_rest = False
        for folder in store.folders:  # before anything that the user asks for
            self.send(WatchFolder(folder))

    @property
    def watched(self) -> tuple[FolderStatus, ...]:
        """See `BatchRunner`."""
        return self._folders.statuses

    async def run(self) -> None:
        """See `BatchRunner`."""
        try:
            await super().run()
        finally:
            await self._folders.finish()

    def _news(self, news: News) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: a share hung at the end
            self._post(news)

    def _close(self) -> None:
        self._folders.close()
        super()._close()

    async def _handle(self, message: Message) -> None:
        match message:
            case Arrived():
                await self._arrived(message)
            case Renamed() | Told() | Noted() | Settled():
                await self._folders.hear(message)
            case _:
                await super()._handle(message)
                if isinstance(message, Sampled):
                    self._folders.tell()  # once a second, however much happens in them

    async def _arrived(self, news: Arrived) -> None:
        try:
            await self._folders.hear(news)
        except BaseException:
            # They are written down as taken: they must come into the queue, now or later.
            assert self._loop is not None
            self._loop.call_later(AGAIN_SECONDS, self._inbox.put_nowait, news)
            raise
        self._emit_progress()
        await self._upkeep.forecast(self.phase)

    async def _obey(self, command: AnyCommand) -> None:
        match command:
            case WatchFolder(folder=folder):
                await self._folders.watch(folder)
            case UnwatchFolder(path=path):
                await self._folders.unwatch(path)
            case _:
                await super()._obey(command)

    async def _go_on(self) -> None:
        await self._folders.follow_up()
        if self.phase is Phase.WATCHING:
            if self.state.tally.pending and not self._quitting:
                await self._start()
            elif not self._folders:
                self._set_phase(Phase.IDLE)  # the last folder was let go
                self._emit_finished(stopped=False, seconds=0.0, report=None, failure=None)
        await super()._go_on()

    async def _start(self) -> None:
        if self._paused_at_rest:
            self._paused_at_rest = False
            self.phase = Phase.IDLE  # there is nothing that rests
        nothing = not self.state.tally.pending and not self.incoming.is_busy
        if self.phase in AT_REST and self._folders and nothing:
            self._set_phase(Phase.WATCHING)
            return
        await super()._start()

    def _pause(self) -> None:
        if self.phase is Phase.WATCHING:
            self._paused_at_rest = True
            self._set_phase(Phase.PAUSED)
        else:
            super()._pause()

    def _stop(self) -> None:
        self._paused_at_rest = False
        super()._stop()

    def _rest(self, *, stopped: bool) -> Phase:
        if stopped or self._quitting or not self._folders:
            return Phase.IDLE
        where = "; ".join(str(one.folder.path) for one in self.watched)
        self.state.log(Level.DEBUG, f"Waiting for files in {where}")
        return Phase.WATCHING


# How long somebody who leaves the screen waits for commands that run after a file or the batch.
LEAVE_SECONDS = 5.0


class SharedBatch(WatchingBatch):
    """A runner with a socket. In the background it ends itself when there is nothing more to do."""

    def __init__(
        self,
        store: SessionStore,
        locations: Locations,
        where: Where = "run",
        engine: tuple[str, ...] = COMMAND,
    ) -> None:
        super().__init__(store, locations, engine)
        self._where: Where = where
        self._locations = locations
        self._since = datetime.now().replace(microsecond=0)
        self._recorder = Recorder()
        self.subscribe(self._recorder.hear)
        log = os.fspath(locations.session_log(self.session_id))
        self._hooks = Hooks(self.state, self.session_id, log)
        self.state.listen(self._hooks.hear)
        self._server = BatchServer(self)

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self.state.store.session_id

    async def run(self) -> None:
        """See `WatchingBatch`. At its end it writes what became of the batch."""
        await self._open()
        try:
            await super().run()
            await self._hooks.finish(LEAVE_SECONDS if self._where == "screen" else None)
        finally:
            await self._server.close()

    @property
    def is_background(self) -> bool:
        """Whether no terminal belongs to it."""
        return self._where == "background"

    def go_to_background(self) -> None:
        """Nobody sits in front of it: work the queue off, then end.

        As long as somebody is attached it stays, for what they may want to do next.
        """
        self._where = "background"

    def end(self) -> None:
        """Stop at once; without a screen, the process comes to its end by that."""
        self.send(Quit() if self.is_background else Stop())

    @property
    def welcome(self) -> Welcome:
        """What is said to whoever attaches."""
        return Welcome(
            protocol=PROTOCOL,
            version=__version__,
            session_id=self.session_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            since=self._since,
            where=self._where,
            log=os.fspath(self._locations.session_log(self.session_id)),
        )

    @property
    def recap(self) -> Recap:
        """The past, as far as it is kept."""
        return self._recorder.recap

    async def _open(self) -> None:
        """Nobody needs the socket for the work itself: without it the batch goes on."""
        try:
            listening = await asyncio.to_thread(
                listen, self._locations.live, self.session_id, self._since
            )
        except FwtuiError as error:
            self.state.log(Level.WARNING, f"Nobody can attach to this batch: {error.title}")
            return
        await self._server.open(listening)

    async def _go_on(self) -> None:
        await super()._go_on()
        if self.is_background and self._is_at_rest and not self._server.clients:
            self.send(Quit())

    def _is_idle(self) -> bool:
        return super()._is_idle() and not self.is_background  # it notices by a reading that it ends

    @property
    def _wants_readings(self) -> bool:
        alone = self.is_background and not self._server.clients
        return super()._wants_readings and not (alone and self.phase is Phase.IDLE)

    @property
    def _is_at_rest(self) -> bool:
        """Nothing is done, looked up, or asked for. (Messages come once a second at least.)"""
        busy = self.incoming.is_busy or not self._inbox.empty()
        return self.phase is Phase.IDLE and not busy and not self._quitting

    def _close(self) -> None:
        self._keep_result()  # as long as it holds its session it counts as running
        super()._close()

    def _keep_result(self) -> None:
        jobs = tuple(self.state.queue)
        if not jobs:
            return
        tally, finished = self.state.tally, self._recorder.finished
        failure = finished.failure if finished else None
        result = BatchResult(
            session_id=self.session_id,
            ended_at=now(),
            exit_code=exit_code(jobs, failure),
            completed=tally.completed,
            failed=tally.failed,
            unfinished=tally.pending,
            total=tally.total,
            output_dir=self.state.settings.output.output_dir,
            log=os.fspath(self._locations.session_log(self.session_id)),
            report=(finished.report if finished else None) or "",
            failure=failure,
        )
        try:
            keep_result(result, self._locations.last_batch)
        except FwtuiError as error:
            text = f"What became of the batch is not kept: {error.title}"
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self.state.log, Level.WARNING, text)
