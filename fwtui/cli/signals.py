"""Ctrl-C and its relatives: the first one asks, the second one leaves."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fwtui.errors import ExitCode

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_HANG_UP = getattr(signal, "SIGHUP", None)


@contextmanager
def stop_signals(
    stop: Callable[[], None], hang_up: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """While inside, the first stop signal calls `stop` in the running loop.

    For SIGHUP `hang_up` is called before: True says that there is nothing to stop for.

    The second ends this process at once: the session on disk is whole at every instant, and the
    engine child ends itself when its pipe closes. A signal that is ignored (nohup) stays so.
    """
    loop = asyncio.get_running_loop()
    asked = False

    def on_signal() -> None:
        nonlocal asked
        if asked:
            os._exit(ExitCode.STOPPED)
        asked = True
        stop()

    def on_hang_up() -> None:
        if not hang_up():
            on_signal()

    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    used = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = [signal.getsignal(number) for number in used]
    for number in used:
        _listen(loop, number, on_hang_up if number == _HANG_UP else on_signal)
    try:
        yield
    finally:
        for number, handler in zip(used, before, strict=True):
            _forget(loop, number)
            signal.signal(number, handler)


def _listen(loop: asyncio.AbstractEventLoop, number: int, handler: Callable[[], None]) -> None:
    try:
        loop.add_signal_handler(number, handler)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(handler) and None)


def _forget(loop: asyncio.AbstractEventLoop, number: int) -> None:
    try:
        loop.remove_signal_handler(number)
    except NotImplementedError:  # Windows
        return
