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
from fwtui.core.settings import Settings
from fwtui.errors import FwtuiError
from fwtui.tui.ending import Ending
from fwtui.tui.glyphs import Glyphs, choose_glyphs
from fwtui.tui.host import Host
from fwtui.tui.keys import bindings
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


class FwtuiApp(Sturdy, Ending):
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
        self.main: MainScreen
        self._workspace = workspace
        self._settings = settings
        self._first = tuple(first)
        self._place = attach
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
        self.watch_terminal()
        self.call_after_refresh(self._begin)

    async def on_unmount(self) -> None:
        """However the screens end, the batch is saved."""
        if hasattr(self, "host"):
            self.lifecycle.remove()
            await self.host.close()

    @work(group="start-up", exit_on_error=False)
    async def _begin(self) -> None:
        # The command line switches the collector off while modules are imported.
        gc.freeze()
        gc.enable()
        try:
            await StartUp(self, self.host).run(self._place)
        except FwtuiError as error:
            self.failed_start = error.exit_code
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
