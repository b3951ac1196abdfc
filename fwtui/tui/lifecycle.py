"""Signals, and a terminal that goes away: both end the screens in an orderly way."""

import asyncio
import os
import select
import signal
import stat
import sys
from collections.abc import Callable
from typing import TextIO

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
