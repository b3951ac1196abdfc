"""How the application ends: by its user, by a signal, or because its terminal is gone."""

import asyncio
import os
import select
import signal
import stat
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from textual.app import App

from fwtui.errors import ExitCode
from fwtui.tui.controller import BatchController

if TYPE_CHECKING:
    from fwtui.tui.screens.quit import Choice, QuitDialog

TERMINAL_CHECK = 1.0  # s
LONG_CLOSE = 0.3  # s


class TerminalSignals:
    """Calls `on_end` for SIGTERM, `on_hang_up` for SIGHUP or a terminal that hung up.

    Only the first of them counts.
    """

    def __init__(self, on_end: Callable[[], None], on_hang_up: Callable[[], None]) -> None:
        self._calls = {"SIGTERM": on_end, "SIGHUP": on_hang_up}
        self._signals: list[signal.Signals] = []
        self._ended = False

    def install(self) -> None:
        """Handle the signals, where the system has them; call in the loop's thread."""
        loop = asyncio.get_running_loop()
        for name in self._calls:
            number = getattr(signal, name, None)
            if number is None:
                continue
            try:
                loop.add_signal_handler(number, self._end, name)
            except (NotImplementedError, RuntimeError, ValueError):
                # Windows, or not the main thread (tests): the default action stays.
                continue
            self._signals.append(number)

    def remove(self) -> None:
        """Restore the default actions, except for SIGHUP, which often comes more than once."""
        loop = asyncio.get_running_loop()
        for number in self._signals:
            if number.name != "SIGHUP":
                loop.remove_signal_handler(number)
        self._signals.clear()

    def _end(self, name: str) -> None:
        if not self._ended:
            self._ended = True
            self._calls[name]()

    def check_terminal(self) -> bool:
        """Notice a terminal that is gone without a signal; True if it is gone."""
        gone = hung_up(sys.__stdin__)
        if gone:
            self._end("SIGHUP")
        return gone


def hung_up(stream: TextIO | None) -> bool:
    """Whether the terminal behind a stream has hung up; False for what never was a terminal."""
    if stream is None or not hasattr(select, "poll"):
        return False
    try:
        number = stream.fileno()
        poll = select.poll()
        poll.register(number, 0)
        events = sum(mask for _, mask in poll.poll(0))
        return bool(events & select.POLLHUP) and stat.S_ISCHR(os.fstat(number).st_mode)
    except (OSError, ValueError):
        return False


class AppShutdown:
    """Ends the application: asks first if that interrupts work, and lets the batch save.

    `in_background`: the batch is to continue in a process without a terminal; `failed_start` is
    the exit code when there could be no batch.
    """

    def __init__(self, app: App[ExitCode], controller: BatchController) -> None:
        self._app = app
        self._controller = controller
        self._question: QuitDialog | None = None
        self.in_background = False
        self.failed_start: ExitCode | None = None
        self.signals = TerminalSignals(self._terminate, self._hang_up)

    def watch_terminal(self) -> None:
        """Handle signals and hang-ups from now on."""
        if not self._app.is_headless:
            self.signals.install()
            self._app.set_interval(TERMINAL_CHECK, self._check_terminal)

    async def ask_and_leave(self) -> None:
        """Save and quit; asks when that interrupts something. Attached: only leave."""
        if self._controller.closing:
            self._app.exit(ExitCode.STOPPED)
            return
        self._controller.bridge.drain()  # the work may have ended since the last picture
        choice: Choice = "again"
        while choice == "again":
            choice = await self._ask() if self._would_interrupt() else "quit"
        if choice != "stay":
            self.in_background = choice == "background"
            self._leave_soon()  # its own worker: pressing the key again must not cancel it

    async def _ask(self) -> "Choice":
        from fwtui.tui.screens.quit import QuitDialog

        self._question = QuitDialog(self._controller.model)
        return await self._app.push_screen_wait(self._question)

    def _would_interrupt(self) -> bool:
        model = self._controller.model
        return (model.is_working or model.adding.adding) and not model.attached

    def withdraw_question(self) -> None:
        """Replace or close the question about quitting once the work it is about has ended."""
        question = self._question
        if question is None or not question.is_current or not question.is_outdated:
            return
        if self._would_interrupt():
            question.dismiss("again")
        else:
            question.dismiss("stay")
            self._app.notify("The work has finished.", markup=False)

    async def leave(self) -> None:
        """Let the batch save everything, then end."""
        timer = self._app.set_timer(LONG_CLOSE, self._say_saving)
        await self._controller.close()
        timer.stop()
        self._app.exit(self.failed_start or self._controller.exit_code)

    def _leave_soon(self) -> None:
        self._app.run_worker(self.leave(), group="leave", exit_on_error=False)

    def _say_saving(self) -> None:
        self._app.notify("Saving the session…", timeout=30, markup=False)

    def _terminate(self) -> None:
        self._controller.keep_search()
        self._app.call_later(self._leave_soon)

    def _hang_up(self) -> None:
        self._stop_reading()
        self._app.call_later(self._release_or_leave)

    def _release_or_leave(self) -> None:
        """Let the batch continue without a screen, if it may; else end it in order."""
        if self._controller.release():
            self._app.exit(ExitCode.DONE)
        else:
            self._controller.keep_search()
            self._leave_soon()

    def _check_terminal(self) -> None:
        if self.signals.check_terminal():
            self._stop_reading()

    def _stop_reading(self) -> None:
        hang_up = getattr(self._app._driver, "hang_up", None)
        if hang_up is not None:
            hang_up()
