"""The application: its screens, its batch, and how both begin and end."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from textual import work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.driver import Driver
from textual.events import DescendantFocus
from textual.screen import Screen

from fwtui.config.overrides import from_overrides
from fwtui.core.commands import AnyCommand, Start
from fwtui.core.failure import Failure
from fwtui.core.job import Job
from fwtui.core.notification import end_text, terminal_signal
from fwtui.core.settings import InterfaceSettings, ModelSettings, Settings
from fwtui.errors import ExitCode, FwtuiError, ModelAbsentError, ModelError
from fwtui.tui.app_messages import InterfaceChanged, ProfilesRead
from fwtui.tui.controller import BatchController
from fwtui.tui.error_boundary import ErrorBoundary
from fwtui.tui.error_dialogs import ErrorDialogs
from fwtui.tui.formatting import clean, shown_path
from fwtui.tui.glyphs import Glyphs, choose_glyphs
from fwtui.tui.keymap import USUAL, Keymap
from fwtui.tui.keys import bindings
from fwtui.tui.model import Changes
from fwtui.tui.palette import KeyCommands
from fwtui.tui.screens.main import MainScreen
from fwtui.tui.shutdown import Ending
from fwtui.tui.theme import DARK, LIGHT, THEMES, complete

if TYPE_CHECKING:
    from fwtui.batch.remote.endpoints import Endpoint
    from fwtui.config.profiles import Profile
    from fwtui.tui.controller import BatchWorkspace
    from fwtui.tui.model_downloads import Downloads, Load


class Fetching(App[ExitCode]):
    """For the application."""

    glyphs: Glyphs
    controller: BatchController

    @cached_property
    def downloads(self) -> "Downloads":
        """Of models; made when it is asked for, so that a start does not pay for it."""
        from fwtui.tui.model_downloads import Downloads

        return Downloads(self._ended)

    async def end_downloads(self) -> None:
        """What is here of them is kept."""
        if "downloads" in vars(self):
            await self.downloads.close()

    def _ended(self, load: "Load", failure: Failure | None) -> None:
        if not self.is_running:
            return
        if failure is None:
            self.notify(f"The model {clean(load.name)} is here", markup=False)
            return
        from fwtui.tui.screens.dialog import MessageDialog

        words = clean(failure.title) + (f"\n\n{clean(failure.hint)}" if failure.hint else "")
        self.push_screen(MessageDialog("The download has stopped", words, bad=True))

    @work(group="offer", exit_on_error=False)
    async def offer_model(self, failure: Failure) -> None:
        """A batch cannot begin without a model: offer to download it, and begin then."""
        from fwtui.models.catalogue import with_size
        from fwtui.tui.screens.dialog import ConfirmDialog, MessageDialog

        model = self.controller.model
        lacking = await asyncio.to_thread(absent, model.settings, list(model.jobs.values()))
        if lacking is None:
            words = clean(failure.title) + (f"\n\n{clean(failure.hint)}" if failure.hint else "")
            self.push_screen(MessageDialog("The batch cannot go on", words, bad=True))
            return
        question = (
            f"The model {clean(with_size(lacking.model))} is not on this machine.\n\n"
            "Download it now? The batch starts when it is here."
        )
        ask = ConfirmDialog("A model is missing", question, "Download", "Not now")
        if await self.push_screen_wait(ask):
            from fwtui.tui.screens.models import ModelsDialog

            self.downloads.begin(lacking.model, lacking, lambda: self.controller.send(Start()))
            self.push_screen(ModelsDialog(model.settings.model, self.downloads, self.glyphs))


def absent(settings: Settings, jobs: Iterable[Job]) -> ModelSettings | None:
    """The first model that the batch, or one of its files, lacks and that can be downloaded."""
    from fwtui.models.cache import locate

    own = [
        from_overrides(job.settings).model for job in jobs if job.settings and not job.is_finished
    ]
    for model in dict.fromkeys((settings.model, *own)):
        try:
            locate(model)
        except ModelAbsentError:
            return model
        except ModelError:
            continue
    return None


@runtime_checkable
class _Blinking(Protocol):
    """A text field."""

    cursor_blink: bool


class Looks(ErrorBoundary, App[ExitCode]):
    """An application with our themes; `glyphs` and `keymap` may be replaced before it runs."""

    _has_themes = False

    def __init__(self) -> None:
        super().__init__()
        self._parsed_for = self.theme
        for theme in THEMES:
            self.register_theme(theme)
        self._has_themes = True
        self.glyphs = choose_glyphs()
        self.keymap = USUAL
        self.still = False
        self._animation = self.animation_level

    def refresh_css(self, animate: bool = True) -> None:
        """Apply the theme, if the style sheets were not parsed for it.

        Textual asks for this also for the theme that there was before the start; all style sheets
        would be parsed three times instead of once.
        """
        if self.theme != self._parsed_for:
            self._parsed_for = self.theme
            super().refresh_css(animate)

    def use(self, interface: InterfaceSettings) -> None:
        """Look as these settings say; over a network nothing is animated either."""
        self.theme = interface.theme
        if not self.is_running:  # nothing is parsed yet
            self._parsed_for = self.theme
            self.stylesheet.set_variables(self.get_css_variables())
        over_network = "SSH_CONNECTION" in os.environ and "TEXTUAL_ANIMATIONS" not in os.environ
        still = interface.reduced_motion or over_network
        self.animation_level = "none" if still else self._animation
        self.still = interface.reduced_motion

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Where nothing is to move, the cursor of a text does not blink either."""
        if isinstance(event.widget, _Blinking):
            event.widget.cursor_blink = not self.still

    def on_interface_changed(self, event: InterfaceChanged) -> None:
        """The settings screen was applied."""
        self.use(event.interface)

    def get_driver_class(self) -> type[Driver]:
        """Our own driver where Textual would use its Unix one."""
        chosen = super().get_driver_class()
        if sys.platform != "win32" and chosen.__name__ == "LinuxDriver":
            from fwtui.tui.compositor import TerminalDriver

            return TerminalDriver
        return chosen

    def write_to_terminal(self, sequence: str) -> None:
        """Write what is no part of the picture: a bell, a notification."""
        if sequence and self._driver is not None:
            self._driver.write(sequence)
            self._driver.flush()

    def get_css_variables(self) -> dict[str, str]:
        """The theme's variables, and ours derived from them."""
        if not self._has_themes:  # Textual asks before there is one of ours; `use` sets them
            return {}
        self.theme_variables = complete(super().get_css_variables())
        return self.theme_variables

    def action_theme(self) -> None:
        """Light or dark."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    def get_system_commands(self, screen: Screen[Any]) -> list[SystemCommand]:
        """Only those of Textual's commands that the registry does not have."""
        commands = super().get_system_commands(screen)
        return [command for command in commands if command.title in {"Theme", "Screenshot"}]


LOOK_AGAIN, LOOKS = 1 / 60, 60  # s, times


class FwtuiApp(Looks, Fetching, Ending):
    """The application on `workspace`'s batches; `first` is done first, `log_file` has errors.

    `coming` has files that `first` will add, as far as they are known when the screen is drawn;
    `attach`: on this batch of another process.
    """

    CSS_PATH = "styles/app.tcss"
    TITLE = "fwtui"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere")
    COMMANDS: ClassVar = {*Looks.COMMANDS, KeyCommands}

    def __init__(
        self,
        workspace: "BatchWorkspace",
        settings: Settings,
        first: Sequence[AnyCommand] = (),
        *,
        coming: Callable[[], Iterable[str]] = tuple,
        keymap: Keymap = USUAL,
        profiles: Sequence["Profile"] = (),
        now: Callable[[], datetime] = datetime.now,
        glyphs: Glyphs | None = None,
        log_file: Path | None = None,
        attach: "Endpoint | None" = None,
    ) -> None:
        super().__init__()
        self.use(settings.interface)
        self.keymap = keymap
        self.glyphs = glyphs or self.glyphs
        self._profiles = tuple(profiles)
        self.now = now
        self.log_place = shown_path(os.fspath(log_file)) if log_file is not None else ""
        # Tests want to see every error; people want to go on working.
        self.strict = False
        self.error_dialogs = ErrorDialogs(self)
        self.main: MainScreen
        self._workspace = workspace
        self._settings = settings
        self._first = tuple(first)
        self._coming = coming
        self._place = attach

    def on_profiles_read(self, event: ProfilesRead) -> None:
        """The header names the user's profiles too."""
        self.main.header.profiles = event.profiles
        self.main.header.update()

    def get_default_screen(self) -> MainScreen:
        """The main screen is the first, so that no other is made and painted before it."""
        self.controller = BatchController(
            self._workspace, self._settings, self._apply, self.error_dialogs.batch_ended, self.now
        )
        self._expect()
        self.main = MainScreen(self.controller, self.glyphs, self.now, self.size)
        self.main.header.profiles = self._profiles
        return self.main

    def on_mount(self) -> None:
        """Everything that is not seen comes after the first frame."""
        self.set_keymap(self.keymap.for_textual)
        self.watch_terminal()

    def on_ready(self) -> None:
        """The first frame is painted."""
        self._begin()
        if self._first and not self.controller.model.coming:
            self.set_interval(LOOK_AGAIN, self._look_again, repeat=LOOKS)

    def _expect(self) -> bool:
        """Show the files that will come; whether any are known."""
        coming = tuple(islice(self._coming(), self.size.height))
        if coming:
            self.controller.model.expect(coming)
        return bool(coming)

    def _look_again(self) -> None:
        """Maybe they were found just after the first frame."""
        model = self.controller.model
        if not model.coming and not model.jobs and self._expect():
            self.controller.bridge.drain()

    async def on_unmount(self) -> None:
        """However the screens end, the batch is saved."""
        await self.end_downloads()
        if hasattr(self, "controller"):
            self.lifecycle.remove()
            await self.controller.close()

    @work(group="start-up", exit_on_error=False)
    async def _begin(self) -> None:
        from fwtui.tui.startup import StartUp

        try:
            await StartUp(self, self.controller).run(self._place)
        except FwtuiError as error:
            self.failed_start = error.exit_code
            self.controller.model.expect(())
            self.controller.bridge.drain()
            self.error_dialogs.tell(error)
            return
        finally:
            self._coming = tuple  # whoever finds them for the batch takes them from the same pipe
        for command in self._first:
            self.controller.send(command)

    def _apply(self, changes: Changes) -> None:
        if self.is_running:
            self.main.apply(changes)
            self.withdraw_question()
        if changes.finished is not None and changes.finished.is_news:
            done = self.controller.model.settings.done
            self.write_to_terminal(terminal_signal(done, end_text(changes.finished), os.environ))
        failure = changes.finished.failure if changes.finished is not None else None
        if failure is not None:
            self.error_dialogs.batch_failed(failure)
        if changes.waits_for is not None:
            self.error_dialogs.batch_waits(changes.waits_for)

    def worker_failed(self, error: BaseException) -> None:
        """Show the error of a worker."""
        self.error_dialogs.tell(error)

    def forgive(self, error: Exception) -> bool:
        """Show the error of a handler; False: the program must end with it."""
        return not self.strict and self.error_dialogs.forgive(error)

    def drawing_failed(self, error: Exception) -> bool:
        """Show the error of a widget that cannot be drawn; False: the program must end with it."""
        return not self.strict and self.call_later(self.error_dialogs.tell, error)

    def _handle_exception(self, error: Exception) -> None:
        # Errors of composing, timers and layout come here; Textual would end the program.
        if not self.forgive(error):
            super()._handle_exception(error)

    @work(exclusive=True, group="bug", exit_on_error=False)
    async def action_report_bug(self) -> None:
        """Put a bundle together, show it, and write it if that is wanted."""
        from fwtui.config.locations import Locations
        from fwtui.report.bug_report import collect_files, default_name
        from fwtui.tui.screens.report_bug import ReportBugDialog

        if any(isinstance(screen, ReportBugDialog) for screen in self.screen_stack):
            return
        parts = await asyncio.to_thread(collect_files, Locations.default())
        file = Path.cwd() / default_name(self.now())
        said = await self.push_screen_wait(ReportBugDialog(parts, self.glyphs, file))
        if said:
            self.notify(said, markup=False)

    def action_help(self) -> None:
        """All keys."""
        from fwtui.tui.screens.help import help_dialog, places

        first = places(self.focused or self.screen)
        self.push_screen(help_dialog(ascii_only=self.glyphs.ascii, keymap=self.keymap, first=first))
