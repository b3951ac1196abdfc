"""How the application ends: by its user, by a signal, or because its terminal is gone."""

import asyncio
import os
import select
import signal
import stat
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from textual import work

from fwtui.errors import ExitCode
from fwtui.tui.compositor import SmallFrames
from fwtui.tui.controller import BatchController
from fwtui.tui.glyphs import Glyphs

if TYPE_CHECKING:
    from fwtui.tui.screens.quit import Choice, Leave

TERMINAL_CHECK = 1.0


class Lifecycle:
    """Calls `on_end` for SIGTERM, `on_hang_up` for SIGHUP or a terminal that hung up.

    Only the first of them counts.
    """

    def __init__(self, on_end: Callable[[], None], on_hang_up: Callable[[], None]) -> None:
        self._calls = {"SIGTERM": on_end, "SIGHUP": on_hang_up}
        self._signals: list[signal.Signals] = []
        self._ended = False

    def install(self) -> None:
        """Take over the signals, where the system has them; call in the loop's thread."""
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
        """Give the signals back, but for SIGHUP: a hang-up often sends it more than once."""
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
        """Notice a terminal that is gone without a signal; whether it is gone."""
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


LONG_CLOSE = 0.3


class Ending(SmallFrames[ExitCode]):
    """The part of the application that knows when and how to end.

    `hand_over`: the batch is to go on in a process without a terminal; `failed_start` is the exit
    code when there could be no batch.
    """

    controller: BatchController
    glyphs: Glyphs

    def __init__(self) -> None:
        super().__init__()
        self.hand_over = False
        self.failed_start: ExitCode | None = None
        self._question: Leave | None = None
        self.lifecycle = Lifecycle(self._end, self._hang_up)

    def watch_terminal(self) -> None:
        """Notice signals and hang-ups from now on."""
        if not self.is_headless:
            self.lifecycle.install()
        self.set_interval(TERMINAL_CHECK, self._check_terminal)

    @work(exclusive=True, group="quit", exit_on_error=False)
    async def action_quit(self) -> None:  # type: ignore[override]
        """Save and leave; asks when that interrupts something. Attached: only leave."""
        if self.controller.closing:
            self.exit(ExitCode.STOPPED)
            return
        self.controller.bridge.drain()  # the work may have ended since the last picture
        choice: Choice = "again"
        while choice == "again":
            choice = await self._ask_to_leave() if self._would_interrupt() else "quit"
        if choice != "stay":
            self.hand_over = choice == "background"
            self.leave()

    async def _ask_to_leave(self) -> "Choice":
        from fwtui.tui.screens.quit import Leave

        self._question = Leave(self.controller.model)
        return await self.push_screen_wait(self._question)

    def _would_interrupt(self) -> bool:
        model = self.controller.model
        return (model.is_working or model.adding.adding) and not model.attached

    def withdraw_question(self) -> None:
        """Whether to interrupt work is another question, or none, once that work has ended."""
        question = self._question
        if question is None or not question.is_current or not question.is_outdated:
            return
        if self._would_interrupt():
            question.dismiss("again")
        else:
            question.dismiss("stay")
            self.notify("There is nothing to interrupt any more.", markup=False)

    @work(group="leave", exit_on_error=False)
    async def leave(self) -> None:
        """Let the batch save everything, then end."""
        timer = self.set_timer(LONG_CLOSE, self._say_saving)
        await self.controller.close()
        timer.stop()
        self.exit(self.failed_start or self.controller.exit_code)

    def _say_saving(self) -> None:
        self.notify("Saving the session" + self.glyphs.ellipsis, timeout=30, markup=False)

    def _end(self) -> None:
        self.call_later(self.leave)

    def _hang_up(self) -> None:
        self._stop_reading()
        self.call_later(self._let_go)

    def _let_go(self) -> None:
        """Leave the batch to go on without a screen, if it may; else end in an orderly way."""
        if self.controller.release():
            self.exit(ExitCode.DONE)
        else:
            self.leave()

    def _check_terminal(self) -> None:
        if not self.is_headless and self.lifecycle.check_terminal():
            self._stop_reading()

    def _stop_reading(self) -> None:
        hang_up = getattr(self._driver, "hang_up", None)
        if hang_up is not None:
            hang_up()
