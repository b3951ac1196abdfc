"""The application: its screens, its batch, and how both begin and end."""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType

from fwtui.core.commands import AnyCommand
from fwtui.core.notification import news, terminal_signal
from fwtui.core.settings import Settings
from fwtui.errors import FwtuiError
from fwtui.tui.controller import Host
from fwtui.tui.errors import Trouble
from fwtui.tui.fetching import Fetching
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import USUAL, Keymap
from fwtui.tui.keys import bindings
from fwtui.tui.looks import Looks
from fwtui.tui.messages import ProfilesRead
from fwtui.tui.model import Changes
from fwtui.tui.palette import KeyCommands
from fwtui.tui.screens.main import MainScreen
from fwtui.tui.shutdown import Ending
from fwtui.tui.text import shown_path

if TYPE_CHECKING:
    from fwtui.batch.remote.endpoints import Place
    from fwtui.config.profiles import Profile
    from fwtui.tui.workspace import Workspace

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
        workspace: "Workspace",
        settings: Settings,
        first: Sequence[AnyCommand] = (),
        *,
        coming: Callable[[], Iterable[str]] = tuple,
        keymap: Keymap = USUAL,
        profiles: Sequence["Profile"] = (),
        now: Callable[[], datetime] = datetime.now,
        glyphs: Glyphs | None = None,
        log_file: Path | None = None,
        attach: "Place | None" = None,
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
        self.trouble = Trouble(self)
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
        self.host = Host(
            self._workspace, self._settings, self._apply, self.trouble.batch_ended, self.now
        )
        self._expect()
        self.main = MainScreen(self.host, self.glyphs, self.now, self.size)
        self.main.header.profiles = self._profiles
        return self.main

    def on_mount(self) -> None:
        """Everything that is not seen comes after the first frame."""
        self.set_keymap(self.keymap.for_textual)
        self.watch_terminal()

    def on_ready(self) -> None:
        """The first frame is painted."""
        self._begin()
        if self._first and not self.host.model.coming:
            self.set_interval(LOOK_AGAIN, self._look_again, repeat=LOOKS)

    def _expect(self) -> bool:
        """Show the files that will come; whether any are known."""
        coming = tuple(islice(self._coming(), self.size.height))
        if coming:
            self.host.model.expect(coming)
        return bool(coming)

    def _look_again(self) -> None:
        """Maybe they were found just after the first frame."""
        model = self.host.model
        if not model.coming and not model.jobs and self._expect():
            self.host.bridge.drain()

    async def on_unmount(self) -> None:
        """However the screens end, the batch is saved."""
        await self.end_downloads()
        if hasattr(self, "host"):
            self.lifecycle.remove()
            await self.host.close()

    @work(group="start-up", exit_on_error=False)
    async def _begin(self) -> None:
        from fwtui.tui.startup import StartUp

        try:
            await StartUp(self, self.host).run(self._place)
        except FwtuiError as error:
            self.failed_start = error.exit_code
            self.host.model.expect(())
            self.host.bridge.drain()
            self.trouble.tell(error)
            return
        finally:
            self._coming = tuple  # whoever finds them for the batch takes them from the same pipe
        for command in self._first:
            self.host.send(command)

    def _apply(self, changes: Changes) -> None:
        if self.is_running:
            self.main.apply(changes)
            self.withdraw_question()
        if changes.finished is not None and changes.finished.is_news:
            done = self.host.model.settings.done
            self.write_to_terminal(terminal_signal(done, news(changes.finished), os.environ))
        failure = changes.finished.failure if changes.finished is not None else None
        if failure is not None:
            self.trouble.batch_failed(failure)
        if changes.waits_for is not None:
            self.trouble.batch_waits(changes.waits_for)

    def worker_failed(self, error: BaseException) -> None:
        """Show the error of a worker."""
        self.trouble.tell(error)

    def forgive(self, error: Exception) -> bool:
        """Show the error of a handler; False: the program must end with it."""
        return not self.strict and self.trouble.forgive(error)

    def drawing_failed(self, error: Exception) -> bool:
        """Show the error of a widget that cannot be drawn; False: the program must end with it."""
        return not self.strict and self.call_later(self.trouble.tell, error)

    def _handle_exception(self, error: Exception) -> None:
        # Errors of composing, timers and layout come here; Textual would end the program.
        if not self.forgive(error):
            super()._handle_exception(error)

    @work(exclusive=True, group="bug", exit_on_error=False)
    async def action_report_bug(self) -> None:
        """Put a bundle together, show it, and write it if that is wanted."""
        from fwtui.config.locations import Locations
        from fwtui.report.bug_report import default_name, gather
        from fwtui.tui.screens.bug_report import BugReport

        if any(isinstance(screen, BugReport) for screen in self.screen_stack):
            return
        parts = await asyncio.to_thread(gather, Locations.default())
        file = Path.cwd() / default_name(self.now())
        said = await self.push_screen_wait(BugReport(parts, self.glyphs, file))
        if said:
            self.notify(said, markup=False)

    def action_help(self) -> None:
        """All keys."""
        from fwtui.tui.screens.help import help_dialog, places

        first = places(self.focused or self.screen)
        self.push_screen(help_dialog(ascii_only=self.glyphs.ascii, keymap=self.keymap, first=first))
