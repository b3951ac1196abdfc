"""The batch behind the screens: which runner there is, its task, and how it ends."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from fwtui.batch.coalesce import Gathering
from fwtui.batch.link import BatchLink
from fwtui.batch.remote.batch_status import Glimpse
from fwtui.batch.remote.endpoints import Place
from fwtui.core.commands import AnyCommand, Quit, RetryJobs
from fwtui.core.events import AnyEvent, JobsAdded, LogLine, Phase, PhaseChanged
from fwtui.core.job import Job, JobId
from fwtui.core.segment import Transcript
from fwtui.core.settings import Settings
from fwtui.errors import ExitCode
from fwtui.sessions.catalog import SessionList, StoredSession
from fwtui.sessions.delete import Discarded
from fwtui.tui.model import BatchModel, Changes

if TYPE_CHECKING:
    from fwtui.batch.link import BatchLink
    from fwtui.batch.remote.endpoints import Place
    from fwtui.batch.workspace import Mapped

TICK = 0.1  # s
PROGRESS_TICK = 0.2  # s: figures that change more often than that cannot be read


class Bridge:
    """Subscribes to a link and folds its events into a model, at most ten times a second.

    Events may come from any thread; `on_changes` is always called in the loop's. Of progress and
    memory only the latest counts, five times a second if nothing else comes with it; every other
    event is kept and folded in its order. The first files of an empty queue are told of at once.
    """

    def __init__(self, model: BatchModel, on_changes: Callable[[Changes], None]) -> None:
        self.model = model
        self._on_changes = on_changes
        self._loop = asyncio.get_running_loop()
        # The screens find their app in the context, which other threads do not have.
        self._context = contextvars.copy_context()
        self._lock = threading.Lock()
        self._gathering: Gathering[AnyEvent] = Gathering()
        self._due: float | None = None  # the tick that is waited for
        self._timer: asyncio.TimerHandle | None = None
        self._last = float("-inf")
        self._unsubscribe: Callable[[], None] | None = None

    def connect(self, link: "BatchLink") -> None:
        """Listen to this batch, and no longer to an earlier one."""
        self.disconnect()
        self._unsubscribe = link.subscribe(self.receive)

    def disconnect(self) -> None:
        """Stop listening; what came in is still shown."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def receive(self, event: AnyEvent) -> None:
        """Take an event, from any thread, and wake the loop if it sleeps."""
        with self._lock:
            tick = TICK if self._gathering.put(event, event) else PROGRESS_TICK
            if isinstance(event, JobsAdded) and not self.model.jobs:
                tick = 0.0
            if self._due is not None and self._due <= tick:
                return
            self._due = tick
        try:
            self._loop.call_soon_threadsafe(self._schedule, tick, context=self._context)
        except RuntimeError:
            # The loop is closed: nobody looks any more.
            return

    def drain(self) -> None:
        """Fold everything gathered so far into the model and tell what changed."""
        with self._lock:
            gathered = tuple(self._gathering.take())
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
        if self._due is None:  # a longer tick has just ended and taken everything
            return
        if self._timer is not None:
            self._timer.cancel()
        wait = self._last + tick - self._loop.time()
        if wait > 0:
            self._timer = self._loop.call_later(wait, self.drain)
        else:
            self.drain()


# An engine that must be killed takes a few seconds; nothing that is kept takes longer.
CLOSE_SECONDS = 30.0


class Host:
    """Owns the runner of the moment. Commands sent before there is one wait for it.

    `released` is the task of a batch that outlives the screens.
    """

    def __init__(
        self,
        workspace: "Workspace",
        settings: Settings,
        on_changes: Callable[[Changes], None],
        on_crash: Callable[[BaseException], None],
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self.workspace = workspace
        self.settings = settings
        self.model = BatchModel(now)
        self.model.settings = settings  # those of the batch, as soon as there is one
        self.bridge = Bridge(self.model, on_changes)
        self.runner: Runner | None = None
        self._on_crash = on_crash
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[AnyCommand] = []
        self._opening = asyncio.Lock()
        self.closing = False
        self.released: asyncio.Task[None] | None = None

    async def begin(self, stored: "Stored | None") -> None:
        """Start a new session, or go on with a stored one; raises FwtuiError."""
        # A quit that comes meanwhile waits here, or the session would be left behind.
        async with self._opening:
            if self.closing:
                return
            if stored is None:
                runner = await self.workspace.start(self.settings)
            else:
                runner = await self.workspace.resume(stored, self.settings)
            self._adopt(runner)

    async def change(self, stored: "Stored") -> None:
        """Save and leave the batch, and go on with a stored session; raises FwtuiError.

        If the session cannot be had, the batch stays.
        """
        async with self._opening:
            if self.closing:
                return
            runner = await self.workspace.resume(stored, self.settings)
            task, self._task = self._task, None
            if task is not None:
                await self._end(task, CLOSE_SECONDS)
            self._adopt(runner)

    def retry(self, failed: tuple[JobId, ...]) -> None:
        """Let failed files of a session that goes on be tried again."""
        if failed:
            self.send(RetryJobs(failed))

    async def attach(self, place: "Place") -> None:
        """Show a batch of another process; raises FwtuiError."""
        async with self._opening:
            if not self.closing:
                runner = await self.workspace.attach(place)
                self.model.attached = True
                self._adopt(runner)

    def release(self) -> bool:
        """Let the batch of this process go on without us; False if there is none, or it may not."""
        go_on = self.model.settings.batch.on_hangup == "continue"
        if self.closing or self._task is None or self.model.attached or not go_on:
            return False
        self.closing = True
        self.bridge.disconnect()
        self.released = self._task
        return True

    def _adopt(self, runner: "Runner") -> None:
        self.runner = runner
        self._task = asyncio.create_task(runner.run(), name="batch runner")
        self._task.add_done_callback(self._ended)
        self.bridge.connect(runner)
        waiting, self._waiting = self._waiting, []
        for command in waiting:
            runner.send(command)

    def send(self, command: AnyCommand) -> None:
        """Pass a command on, now or when the batch is there."""
        if self.runner is None:
            self._waiting.append(command)
        else:
            self.runner.send(command)

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
        """What the state of the queue means for whoever called the program."""
        if self.model.attached:
            return ExitCode.DONE
        counts = self.model.counts
        if counts.to_do:
            return ExitCode.STOPPED
        return ExitCode.SOME_FAILED if counts.failed else ExitCode.DONE

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            if self.model.attached:
                self.model.attached = False
                self.bridge.receive(PhaseChanged(Phase.IDLE))
            self._on_crash(error)


Stored = StoredSession


class Runner(BatchLink, Protocol):
    """A batch in this process."""

    async def run(self) -> None:
        """Work until a Quit command; returns when everything is saved."""


class Workspace(Protocol):
    """Sessions and the batches made of them."""

    async def incomplete(self) -> SessionList:
        """Sessions with something left to do."""

    async def all_sessions(self) -> SessionList:
        """All sessions."""

    async def transcript(self, stored: Stored, job: Job) -> Transcript:
        """The words of a file of a session that nobody works on here."""

    async def start(self, settings: Settings) -> Runner:
        """A new session."""

    async def resume(self, stored: Stored, own: Settings) -> Runner:
        """Go on with this one, with the user's `own` screen, hooks and log."""

    async def mapped(self, stored: Stored) -> "Mapped":
        """The session with the paths of this machine, and which folders are not known here."""

    async def remember(self, maps: Mapping[str, str]) -> None:
        """Where folders of another machine are here."""

    async def running(self) -> tuple[Place, ...]:
        """Where batches of other processes can be reached."""

    async def look(self, place: Place) -> Glimpse:
        """What such a batch does at this moment."""

    async def attach(self, place: Place) -> Runner:
        """A batch of another process."""

    async def discard(self, stored: Stored) -> Discarded:
        """Delete it and everything that belongs to it."""

    async def delete(self, stored: Stored) -> Discarded:
        """Delete it and the transcripts it wrote."""
