"""Signals, and a terminal that goes away: both end the program in an orderly way."""

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
    """Calls `on_end` once for SIGTERM, SIGHUP, or a terminal that hung up."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._signals: list[signal.Signals] = []
        self._ended = False

    def install(self) -> None:
        """Take over the signals, where the system has them; call in the loop's thread."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is None:
                continue
            try:
                loop.add_signal_handler(number, self.end)
            except (NotImplementedError, RuntimeError, ValueError):
                # Windows, or not the main thread (tests): the default action stays.
                continue
            self._signals.append(number)

    def remove(self) -> None:
        """Give the signals back."""
        loop = asyncio.get_running_loop()
        for number in self._signals:
            loop.remove_signal_handler(number)
        self._signals.clear()

    def end(self) -> None:
        """End, once."""
        if not self._ended:
            self._ended = True
            self._on_end()

    def check_terminal(self) -> bool:
        """End when the terminal is gone without a signal; whether it is gone."""
        gone = hung_up(sys.__stdin__)
        if gone:
            self.end()
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
