"""The application: its looks, its screens, its batch, and how both begin and end."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from rich.console import RenderableType
from textual import work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.driver import Driver
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.worker import WorkerFailed

from fwtui.core.child_process import current_folder
from fwtui.core.commands import AnyCommand
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.notification import end_text, terminal_signal
from fwtui.core.settings import InterfaceSettings, Settings
from fwtui.core.text import plural
from fwtui.errors import ExitCode, FwtuiError, StorageError
from fwtui.tui.arrangement import DEFAULT, Arrangement, ArrangementFile
from fwtui.tui.cell_widths import use_terminal_widths
from fwtui.tui.compositor import cropped
from fwtui.tui.controller import BatchController
from fwtui.tui.error_boundary import ErrorBoundary
from fwtui.tui.error_dialogs import ErrorDialogs
from fwtui.tui.formatting import shown_path
from fwtui.tui.glyphs import Glyphs, choose_glyphs
from fwtui.tui.keymap import DEFAULT_KEYMAP, Keymap
from fwtui.tui.keys import Where, bindings
from fwtui.tui.model import Changes
from fwtui.tui.palette import KeyCommands
from fwtui.tui.screens.main import MainScreen
from fwtui.tui.shutdown import AppShutdown
from fwtui.tui.theme import DARK, LIGHT, THEMES, complete

if TYPE_CHECKING:
    from fwtui.batch.remote.endpoints import Endpoint
    from fwtui.config.profiles import Profile
    from fwtui.tui.controller import BatchWorkspace
    from fwtui.tui.dialog_actions import InterfaceChanged
    from fwtui.tui.model_downloads import ModelDownloads
    from fwtui.tui.screens.settings import ProfilesRead


# Borders are moved in many small steps.
ARRANGEMENT_DELAY = 0.5  # s


@runtime_checkable
class _Blinking(Protocol):
    """A text field."""

    cursor_blink: bool


class FwtuiApp(ErrorBoundary, App[ExitCode]):
    """The application on the batches of `workspace`.

    `first` are commands for the first batch. `attach`: show this batch of another process.
    `log_file` is where errors are logged, `arrangement_file` where it remembers its panes.
    """

    CSS_PATH = "styles/app.tcss"
    TITLE = "fwtui"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere")
    COMMANDS: ClassVar = {*App.COMMANDS, KeyCommands}
    _has_themes = False

    def __init__(
        self,
        workspace: "BatchWorkspace",
        settings: Settings,
        first: Sequence[AnyCommand] = (),
        *,
        keymap: Keymap = DEFAULT_KEYMAP,
        profiles: Sequence["Profile"] = (),
        now: Callable[[], datetime] = datetime.now,
        glyphs: Glyphs | None = None,
        log_file: Path | None = None,
        attach: "Endpoint | None" = None,
        arrangement_file: ArrangementFile | None = None,
    ) -> None:
        super().__init__()
        self._parsed_for = self.theme
        for theme in THEMES:
            self.register_theme(theme)
        self._has_themes = True
        self._animation = self.animation_level
        self._still = False
        self.use(settings.interface)
        self.glyphs = glyphs or choose_glyphs()
        use_terminal_widths()
        self.keymap = keymap
        # Tests want to see every error; people want to go on working.
        self.strict = False
        self.controller: BatchController
        self.main: MainScreen
        self.shutdown: AppShutdown
        self.error_dialogs: ErrorDialogs
        self._log_file = shown_path(os.fspath(log_file)) if log_file is not None else ""
        self._profiles = tuple(profiles)
        self._now = now
        self._workspace = workspace
        self._settings = settings
        self._first = tuple(first)
        self._attach_to = attach
        self._arrangement_file = arrangement_file
        self._unsaved: Arrangement | None = None

    # Looks.

    def use(self, interface: InterfaceSettings) -> None:
        """Apply these settings; over a network nothing is animated either."""
        self.theme = interface.theme
        if not self.is_running:  # nothing is parsed yet
            self._parsed_for = self.theme
            self.stylesheet.set_variables(self.get_css_variables())
        over_network = "SSH_CONNECTION" in os.environ and "TEXTUAL_ANIMATIONS" not in os.environ
        still = interface.reduced_motion or over_network
        self.animation_level = "none" if still else self._animation
        self._still = interface.reduced_motion

    def refresh_css(self, animate: bool = True) -> None:
        # Textual asks for this also for the theme that there was before the start; all style
        # sheets would be parsed three times instead of once.
        if self.theme != self._parsed_for:
            self._parsed_for = self.theme
            super().refresh_css(animate)

    def get_css_variables(self) -> dict[str, str]:
        if not self._has_themes:  # Textual asks before there is one of ours; `use` sets them
            return {}
        self.theme_variables = complete(super().get_css_variables(), self.console.color_system)
        return self.theme_variables

    def get_driver_class(self) -> type[Driver]:
        chosen = super().get_driver_class()
        if sys.platform != "win32" and chosen.__name__ == "LinuxDriver":
            from fwtui.tui.terminal_driver import TerminalDriver

            return TerminalDriver
        return chosen

    def get_system_commands(self, screen: Screen[Any]) -> list[SystemCommand]:
        commands = super().get_system_commands(screen)  # the key table has the others
        return [command for command in commands if command.title in {"Theme", "Screenshot"}]

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, cropped(renderable))

    def write_to_terminal(self, sequence: str) -> None:
        """Write what is no part of the picture: a bell, a notification."""
        if sequence and self._driver is not None:
            self._driver.write(sequence)
            self._driver.flush()

    def copy_to_clipboard(self, text: str) -> None:
        super().copy_to_clipboard(text)
        self._copy(text)

    @work(group="copy", exit_on_error=False)
    async def _copy(self, text: str) -> None:
        """Copy by what is between us and the terminal, and say what was done."""
        from fwtui.tui.clipboard import Copied, clipboard_request, copy_in_multiplexer

        copied = await asyncio.to_thread(copy_in_multiplexer, text)
        if copied in {Copied.TMUX_ONLY, Copied.SCREEN}:
            self.write_to_terminal(clipboard_request(text))
        self.notify(f"{plural(len(text), 'character')} {copied.value}", timeout=3, markup=False)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        if isinstance(event.widget, _Blinking):
            event.widget.cursor_blink = not self._still

    def on_interface_changed(self, event: "InterfaceChanged") -> None:
        self.use(event.interface)

    def on_profiles_read(self, event: "ProfilesRead") -> None:
        self.main.header.profiles = event.profiles
        self.main.header.update()

    @work(exclusive=True, group="arrangement", exit_on_error=False)
    async def on_main_screen_arranged(self, event: MainScreen.Arranged) -> None:
        self._unsaved = event.arrangement
        await asyncio.sleep(ARRANGEMENT_DELAY)
        await asyncio.to_thread(self._save_arrangement)

    def _save_arrangement(self) -> None:
        """Remember how the panes were arranged last; no error ends the work for that."""
        arrangement, self._unsaved = self._unsaved, None
        if arrangement is not None and self._arrangement_file is not None:
            with suppress(StorageError):
                self._arrangement_file.save(arrangement)

    def action_theme(self) -> None:
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    # The batch, from the first frame to the end.

    @cached_property
    def downloads(self) -> "ModelDownloads":
        """Downloads of models; imported at the first use, so that a start does not pay for it."""
        from fwtui.tui.model_downloads import ModelDownloads

        return ModelDownloads(self)

    def get_default_screen(self) -> MainScreen:
        # The main screen is the first, so that no other is made and painted before it.
        self.controller = BatchController(
            self._workspace, self._settings, self._apply, self._batch_crashed, self._now
        )
        self.shutdown = AppShutdown(self, self.controller)
        self.error_dialogs = ErrorDialogs(self, self.controller, self._now, self._log_file)
        self.main = MainScreen(
            self.controller,
            self.glyphs,
            self._now,
            self.size,
            lambda: self.downloads,
            DEFAULT if self._arrangement_file is None else self._arrangement_file.load(),
        )
        self.main.header.profiles = self._profiles
        return self.main

    def on_mount(self) -> None:
        self.set_keymap(self.keymap.for_textual)
        self.shutdown.watch_terminal()
        self.app_resume_signal.subscribe(self, self._paint_all)

    def _paint_all(self, _: object) -> None:
        self.refresh(layout=True)

    def on_ready(self) -> None:  # the first frame is painted
        self._begin()

    async def on_unmount(self) -> None:
        if "downloads" in vars(self):
            await self.downloads.close()
        await asyncio.to_thread(self._save_arrangement)
        if hasattr(self, "controller"):
            self.shutdown.signals.remove()
            await self.controller.close()

    @work(group="start-up", exit_on_error=False)
    async def _begin(self) -> None:
        from fwtui.tui.startup import Startup

        try:
            await Startup(self, self.controller, self.glyphs).run(self._attach_to)
        except FwtuiError as error:
            self.shutdown.failed_start = error.exit_code
            self.controller.bridge.drain()
            self.error_dialogs.show(error)
            return
        for command in self._first:
            self.controller.send(command)

    def _apply(self, changes: Changes) -> None:
        try:
            self._show_changes(changes)
        except Exception as error:  # called by the event loop, which would only log it
            if not self.handle_error(error):
                raise

    def _show_changes(self, changes: Changes) -> None:
        if self.is_running:
            self.main.apply(changes)
            self.shutdown.withdraw_question()
        finished = changes.finished
        if finished is not None and finished.is_notable:
            done = self.controller.model.settings.done
            self.write_to_terminal(terminal_signal(done, end_text(finished), os.environ))
        if finished is not None and finished.failure is not None:
            self._batch_failed(finished.failure)
        if changes.waits_for is not None:
            self.error_dialogs.batch_paused(changes.waits_for)

    def _batch_failed(self, failure: Failure) -> None:
        if failure.kind is FailureKind.MODEL_MISSING:
            self._offer_download(failure)
        else:
            self.error_dialogs.batch_failed(failure)

    def _batch_crashed(self, error: BaseException) -> None:
        self.error_dialogs.batch_crashed(error)

    @work(group="offer", exit_on_error=False)
    async def _offer_download(self, failure: Failure) -> None:
        from fwtui.tui.model_downloads import offer_download

        await offer_download(self, self.controller, self.downloads, self.glyphs, failure)

    @work(exclusive=True, group="quit", exit_on_error=False)
    async def action_quit(self) -> None:  # type: ignore[override]
        await self.shutdown.ask_and_leave()

    @work(exclusive=True, group="bug", exit_on_error=False)
    async def action_report_bug(self) -> None:
        from fwtui.config.locations import Locations
        from fwtui.report.bug_report import collect_files, default_name
        from fwtui.tui.screens.report_bug import ReportBugDialog

        if any(isinstance(screen, ReportBugDialog) for screen in self.screen_stack):
            return
        parts = await asyncio.to_thread(collect_files, Locations.default())
        file = current_folder() / default_name(self._now())
        recordings = [job.file for job in self.controller.model.jobs.values()]
        dialog = ReportBugDialog(parts, self.glyphs, file, recordings)
        written = await self.push_screen_wait(dialog)
        if written:
            self.notify(written, markup=False)

    def action_help(self) -> None:
        from fwtui.tui.screens.help import help_dialog, pane_first, sections

        others = self.screen is self.main
        first = sections(self.focused or self.screen)
        if others:
            first = pane_first(first)
        if not others:
            # What moves the list, and what is the same in all dialogs, comes last.
            last: set[Where] = {"moving", "search", "dialog", "everywhere"}
            first.sort(key=lambda where: where in last)
            first = [where for where in first if where != "everywhere"]
        self.push_screen(help_dialog(self.glyphs, keymap=self.keymap, first=first, others=others))

    # The error boundary's other side.

    def handle_error(self, error: BaseException) -> bool:
        ready = hasattr(self, "error_dialogs")
        return not self.strict and ready and self.error_dialogs.handle(error)

    def handle_worker_error(self, error: BaseException) -> None:
        self.error_dialogs.show(error)

    def handle_drawing_error(self, error: Exception) -> bool:
        return not self.strict and self.call_later(self.error_dialogs.show, error)

    def _handle_exception(self, error: Exception) -> None:
        # What fails outside of our own widgets comes here: composing, layout, Textual's widgets
        # and their workers. Textual would end the program.
        if not self.handle_error(error.error if isinstance(error, WorkerFailed) else error):
            super()._handle_exception(error)
