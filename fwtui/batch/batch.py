"""The batch: an actor that handles commands and messages of its engines one at a time."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable
from datetime import datetime

from fwtui import __version__
from fwtui.batch.conflicts import avoid_names_of_other_sessions
from fwtui.batch.devices import device_indexes
from fwtui.batch.discovery import (
    Discovery,
    DiscoveryFinished,
    FilesFound,
    Finder,
    find_in_portions,
)
from fwtui.batch.disk_wait import DiskWait, failure_of, with_wait_hint
from fwtui.batch.durations import Durations
from fwtui.batch.estimate import BatchEstimate, Performance, PerformanceHistory
from fwtui.batch.finish import result_of, write_report
from fwtui.batch.history_recorder import HistoryRecorder
from fwtui.batch.hooks import Hooks
from fwtui.batch.link import Listener
from fwtui.batch.link_downloads import LinkDownloads
from fwtui.batch.memory_guard import Forecaster, MemoryGuard
from fwtui.batch.memory_sampling import sample_memory
from fwtui.batch.messages import (
    AfterActionDone,
    CancelOverdue,
    DiskAvailable,
    DownloadEnded,
    DurationsFound,
    EngineExited,
    EngineReplied,
    MemoryMeasured,
    Message,
    ModelIdle,
    PostedMessage,
    SkipLimitReached,
)
from fwtui.batch.phases import Cause, next_phase
from fwtui.batch.pool import EnginePool
from fwtui.batch.queue import moved
from fwtui.batch.queue_commands import QueueCommands
from fwtui.batch.remote.batch_status import save_result
from fwtui.batch.remote.endpoints import listen
from fwtui.batch.remote.protocol import PROTOCOL, Welcome, Where
from fwtui.batch.remote.server import BatchServer, RecapRecorder
from fwtui.batch.session_file import SessionFile, close_session
from fwtui.batch.speaker_names import name_speaker
from fwtui.batch.start_checks import REFUSED, check_start
from fwtui.batch.state import BatchState, now
from fwtui.batch.watched_folders import WatchedFolders
from fwtui.batch.worker import EngineWorker
from fwtui.config.locations import Locations
from fwtui.config.validate import validated
from fwtui.core.commands import (
    AddPaths,
    AnyCommand,
    ArrangeJobs,
    ChangeSettings,
    Command,
    MoveJobs,
    NameSpeaker,
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
    BatchSnapshot,
    DurableChange,
    JobChanged,
    JobsAdded,
    JobsRemoved,
    Level,
    MemoryReading,
    MemorySampled,
    Phase,
    PhaseChanged,
    Recap,
)
from fwtui.core.failure import Failure
from fwtui.core.job import JobId
from fwtui.core.paths import absolute_text
from fwtui.core.segment import Transcript
from fwtui.core.settings import Settings
from fwtui.core.view import running_seconds
from fwtui.engine.classify import classify_exception
from fwtui.engine.client import COMMAND
from fwtui.engine.keep_awake import KeepAwake
from fwtui.errors import FwtuiError, StorageError
from fwtui.memory.describe import batch_line
from fwtui.memory.measure import MemoryMeter
from fwtui.models.speaker_models import check_speakers
from fwtui.sessions.scratch import LINKS, link_folder
from fwtui.sessions.store import SessionStore
from fwtui.watch.folder import FileRenamed, FilesArrived, FolderLogLine, FolderStatusChanged

WORD_TIMES = "Telling speakers apart needs the time of every word: word_timestamps is on"
ADD_AGAIN_SECONDS = 5.0
# How long quitting the screen waits for commands that run after a file or the batch.
HOOK_PATIENCE_SECONDS = 5.0


class Batch:
    """Works through the queue of one session until a `Quit` command. Implements `BatchLink`.

    Created and used in one event loop. `where` tells clients what it runs in; `engine` is the
    command line of the engine process; `find` searches paths.
    """

    def __init__(
        self,
        store: SessionStore,
        locations: Locations,
        where: Where = "run",
        engine: tuple[str, ...] = COMMAND,
        find: Finder = find_in_portions,
    ) -> None:
        self.phase = Phase.IDLE
        self.notices: list[str] = []  # for the log, once there are listeners
        self._locations = locations
        self._where: Where = where
        self._since = datetime.now().replace(microsecond=0)
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._started: float | None = None
        self._started_at = now()
        self._batches = 0  # started so far
        self._failure: Failure | None = None  # why the batch cannot continue
        self._not_added: Failure | None = None  # why files are not in the queue
        self._paused_while_watching = False
        self._warned: set[str] = set()
        self._quit_sent = False
        self._quitting = False
        self._memory: MemoryReading | None = None
        self._searched: tuple[str, ...] = ()  # by the present or last search

        self.state = BatchState(store)
        post, post_here = self._post, self._inbox.put_nowait
        self._meter = MemoryMeter()
        self._guard = MemoryGuard(self.state)
        self._session_file = SessionFile(self.state)
        links = link_folder(locations.scratch.with_name(LINKS), store.directory, store.session_id)
        self._pool = EnginePool(
            self.state, self._worker_maker(engine), LinkDownloads(self.state, links, post)
        )
        self._commands = QueueCommands(self.state, self._pool, post_here)
        self.discovery = Discovery(post, self.state.emit, find)
        self._history = PerformanceHistory(locations.history)
        self._estimate = BatchEstimate(lambda: self.state.settings, self._history)
        self._durations = Durations(self.state, post_here, lambda: self._is_watched)
        self._forecaster = Forecaster(self.state, self._meter, self._history)
        self._keep_awake = KeepAwake(self._not_kept_awake)
        self._disk_wait = DiskWait(lambda: post(DiskAvailable()))
        self._folders = WatchedFolders(self.state, locations, post, post_here)
        self.state.on_commit = self._on_change

        self._recorder = RecapRecorder()
        self.subscribe(self._recorder.record)
        self._log_path = os.fspath(locations.session_log(self.session_id))
        self._hooks = Hooks(self.state, self.session_id, self._log_path)
        self.state.listen(self._hooks.handle)
        self._history_recorder = HistoryRecorder(self.state)
        self._server = BatchServer(self)
        for folder in store.folders:  # before any command of the user
            self.send(WatchFolder(folder))

    def _worker_maker(self, engine: tuple[str, ...]) -> Callable[[int, int], EngineWorker]:
        parts = self.state, self._locations.scratch, self._meter, self._guard, self._post

        def learn(settings: Settings, measured: Performance) -> None:
            self._history.add(settings, measured)

        def make_worker(slot: int, device: int) -> EngineWorker:
            return EngineWorker(slot, device, *parts, engine, learn)

        return make_worker

    # --- BatchLink -----------------------------------------------------------------------------

    def send(self, command: AnyCommand) -> None:
        self._quit_sent |= isinstance(command, Quit)
        self._inbox.put_nowait(command)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        state = self.state
        listener(
            BatchSnapshot(
                session_id=self.session_id,
                created_at=state.store.created_at,
                settings=state.settings,
                phase=self.phase,
                jobs=tuple(state.queue),
                engines=self._pool.infos,
                memory=self._memory,
                folders=self._folders.statuses,
                adding=self.discovery.state,
            )
        )
        return state.listen(listener)

    async def transcript(self, job: JobId) -> Transcript:
        return await self.state.transcript(job)

    def keep_search(self) -> None:
        """Let a resume search again what is being searched now, if this batch ends before that.

        For ends that nobody asked for; after a `Quit` command alone, unfinished searches are given
        up.
        """
        if not self.discovery.is_searching:
            return
        texts = map(absolute_text, (*self._searched, *self.discovery.waiting_paths))
        with contextlib.suppress(StorageError):
            self.state.store.remember_asked(tuple(texts))

    # --- what its owner and the socket use ------------------------------------------------------

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self.state.store.session_id

    @property
    def is_background(self) -> bool:
        """Whether no terminal belongs to it."""
        return self._where == "background"

    def go_to_background(self) -> None:
        """Work through the queue without a terminal, then end.

        It does not end while a client is attached.
        """
        self._where = "background"

    def end(self) -> None:
        """Stop at once. Without a screen this also ends the process."""
        self.send(Quit() if self.is_background else Stop())

    @property
    def welcome(self) -> Welcome:
        """What a client gets first."""
        return Welcome(
            protocol=PROTOCOL,
            version=__version__,
            session_id=self.session_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            since=self._since,
            where=self._where,
            log=self._log_path,
        )

    @property
    def recap(self) -> Recap:
        """The past, as far as it is kept."""
        return self._recorder.recap

    # --- life ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until a `Quit` command; then the session is closed, or deleted if all is done.

        When this task is cancelled the engine is killed and the session is kept.
        """
        await self._open_socket()
        try:
            try:
                await self._handle_messages()
            finally:
                await self._folders.finish()
            await self._hooks.finish(HOOK_PATIENCE_SECONDS if self._where == "screen" else None)
        finally:
            await self._server.close()

    async def _open_socket(self) -> None:
        """Let clients attach. A batch without a socket works as well."""
        try:
            listening = await asyncio.to_thread(
                listen, self._locations.live, self.session_id, self._since
            )
        except FwtuiError as error:
            text = f"Other terminals cannot attach to this batch: {error.title}"
            self.state.log(Level.WARNING, text)
            return
        await self._server.open(listening)

    async def _handle_messages(self) -> None:
        is_idle, post = self._is_idle, self._inbox.put_nowait
        sampler = asyncio.create_task(sample_memory(self._meter, post, is_idle))
        for notice in self.notices:
            self.state.log(Level.INFO, notice)
        self._durations.rest()
        try:
            while not (self._quitting and self._pool.is_idle):
                message = await self._inbox.get()
                try:
                    await self._handle(message)
                    await self._advance()
                except (FwtuiError, OSError) as error:  # the session's own disk, or another
                    await self._fail(failure_of(error, self.state.store.directory), message)
        finally:
            self._keep_awake.end()
            self._pool.kill()
            sampler.cancel()
            await self._durations.end()
            await asyncio.gather(sampler, return_exceptions=True)
            await self._pool.join()
            await self._history_recorder.finish()
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        """Close the session. It counts as running until then, so its result is kept before."""
        self._save_result()
        self._folders.close()
        try:
            if close_session(self.state):
                self._history_recorder.session_deleted()
        except (FwtuiError, OSError) as error:
            reason = failure_of(error, self.state.store.directory).title
            self._warn_from_thread(f"The session could not be closed: {reason}")

    def _save_result(self) -> None:
        if not self.state.queue:
            return
        result = result_of(self.state, self._recorder.finished, self._log_path)
        try:
            save_result(result, self._locations.last_batch)
        except (FwtuiError, OSError) as error:
            reason = failure_of(error, self._locations.state).title
            self._warn_from_thread(f"The result of the batch could not be saved: {reason}")

    def _warn_from_thread(self, text: str) -> None:
        self._loop.call_soon_threadsafe(self.state.log, Level.WARNING, text)

    def _post(self, message: PostedMessage) -> None:
        """Put a message into the inbox, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: a share hung at the end
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, message)

    def _post_later(self, seconds: float, message: Message) -> None:
        self._loop.call_later(seconds, self._inbox.put_nowait, message)

    def _is_idle(self) -> bool:
        """Whether memory readings may be rare. In the background they let it notice its end."""
        nothing_runs = self.phase is Phase.IDLE and self._pool.is_idle
        return nothing_runs and not self._folders and not self.is_background

    @property
    def _is_watched(self) -> bool:
        """Whether anybody looks at a batch that does not work."""
        return not self._quitting and (self._where == "screen" or bool(self._server.clients))

    @property
    def _wants_readings(self) -> bool:
        """Whether anybody sees memory readings: none may follow the end of a batch."""
        unseen = self.is_background and not self._server.clients and self.phase is Phase.IDLE
        return not self._quit_sent and not unseen

    # --- the inbox -----------------------------------------------------------------------------

    async def _handle(self, message: Message) -> None:  # noqa: C901 - one case per message
        match message:
            case EngineReplied() | EngineExited() | DownloadEnded():
                await self._pool.handle(message)
            case MemoryMeasured(reading=reading):
                if self._wants_readings:
                    self._memory_measured(reading)
                    self._emit_progress()
                self._folders.emit_changes()
                await self.state.look_after_session()
            case CancelOverdue(job=job):
                self._commands.kill_overdue(job)
            case SkipLimitReached():
                self._emit_progress()
            case DurationsFound():
                await self._durations.record(message)
                self._emit_progress()
            case ModelIdle(batch=number):
                if self.phase in AT_REST and number == self._batches:
                    self.state.log(Level.INFO, "Idle: model unloaded")
                    self._pool.shut_down()
            case DiskAvailable():
                if self._disk_wait.failure is not None:
                    self.state.log(Level.INFO, "The disk is available again; resuming")
                    await self._start()
            case FilesFound():
                self.discovery.continue_search()
                await self._commands.add(message)
                self._not_added = None
                self._emit_progress()
            case DiscoveryFinished():
                await self._search_ended(message)
            case FilesArrived():
                await self._files_arrived(message)
            case FileRenamed() | FolderStatusChanged() | FolderLogLine() | AfterActionDone():
                await self._folders.handle(message)
            case Command() if not self.discovery.must_wait(message):
                await self._obey(message)

    def _on_change(self, change: DurableChange) -> None:
        """Pass a change of the queue on to the components that depend on it."""
        match change:
            case JobsAdded(jobs=jobs):
                self._session_file.wanted = True
                self._estimate.queue_changed()
                self._durations.add(jobs)
                self._folders.jobs_added(jobs)
            case JobChanged(job=job):
                self._estimate.job_changed(job)
                self._pool.downloads.job_changed(job)
                self._folders.job_changed(job)
            case JobsRemoved(ids=ids):
                self._estimate.queue_changed()
                self._folders.jobs_removed(ids)
            case _:
                pass

    async def _search_ended(self, message: DiscoveryFinished) -> None:
        self.discovery.search_ended()
        is_complete = not (self._commands.is_adding_incomplete or self._quitting)
        await self._commands.finish_adding(message)
        if is_complete:
            self.state.store.forget_asked()
            self._session_file.wanted = True
        await self._forecast()

    async def _files_arrived(self, message: FilesArrived) -> None:
        try:
            await self._folders.handle(message)
        except BaseException:
            # The folder's history says that they are queued: they must be, now or later.
            self._post_later(ADD_AGAIN_SECONDS, message)
            raise
        self._emit_progress()
        await self._forecast()

    def _memory_measured(self, reading: MemoryReading) -> None:
        self._memory = self._guard.check(reading, self._pool)
        worked = any(worker.info is not None and worker.windows for worker in self._pool)
        self._estimate.memory_measured(reading, worked=worked)
        self.state.emit(MemorySampled(self._memory))

    async def _forecast(self) -> None:
        """After the files or settings of a batch that has not started changed."""
        if self.phase in AT_REST:
            await self._forecaster.update(starting=False)

    # --- commands ------------------------------------------------------------------------------

    async def _obey(self, command: AnyCommand) -> None:  # noqa: C901, PLR0912 - one case per command
        if not await self._has_valid_settings(command):
            return
        match command:
            case AddPaths(paths=paths, roots=roots, lengths=lengths):
                self._searched = paths
                self.discovery.search(paths, roots, lengths)
            case RemoveJobs(ids=ids):
                await self._commands.remove(ids)
            case UndoRemove():
                await self._commands.undo_remove()
                self._emit_progress()
            case ArrangeJobs(order=order):
                await self.state.reorder(order)
            case MoveJobs(ids=ids, offset=offset):
                await self.state.reorder(moved(self.state.queue.order, set(ids), offset))
            case SkipJobs(ids=ids):
                await self._commands.skip(ids)
            case RetryJobs():
                await self._commands.retry(command)
            case NameSpeaker():
                await name_speaker(self.state, command)
            case ChangeSettings(settings=settings):
                await self.state.change_settings(settings)
                await self.state.remember_folders(self._locations.scratch)
                await avoid_names_of_other_sessions(self.state)
                self._pool.forget_rungs()
                await self._forecast()
            case WatchFolder(folder=folder):
                await self._folders.watch(folder)
            case UnwatchFolder(path=path):
                await self._folders.unwatch(path)
            case Start():
                await self._start()
            case Pause():
                self._pause()
            case Stop():
                self._stop()
            case Quit():
                self._quitting = True
                self._stop()
                if self.discovery.is_searching:
                    await self._commands.discard_partial()

    async def _has_valid_settings(self, command: AnyCommand) -> bool:
        """False for a client's command whose settings cannot work, which is logged."""
        if isinstance(command, ChangeSettings | RetryJobs) and command.settings is not None:
            try:
                await asyncio.to_thread(validated, command.settings)
            except FwtuiError as error:
                self.state.log(Level.ERROR, f"Settings not changed: {error.title}")
                return False
        return True

    async def _start(self) -> None:
        if self.phase in {Phase.PAUSED, Phase.PAUSING} and not self._paused_while_watching:
            await self._resume()
        elif self.phase in {Phase.IDLE, Phase.WATCHING, Phase.PAUSED}:
            self._paused_while_watching = False
            not_added, self._not_added = self._not_added, None
            if self.state.counts.unfinished:
                await self._start_work()
            elif not_added is not None:
                await self._finish(not_added, stopped=True)
            elif self._folders:
                self._change_phase(Cause.WATCHING_STARTED)
            else:
                self.state.log(Level.WARNING, "Nothing to do: add files, or retry failed ones")
                self._end_idle()

    async def _resume(self) -> None:
        if self._disk_wait.failure is not None:
            self._disk_wait.end()
            await self._commands.requeue_lost()
        self._pool.hold(False)
        self._change_phase(Cause.WORK_STARTED)

    async def _can_start(self) -> bool:
        """Whether the settings can work at all; ends the batch with the reason if not."""
        state = self.state
        new = not self._batches and not state.counts.completed
        try:
            found = await asyncio.to_thread(
                check_start, state.settings, self._meter.count_gpus, REFUSED if new else ()
            )
            await asyncio.to_thread(check_speakers, state.settings)
        except FwtuiError as error:
            self._failure = classify_exception(error)
            await self._wait_or_finish()
            return False
        lines = [(Level.WARNING, text) for text in found]
        if state.settings.engine_decoding is not state.settings.decoding:
            lines.append((Level.INFO, WORD_TIMES))
        for level, text in lines:
            if text not in self._warned:
                self._warned.add(text)
                state.log(level, text)
        return True

    async def _start_work(self) -> None:
        if not await self._can_start():
            return
        await self.state.remember_started()
        await self._commands.requeue_lost()
        await self.state.remember_folders(self._locations.scratch)
        await avoid_names_of_other_sessions(self.state)
        self._pool.set_devices(await self._devices())
        self._started, self._started_at = time.monotonic(), now()
        self._batches += 1
        self._estimate.start(self.state.queue)
        self._durations.start()
        await self._forecaster.update(starting=True)
        reading = await asyncio.to_thread(self._meter.read)
        self._memory_measured(reading)  # without an engine, whose share is the difference
        self.state.log(Level.INFO, batch_line("Batch start", reading))
        self._change_phase(Cause.WORK_STARTED)

    async def _devices(self) -> tuple[int, ...]:
        """The device number of each engine of a batch that starts now."""
        settings = self.state.settings
        gpus = 0
        if settings.model.device == "auto" and settings.model.device_indexes != (0,):
            gpus = await asyncio.to_thread(self._meter.count_gpus)
        return device_indexes(settings, gpus)

    def _pause(self) -> None:
        if self.phase is Phase.RUNNING:
            self._pool.hold(True)
        self._paused_while_watching |= self.phase is Phase.WATCHING
        self._change_phase(Cause.PAUSE_REQUESTED)

    def _stop(self) -> None:
        self._paused_while_watching = False
        self._disk_wait.end()
        self._pool.kill()  # when idle too: the model may have been kept
        self._change_phase(Cause.STOP_REQUESTED)

    # --- phases and ends -----------------------------------------------------------------------

    async def _advance(self) -> None:
        """After every message: feed the engines; notice a pause, a failure or the end."""
        await self._folders.follow_up()
        if self.phase is Phase.WATCHING:
            if self.state.counts.unfinished and not self._quitting:
                await self._start_work()
            elif not self._folders:
                self._end_idle()
        while (command := self.discovery.next()) is not None:
            await self._obey(command)
        await self._commands.remove_stopped()
        if (halted := self._pool.halted) is not None:
            await self._handle_halt(halted)
        elif self.phase is Phase.STOPPING and self._pool.is_idle:
            await self._wait_or_finish()
        elif self.phase is Phase.PAUSING and self._pool.is_held:
            self._change_phase(Cause.ENGINES_PAUSED)
        elif self.phase is Phase.RUNNING:
            await self._work()
        if not self.discovery.is_busy:
            await self._session_file.write_if_due(self.phase)
        if self.is_background and self._is_done and not self._server.clients:
            self.send(Quit())

    async def _work(self) -> None:
        """Give the engines their next files; finish if there are none."""
        if await self._pool.feed():
            self._inbox.put_nowait(SkipLimitReached())
        more = self.discovery.is_busy or self.state.queue.next_pending() is not None
        if self._pool.positions or more:
            return
        keep = self.state.settings.memory.keep_model_minutes > 0
        if not keep:
            self._pool.shut_down()
        if keep or self._pool.is_idle:
            await self._finish(None, stopped=False)

    async def _handle_halt(self, halted: Failure) -> None:
        """An engine met what stops them all: use the CPU, wait for the disk, or end."""
        self._pool.kill()
        if not self._pool.is_idle:
            return
        if self.phase is not Phase.RUNNING or not await self._pool.fall_back_to_cpu(halted):
            self._failure = halted
            self._pool.clear_halts()
            await self._wait_or_finish()

    @property
    def _is_done(self) -> bool:
        """Nothing is running, searched or requested. (Messages come once a second at least.)"""
        busy = self.discovery.is_busy or not self._inbox.empty()
        return self.phase is Phase.IDLE and not busy and not self._quitting

    async def _fail(self, failure: Failure, message: Message) -> None:
        """The session cannot be written: stop the batch, not fwtui, and keep what is durable.

        Where no batch runs, one that was to start ends at once; files that could not be added are
        remembered until then.
        """
        self._pool.kill()
        if self.phase is not Phase.IDLE:
            self._failure = failure
            self._change_phase(Cause.SESSION_NOT_WRITABLE)
        elif isinstance(message, Start):
            await self._finish(failure, stopped=True)
        else:
            self.state.log(Level.ERROR, str(failure))
            self._not_added = failure

    async def _wait_or_finish(self) -> None:
        """The engines have ended because the user stopped them, or because of `_failure`."""
        failure = self._failure
        wait = self.state.settings.batch.on_disk_full == "wait" and not self._quitting
        self._failure = None
        if failure is None or not failure.place or not wait or self._disk_wait.is_useless(failure):
            await self._finish(failure, stopped=True)
            return
        shown = await asyncio.to_thread(with_wait_hint, failure)
        self._disk_wait.begin(failure)
        self.state.log(Level.ERROR, str(shown))
        self._change_phase(Cause.DISK_UNAVAILABLE, shown)

    async def _finish(self, failure: Failure | None, *, stopped: bool) -> None:
        """The queue is finished, was stopped, or cannot be worked on."""
        self._pool.clear_halts()
        self._pool.forget_attempts()
        if failure is not None:
            self.state.log(Level.ERROR, str(failure))
        reading = await asyncio.to_thread(self._meter.read)
        self.state.log(Level.INFO, batch_line("Batch end", reading))
        seconds = time.monotonic() - self._started if self._started is not None else 0.0
        self._started = None
        await self._durations.end()
        prediction = self._estimate.end(stopped=stopped)
        await asyncio.to_thread(self._history.save)
        report = None
        if self.state.settings.output.add_report and not stopped:
            report = await write_report(self.state, self._started_at, reading.peak_rss, prediction)
        if self._folders and not stopped and not self._quitting:
            folders = "; ".join(one.folder.path for one in self._folders.statuses)
            self.state.log(Level.DEBUG, f"Waiting for files in {folders}")
            self._change_phase(Cause.QUEUE_FINISHED)
        else:
            self._change_phase(Cause.BATCH_ENDED)
            self._durations.rest()
        self._emit_finished(stopped, seconds, report, failure)
        if not self._pool.is_idle:
            wait = 60 * self.state.settings.memory.keep_model_minutes
            self._post_later(wait, ModelIdle(self._batches))

    def _end_idle(self) -> None:
        """Report the end of a batch in which nothing was to be done."""
        self._change_phase(Cause.BATCH_ENDED)
        self._emit_finished()

    def _emit_finished(
        self,
        stopped: bool = False,
        seconds: float = 0.0,
        report: str | None = None,
        failure: Failure | None = None,
    ) -> None:
        counts = self.state.counts
        self._emit_progress()
        self.state.emit(
            BatchFinished(
                completed=counts.completed,
                failed=counts.failed,
                cancelled=counts.cancelled + counts.skipped,
                stopped=stopped,
                seconds=seconds,
                report=report,
                failure=failure,
                to_check=counts.to_check,
                skipped=counts.skipped,
                share=counts.shares(self._running_seconds).finished,
            )
        )

    def _change_phase(self, cause: Cause, failure: Failure | None = None) -> None:
        phase = next_phase(self.phase, cause)
        if phase is not self.phase:
            self.phase = phase
            self._keep_awake_or_not()
            self._estimate.phase_changed(phase)
            self.state.emit(PhaseChanged(phase, failure))

    def _keep_awake_or_not(self) -> None:
        """Keep the machine awake while files are worked on, not while they are waited for."""
        if self.phase is Phase.RUNNING and self.state.settings.batch.keep_awake:
            self._keep_awake.begin()
        elif self.phase in {*AT_REST, Phase.PAUSED}:
            self._keep_awake.end()

    def _not_kept_awake(self, reason: str) -> None:
        """Called from a thread."""
        text = f"The machine may fall asleep during the batch: {reason}"
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self.state.log, Level.DEBUG, text)

    def _emit_progress(self) -> None:
        running, speed = self._running_seconds, self._pool.speed
        self.state.emit(self._estimate.progress(self.state.counts, running, speed))

    @property
    def _running_seconds(self) -> float:
        """Seconds of audio that are done in running files."""
        return running_seconds(self.state.view.jobs, self._pool.positions)
