"""The application: its screens, its batch, and how both begin and end."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.driver import Driver
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from fwtui.batch.remote.places import Place
from fwtui.core.commands import AnyCommand
from fwtui.core.events import Phase
from fwtui.core.settings import Settings
from fwtui.errors import ExitCode, FwtuiError
from fwtui.tui.glyphs import Glyphs, choose_glyphs
from fwtui.tui.host import Host
from fwtui.tui.keys import bindings
from fwtui.tui.leaving import Leave
from fwtui.tui.lifecycle import TERMINAL_CHECK, Lifecycle
from fwtui.tui.messages import TranscriptWanted
from fwtui.tui.model import Changes
from fwtui.tui.palette import KeyCommands
from fwtui.tui.screens.help import help_dialog
from fwtui.tui.screens.main import MainScreen
from fwtui.tui.startup import StartUp
from fwtui.tui.sturdy import Sturdy
from fwtui.tui.text import shown_path
from fwtui.tui.theme import DARK, LIGHT, THEMES, complete
from fwtui.tui.trouble import Trouble
from fwtui.tui.workspace import Workspace

TRANSCRIPT_REST = 0.12
LONG_CLOSE = 0.3


class FwtuiApp(Sturdy, App[ExitCode]):
    """The application on `workspace`'s batches; `first` is done first, `log_file` has errors.

    `attach`: on this batch of another process.
    """

    CSS_PATH = "styles/app.tcss"
    TITLE = "fwtui"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere")
    COMMANDS: ClassVar = {*App.COMMANDS, KeyCommands}

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        first: Sequence[AnyCommand] = (),
        *,
        now: Callable[[], datetime] = datetime.now,
        glyphs: Glyphs | None = None,
        log_file: Path | None = None,
        attach: Place | None = None,
    ) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name
        self.glyphs = glyphs or choose_glyphs()
        self.now = now
        self.log_place = shown_path(os.fspath(log_file)) if log_file is not None else ""
        # Tests want to see every error; people want to go on working.
        self.strict = False
        self.trouble = Trouble(self)
        self.host: Host
        self.main: MainScreen
        self._workspace = workspace
        self._settings = settings
        self._first = tuple(first)
        self._attach = attach
        self._lifecycle = Lifecycle(self._end, self._hang_up)
        self._failed_start: ExitCode | None = None
        # The batch is to go on in a process without a terminal.
        self.hand_over = False
        if "SSH_CONNECTION" in os.environ and "TEXTUAL_ANIMATIONS" not in os.environ:
            self.animation_level = "none"

    def get_driver_class(self) -> type[Driver]:
        """Our own driver where Textual would use its Unix one."""
        chosen = super().get_driver_class()
        if sys.platform != "win32" and chosen.__name__ == "LinuxDriver":
            from fwtui.tui.terminal import TerminalDriver

            return TerminalDriver
        return chosen

    def get_css_variables(self) -> dict[str, str]:
        """The theme's variables, and ours derived from them."""
        return complete(super().get_css_variables())

    async def on_mount(self) -> None:
        """Show the main screen; everything else comes after the first frame."""
        self.host = Host(self._workspace, self._settings, self._apply, self.trouble.batch_ended)
        self.main = MainScreen(self.host, self.glyphs, self.now)
        await self.push_screen(self.main)
        if not self.is_headless:
            self._lifecycle.install()
        self.set_interval(TERMINAL_CHECK, self._check_terminal)
        self.call_after_refresh(self._begin)

    async def on_unmount(self) -> None:
        """However the screens end, the batch is saved."""
        if hasattr(self, "host"):
            self._lifecycle.remove()
            await self.host.close()

    @work(group="start-up", exit_on_error=False)
    async def _begin(self) -> None:
        # The command line switches the collector off while modules are imported.
        gc.freeze()
        gc.enable()
        try:
            await StartUp(self, self.host).run(self._attach)
        except FwtuiError as error:
            self._failed_start = error.exit_code
            self.trouble.tell(error)
            return
        for command in self._first:
            self.host.send(command)

    def _apply(self, changes: Changes) -> None:
        if self.is_running:
            self.main.apply(changes)
        failure = changes.finished.failure if changes.finished is not None else None
        if failure is not None:
            self.trouble.batch_failed(failure)

    @work(exclusive=True, group="transcript", exit_on_error=False)
    async def on_transcript_wanted(self, event: TranscriptWanted) -> None:
        """Read the words of a file that is looked at for a moment."""
        await asyncio.sleep(TRANSCRIPT_REST)
        runner = self.host.runner
        if runner is None or self.main.shown != event.job_id:
            return
        transcript = await runner.transcript(event.job_id)
        feed = self.host.model.feed(event.job_id)
        feed.complete(transcript.segments)
        feed.language = feed.language or transcript.language
        self.main.apply(Changes(feeds={event.job_id}))

    @work(exclusive=True, group="quit", exit_on_error=False)
    async def action_quit(self) -> None:  # type: ignore[override]
        """Save and leave; asks when a file is being worked on."""
        if self.host.closing:
            self.exit(ExitCode.STOPPED)
            return
        model = self.host.model
        busy = model.phase in {Phase.RUNNING, Phase.PAUSING} and not model.attached
        choice = await self.push_screen_wait(Leave(model)) if busy else "quit"
        if choice != "stay":
            self.hand_over = choice == "background"
            self.leave()

    @work(group="leave", exit_on_error=False)
    async def leave(self) -> None:
        """Let the batch save everything, then end."""
        timer = self.set_timer(LONG_CLOSE, self._say_saving)
        await self.host.close()
        timer.stop()
        self.exit(self._failed_start or self.host.exit_code)

    def _say_saving(self) -> None:
        self.notify("Saving the session" + self.glyphs.ellipsis, timeout=30, markup=False)

    def _end(self) -> None:
        self.call_later(self.leave)

    def _hang_up(self) -> None:
        self._stop_reading()
        self.call_later(self._let_go)

    def _let_go(self) -> None:
        if self.host.release():
            self.exit(ExitCode.DONE)
        else:
            self.leave()

    def _check_terminal(self) -> None:
        if not self.is_headless and self._lifecycle.check_terminal():
            self._stop_reading()

    def _stop_reading(self) -> None:
        hang_up = getattr(self._driver, "hang_up", None)
        if hang_up is not None:
            hang_up()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell of a worker that failed."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.trouble.tell(event.worker.error)

    def forgive(self, error: Exception) -> bool:
        """Show the error of a handler; False: the program must end with it."""
        return not self.strict and self.trouble.forgive(error)

    def action_help(self) -> None:
        """All keys."""
        self.push_screen(help_dialog(ascii_only=self.glyphs.ascii))

    def action_theme(self) -> None:
        """Light or dark."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    def get_system_commands(self, screen: Screen[Any]) -> list[SystemCommand]:
        """Only those of Textual's commands that the registry does not have."""
        commands = super().get_system_commands(screen)
        return [command for command in commands if command.title in {"Theme", "Screenshot"}]
