"""A terminal that is gone: nothing of this process may depend on it any more."""

import asyncio
import contextlib
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from fwtui.cli.console import Console
from fwtui.core.commands import AnyCommand, Quit
from fwtui.core.events import AnyEvent, BatchFinished, Phase
from fwtui.errors import ExitCode

TERMINAL_GONE = "The terminal is gone: the batch goes on in the background"


def leave_terminal(log: Path) -> None:
    """Cut all ties to the terminal, which may be dead; what is written to stderr goes to `log`.

    Streams that are files or pipes stay what they are: they have not gone away.
    """
    for name in ("SIGHUP", "SIGTSTP", "SIGTTIN", "SIGTTOU"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    dead = _point_to_nothing()
    with contextlib.suppress(OSError):
        # Fails for the leader of a group, which a shell's job is: its session ends without it.
        if hasattr(os, "setsid"):
            os.setsid()
    if 2 in dead:
        with contextlib.suppress(OSError):
            _open_as(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 2)


def _point_to_nothing() -> list[int]:
    """The standard streams that are terminals; they are nothing now, also for unwritten text."""
    dead = [number for number in range(3) if _is_terminal(number)]
    for number in dead:
        _open_as(Path(os.devnull), os.O_RDWR, number)
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    return dead


def _open_as(path: Path, flags: int, number: int) -> None:
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, number)
    os.close(opened)


def _is_terminal(number: int) -> bool:
    """Whether it is one, dead or alive; `isatty` knows only living ones."""
    try:
        found = os.fstat(number)
    except OSError:
        return False
    return stat.S_ISCHR(found.st_mode) and not os.path.samestat(found, Path(os.devnull).stat())


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


Listener = Callable[[AnyEvent], None]


class HeadlessBatch(Protocol):
    """What is used of a batch runner here."""

    phase: Phase

    @property
    def is_background(self) -> bool:
        """Whether it ends itself when there is nothing more to do."""

    def send(self, command: AnyCommand) -> None:
        """Ask for something."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear events; returns what ends it."""

    async def run(self) -> None:
        """Work until a `Quit`."""


async def drive(
    runner: HeadlessBatch,
    commands: Iterable[AnyCommand],
    listeners: Iterable[Listener],
    console: Console,
    hang_up: Callable[[], bool] = lambda: False,
) -> bool:
    """Send the commands and work until the batch has finished or a signal stops it.

    One that watches folders does not finish. Each event goes to the listeners in their order.
    `hang_up` as in `stop_signals`; a runner in the background ends itself. Returns whether a
    signal stopped it.
    """
    stopped = False

    def quit_at_the_end(event: AnyEvent) -> None:
        watching = runner.phase is Phase.WATCHING
        if isinstance(event, BatchFinished) and not (watching or runner.is_background):
            runner.send(Quit())

    def stop() -> None:
        nonlocal stopped
        stopped = True
        console.always("stopping; once more to leave at once")
        runner.send(Quit())

    # Each for itself: one that fails must not keep the end from being noticed.
    ends = [runner.subscribe(listener) for listener in (*listeners, quit_at_the_end)]
    try:
        with stop_signals(stop, hang_up):
            for command in commands:
                runner.send(command)
            await runner.run()
    finally:
        for end in ends:
            end()
        console.clear()
    return stopped
