"""Dialogs for errors: those of the batch, and those of the screens themselves."""

import logging
import time
import traceback
from collections.abc import Callable
from datetime import datetime

from textual.app import App
from textual.screen import Screen

from fwtui.core.events import Level, LogLine, Phase
from fwtui.core.failure import Failure
from fwtui.errors import ExitCode, FwtuiError
from fwtui.tui.controller import BatchController
from fwtui.tui.formatting import clean, sentence

logger = logging.getLogger(__name__)

MAX_ERRORS = 3
WITHIN_SECONDS = 10.0


class ErrorDialogs:
    """Shows errors, and writes them to the log; `log_file` is named as the place with more.

    Too many errors of the screens in a short time close all dialogs; if the main screen is the one
    that fails, they are left to Textual, which ends the app.
    """

    def __init__(
        self,
        app: App[ExitCode],
        controller: BatchController,
        now: Callable[[], datetime],
        log_file: str,
    ) -> None:
        self._app = app
        self._controller = controller
        self._now = now
        self.log_file = log_file
        self._times: list[float] = []
        self._open: Screen[None] | None = None  # for an error that nobody expected

    def handle(self, error: BaseException) -> bool:
        """Show an error of the user interface; False: the program is not usable any more."""
        now = time.monotonic()
        self._times = [at for at in self._times if now - at < WITHIN_SECONDS] + [now]
        if len(self._times) > MAX_ERRORS:
            if len(self._app.screen_stack) < 2:
                return False
            self._times.clear()
            self._app.call_later(self._close_dialogs)
        self._app.call_later(self.show, error)
        return True

    def _close_dialogs(self) -> None:
        while len(self._app.screen_stack) > 1:
            self._app.pop_screen()

    def batch_crashed(self, error: BaseException) -> None:
        """Say that the batch broke, or that the connection to one of another process did."""
        if isinstance(error, FwtuiError):
            self._show(error.title, sentence(clean(error.hint)), error)
            return
        text = (
            f"{_described(error)}\n\nEverything that was finished is saved. Quit and start fwtui "
            "again to resume."
        )
        self._show("The batch has stopped", text, error)

    def batch_failed(self, failure: Failure) -> None:
        """Say why the batch cannot continue: no model, no space."""
        from fwtui.tui.screens.dialog import error_dialog

        self._app.push_screen(error_dialog("The batch cannot continue", failure))

    def batch_paused(self, failure: Failure) -> None:
        """Say why the batch has paused by itself: a full disk, a missing drive."""
        from fwtui.tui.screens.dialog import error_dialog

        self._app.push_screen(error_dialog("The batch is paused", failure))

    def show(self, error: BaseException) -> None:
        """Show an error in a dialog and in the log."""
        if isinstance(error, FwtuiError):
            from fwtui.tui.screens.dialog import error_text

            self._show("Failed", error_text(error), error)
            return
        # One that is open already is usually the cause of those that follow, which are in the log.
        hide = self._open in self._app.screen_stack
        running = self._controller.model.phase in {Phase.RUNNING, Phase.PAUSING, Phase.WATCHING}
        text = _described(error) + ("\n\nThe batch is still running." if running else "")
        shown = self._show("Something went wrong in fwtui", text, error, hide=hide)
        self._open = shown or self._open

    def _show(
        self, title: str, text: str, error: BaseException, *, hide: bool = False
    ) -> Screen[None] | None:
        from fwtui.tui.screens.dialog import MessageDialog

        logger.error("%s", title, exc_info=error)
        line = clean(str(error)) if str(error) == title else f"{title}: {_described(error)}"
        self._controller.bridge.receive(LogLine(at=self._now(), level=Level.ERROR, text=line))
        if hide:
            return None
        named = self.log_file and not isinstance(error, FwtuiError)
        more = f"\n\nMore in {self.log_file}" if named else ""
        dialog = MessageDialog(title, text + more, bad=True)
        self._app.push_screen(dialog)
        return dialog


def _described(error: BaseException) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1:]
    line = f" ({where[0].name}, line {where[0].lineno})" if where else ""
    return clean(f"{type(error).__name__}: {error}{line}")
