"""Connects the screens to a batch: commands go to it, its events become changes of the model."""

import asyncio
import contextvars
import gc
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol, cast

from fwtui.batch.exit_code import exit_code
from fwtui.batch.link import BatchLink, EventCoalescer
from fwtui.core.commands import AnyCommand, Quit, RetryJobs, Start
from fwtui.core.events import AnyEvent, JobsAdded, LogLine, Phase, PhaseChanged
from fwtui.core.job import Job, JobId
from fwtui.core.segment import Transcript
from fwtui.core.settings import ModelSettings, Settings
from fwtui.errors import ExitCode, FwtuiError
from fwtui.tui.model import BatchModel, Changes

if TYPE_CHECKING:
    from fwtui.batch.model_needs import ModelNeeds
    from fwtui.batch.remote.batch_status import BatchStatus
    from fwtui.batch.remote.endpoints import Endpoint
    from fwtui.batch.workspace import MappedSession
    from fwtui.sessions.catalog import SessionList, StoredSession
    from fwtui.sessions.delete import DeletedFiles

TICK = 0.1  # s
PROGRESS_TICK = 0.2  # s: figures that change more often than that cannot be read
# A hung engine takes a few seconds to kill; saving takes less.
CLOSE_SECONDS = 30.0


class ConnectedBatch(BatchLink, Protocol):
    """A batch of this process, or the local end of one in another process."""

    async def run(self) -> None:
        """Run until a Quit command; returns when everything is saved."""


class BatchWorkspace(Protocol):
    """Stored sessions, and the batches opened from them."""

    async def incomplete(self) -> "SessionList":
        """Sessions with unfinished files."""

    async def all_sessions(self) -> "SessionList":
        """All sessions."""

    async def transcript(self, stored: "StoredSession", job: Job) -> Transcript:
        """The transcript of a file in a session that is not open here."""

    async def start(self, settings: Settings) -> ConnectedBatch:
        """Start a new session."""

    async def resume(self, stored: "StoredSession", own: Settings) -> ConnectedBatch:
        """Resume a session, with `own`'s interface, hook and log settings."""

    async def mapped(self, stored: "StoredSession") -> "MappedSession":
        """The session with this machine's paths, and the folders that have none here."""

    async def remember(self, maps: Mapping[str, str]) -> None:
        """Save where folders of another machine are on this one."""

    async def model_presence(self, settings: ModelSettings) -> str:
        """Whether a model is on this machine, in words."""

    async def model_needs(
        self, settings: Settings, names: Sequence[str]
    ) -> "dict[str, ModelNeeds]":
        """What these models need here, and how fast they were."""

    async def running(self) -> "tuple[Endpoint, ...]":
        """Endpoints of batches in other processes."""

    async def status(self, endpoint: "Endpoint") -> "BatchStatus":
        """The present status of such a batch."""

    async def attach(self, endpoint: "Endpoint") -> ConnectedBatch:
        """Connect to such a batch."""

    async def discard(self, stored: "StoredSession") -> "DeletedFiles":
        """Delete a session, but not its transcripts."""

    async def set_offered(self, session_ids: Sequence[str], *, offered: bool) -> None:
        """Offer these sessions at a start, or do not."""

    async def delete(self, stored: "StoredSession") -> "DeletedFiles":
        """Delete a session and the transcripts that it wrote."""


class EventBridge:
    """Folds a batch's events into a model, at most ten times a second.

    Events may come from any thread; `on_changes` is always called in the loop's. Of progress and
    memory only the latest counts, five times a second if nothing else comes with it; every other
    event is kept and folded in its order. The first files of an empty queue are folded at once.
    """

    def __init__(self, model: BatchModel, on_changes: Callable[[Changes], None]) -> None:
        self.model = model
        self._on_changes = on_changes
        self._loop = asyncio.get_running_loop()
        # The screens find their app in the context, which other threads do not have.
        self._context = contextvars.copy_context()
        self._lock = threading.Lock()
        self._coalescer: EventCoalescer[AnyEvent] = EventCoalescer()
        self._due: float | None = None  # the tick that is scheduled
        self._timer: asyncio.TimerHandle | None = None
        self._last = float("-inf")
        self._unsubscribe: Callable[[], None] | None = None

    def connect(self, link: BatchLink) -> None:
        """Subscribe to this batch in place of the one before."""
        self.disconnect()
        self._unsubscribe = link.subscribe(self.receive)

    def disconnect(self) -> None:
        """Unsubscribe; events that have come in are still folded."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def receive(self, event: AnyEvent) -> None:
        """Keep an event, from any thread, and schedule a tick."""
        with self._lock:
            tick = TICK if self._coalescer.put(event, event) else PROGRESS_TICK
            if isinstance(event, JobsAdded) and not self.model.jobs:
                tick = 0.0
            if self._due is not None and self._due <= tick:
                return
            self._due = tick
        try:
            self._loop.call_soon_threadsafe(self._schedule, tick, context=self._context)
        except RuntimeError:
            # The loop is closed, and the screens with it.
            return

    def drain(self) -> None:
        """Fold all events kept so far into the model and report the changes."""
        with self._lock:
            gathered = tuple(self._coalescer.drain())
            self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._last = self._loop.time()
        for kind, events in groupby(gathered, type):
            if kind is LogLine:  # there may be tens of thousands of them
                self.model.fold_log([line for line in events if isinstance(line, LogLine)])
            else:
                for event in events:
                    self.model.fold(event)
        self._on_changes(self.model.take_changes())

    def _schedule(self, tick: float) -> None:
        if self._due is None:  # a longer tick has just ended and folded everything
            return
        if self._timer is not None:
            self._timer.cancel()
        wait = self._last + tick - self._loop.time()
        if wait > 0:
            self._timer = self._loop.call_later(wait, self.drain)
        else:
            self.drain()


class BatchController:
    """Owns the batch that is shown. Commands sent before there is one are queued.

    `released` is the task of a batch that outlives the screens.
    """

    def __init__(
        self,
        workspace: BatchWorkspace,
        settings: Settings,
        on_changes: Callable[[Changes], None],
        on_crash: Callable[[BaseException], None],
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self.workspace = workspace
        self.settings = settings
        self.model = BatchModel(now)
        self.model.settings = settings  # until there is a batch with its own
        self.bridge = EventBridge(self.model, on_changes)
        self.batch: ConnectedBatch | None = None
        self._on_crash = on_crash
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[AnyCommand] = []
        self._opening = asyncio.Lock()
        self.closing = False
        self.released: asyncio.Task[None] | None = None

    async def begin(self, stored: "StoredSession | None") -> None:
        """Start a new session, or resume a stored one; raises FwtuiError."""
        # A quit that comes meanwhile waits here, or the session would stay open.
        async with self._opening:
            if self.closing:
                return
            if stored is None:
                batch = await self.workspace.start(self.settings)
            else:
                batch = await self.workspace.resume(stored, self.settings)
            self._adopt(batch)

    async def change(self, stored: "StoredSession") -> None:
        """Save and close the batch, and resume a stored session; raises FwtuiError.

        If the session cannot be opened, the batch stays.
        """
        async with self._opening:
            if self.closing:
                return
            batch = await self.workspace.resume(stored, self.settings)
            task, self._task = self._task, None
            if task is not None:
                await self._end(task, CLOSE_SECONDS)
            self._adopt(batch)

    def resume(self, retried: tuple[JobId, ...], *, start: bool) -> None:
        """Queue failed or cancelled files of a session that was opened again, and start it."""
        if retried:
            self.send(RetryJobs(retried))
        if start:
            self.send(Start())

    async def read_checked(self) -> None:
        """Show which transcripts of the batch are marked as checked in the history."""
        from fwtui.config.locations import Locations
        from fwtui.outputs.batch_history import HistoryStore

        try:
            store = HistoryStore(Locations.default().state)
            files = await asyncio.to_thread(store.checked_files, self.model.session_id)
        except FwtuiError:  # the history itself says why
            return
        self.model.set_checked(files)
        self.bridge.drain()

    async def attach(self, endpoint: "Endpoint") -> None:
        """Show a batch of another process; raises FwtuiError."""
        async with self._opening:
            if not self.closing:
                batch = await self.workspace.attach(endpoint)
                self.model.attached = True
                self._adopt(batch)

    def keep_search(self) -> None:
        """Let a resume continue a search for files that a signal ends."""
        keep = getattr(self.batch, "keep_search", None)  # only a batch of this process has it
        if keep is not None:
            keep()

    def release(self) -> bool:
        """Let this process's batch outlive the screens; False if there is none, or it must end."""
        may_continue = self.model.settings.batch.on_hangup == "continue"
        if self.closing or self._task is None or self.model.attached or not may_continue:
            return False
        self.closing = True
        self.bridge.disconnect()
        self.released = self._task
        return True

    def _adopt(self, batch: ConnectedBatch) -> None:
        self.batch = batch
        self._task = asyncio.create_task(batch.run(), name="batch runner")
        self._task.add_done_callback(self._ended)
        self.bridge.connect(batch)
        waiting, self._waiting = self._waiting, []
        for command in waiting:
            batch.send(command)

    def send(self, command: AnyCommand) -> None:
        """Send a command, now or as soon as there is a batch."""
        if self.batch is None:
            self._waiting.append(command)
        else:
            self.batch.send(command)

    async def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Quit the batch and wait until everything is saved; a second call does nothing."""
        if self.closing:
            return
        self.closing = True
        async with self._opening:
            task = self._task
        if task is not None:
            await self._end(task, seconds)
        self.bridge.drain()
        self.bridge.disconnect()

    async def _end(self, task: asyncio.Task[None], seconds: float) -> None:
        """Let the batch save everything and end; cancel it if it does not."""
        if not task.done():
            self.send(Quit())
            await asyncio.wait([task], timeout=seconds)
        if not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=1.0)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the batch; a batch that was only attached to has its own."""
        if self.model.attached:
            return ExitCode.DONE
        finished = self.model.finished
        return exit_code(self.model.jobs.values(), finished.failure if finished else None)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            if self.model.attached:
                self.model.attached = False
                self.bridge.receive(PhaseChanged(Phase.IDLE))
            self._on_crash(error)


def lazy_workspace(make: "Callable[[], BatchWorkspace]") -> "BatchWorkspace":
    """A workspace that `make` creates in a thread when one of its methods is first called.

    The batch and what it needs are a hundred modules; the first frame needs none of them.
    """
    return cast("BatchWorkspace", _LazyWorkspace(make))


class _LazyWorkspace:
    def __init__(self, make: "Callable[[], BatchWorkspace]") -> None:
        self._make = make
        self._made: BatchWorkspace | None = None
        self._lock = asyncio.Lock()

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: object, **named: object) -> object:
            async with self._lock:
                if self._made is None:
                    self._made = await self._import()
            return await getattr(self._made, method)(*arguments, **named)

        return call

    async def _import(self) -> "BatchWorkspace":
        try:
            return await asyncio.to_thread(self._make)
        finally:
            # The command line disabled the collector during imports.
            gc.freeze()
            gc.enable()
