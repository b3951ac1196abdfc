"""The batch behind the screens: which runner there is, its task, and how it ends."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from fwtui.core.commands import AnyCommand, Quit, RetryJobs
from fwtui.core.events import Phase, PhaseChanged
from fwtui.core.job import JobId
from fwtui.core.settings import Settings
from fwtui.errors import ExitCode
from fwtui.tui.bridge import Bridge
from fwtui.tui.model import BatchModel, Changes

if TYPE_CHECKING:
    from fwtui.batch.remote.endpoints import Place
    from fwtui.tui.workspace import Runner, Stored, Workspace

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
