"""Errors that nobody expected: shown once, with where to read more; the batch goes on."""

import logging
import time
import traceback
from typing import TYPE_CHECKING

from textual.screen import Screen

from fwtui.core.events import Level, LogLine
from fwtui.core.failure import Failure, FailureKind
from fwtui.errors import FwtuiError
from fwtui.tui.formatting import clean

if TYPE_CHECKING:
    from fwtui.tui.app import FwtuiApp

logger = logging.getLogger(__name__)

MOST_ERRORS = 3
WITHIN_SECONDS = 10.0


class ErrorDialogs:
    """Shows errors as dialogs; too many in a short time are left to Textual, which ends the app."""

    def __init__(self, app: "FwtuiApp") -> None:
        self._app = app
        self._times: list[float] = []
        self._unexpected: Screen[None] | None = None

    def forgive(self, error: Exception) -> bool:
        """Show an error of the user interface; False: the program is not usable any more."""
        now = time.monotonic()
        self._times = [at for at in self._times if now - at < WITHIN_SECONDS] + [now]
        if len(self._times) > MOST_ERRORS or not hasattr(self._app, "main"):
            return False
        self.tell(error)
        return True

    def batch_ended(self, error: BaseException) -> None:
        """The runner broke, or the batch of another process is gone: what is finished is safe."""
        if isinstance(error, FwtuiError):
            self._show(error.title, clean(error.hint), error)
            return
        self._show(
            "The batch has stopped",
            f"{_words(error)}\n\nEverything that was finished is saved. Quit and start fwtui again "
            "to resume.",
            error,
        )

    def batch_failed(self, failure: Failure) -> None:
        """The batch could not go on: no model, no room."""
        if failure.kind is FailureKind.MODEL_MISSING:
            self._app.offer_model(failure)
            return
        from fwtui.tui.screens.dialog import MessageDialog

        words = clean(failure.title) + (f"\n\n{clean(failure.hint)}" if failure.hint else "")
        self._app.push_screen(MessageDialog("The batch cannot go on", words, bad=True))

    def batch_waits(self, failure: Failure) -> None:
        """The batch has paused by itself: a full disk, a drive that has gone."""
        from fwtui.tui.screens.dialog import MessageDialog

        words = clean(failure.title) + (f"\n\n{clean(failure.hint)}." if failure.hint else "")
        self._app.push_screen(MessageDialog("The batch waits", words, bad=True))

    def tell(self, error: BaseException) -> None:
        """Show an error in a dialog and in the log."""
        if isinstance(error, FwtuiError):
            words = clean(error.title) + (f"\n\n{clean(error.hint)}" if error.hint else "")
            self._show("That did not work", words, error)
        else:
            # One that is open already is the cause, as a rule: what follows from it is in the log.
            hide = self._unexpected in self._app.screen_stack
            title, words = "Something went wrong in fwtui", f"{_words(error)}\n\nThe batch goes on."
            shown = self._show(title, words, error, hide=hide)
            self._unexpected = shown or self._unexpected

    def _show(
        self, title: str, words: str, error: BaseException, *, hide: bool = False
    ) -> Screen[None] | None:
        from fwtui.tui.screens.dialog import MessageDialog

        logger.error("%s", title, exc_info=error)
        app = self._app
        line = clean(str(error)) if str(error) == title else f"{title}: {_words(error)}"
        app.controller.bridge.receive(LogLine(at=app.now(), level=Level.ERROR, text=line))
        if hide:
            return None
        place = app.log_place
        more = f"\n\nMore in {place}" if place and not isinstance(error, FwtuiError) else ""
        dialog = MessageDialog(title, words + more, bad=True)
        app.push_screen(dialog)
        return dialog


def _words(error: BaseException) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" ({where[0].name}, line {where[0].lineno})" if where else ""
    return clean(f"{type(error).__name__}: {error}{place}")
