"""The process of a batch without the screen: stop signals, a closed terminal, the event loop."""

import asyncio
import contextlib
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

from fwtui.cli.console import Console
from fwtui.core.commands import AnyCommand, Quit
from fwtui.core.events import AnyEvent, BatchFinished, Phase
from fwtui.errors import ExitCode

TERMINAL_CLOSED = "Terminal closed; the batch continues in the background"


def detach_terminal(log: Path) -> None:
    """Detach this process from its terminal, which may be closed; stderr then goes to `log`.

    Streams that are files or pipes stay as they are.
    """
    for name in ("SIGHUP", "SIGTSTP", "SIGTTIN", "SIGTTOU"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    terminals = _redirect_terminals()
    with contextlib.suppress(OSError):
        # Fails for the leader of a process group, as a shell's job is; it needs no new session.
        if hasattr(os, "setsid"):
            os.setsid()
    if 2 in terminals:
        with contextlib.suppress(OSError):
            _open_as(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 2)


def _redirect_terminals() -> list[int]:
    """Redirect standard streams that are terminals to the null device; returns their numbers."""
    terminals = [number for number in range(3) if _is_terminal(number)]
    for number in terminals:
        _open_as(Path(os.devnull), os.O_RDWR, number)
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    return terminals


def _open_as(path: Path, flags: int, number: int) -> None:
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, number)
    os.close(opened)


def _is_terminal(number: int) -> bool:
    """Whether it is a terminal, even one that was closed, which `isatty` denies."""
    try:
        found = os.fstat(number)
    except OSError:
        return False
    return stat.S_ISCHR(found.st_mode) and not os.path.samestat(found, Path(os.devnull).stat())


_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_HANG_UP = getattr(signal, "SIGHUP", None)


@dataclass
class SignalActions:
    """What signals do, as in `stop_signals`; replaced when the batch is there."""

    stop: Callable[[], None]
    hang_up: Callable[[], bool] = lambda: False


def stop_signals(
    stop: Callable[[], None], hang_up: Callable[[], bool] = lambda: False
) -> AbstractContextManager[None]:
    """While inside, the first stop signal calls `stop` in the running loop.

    SIGHUP calls `hang_up` first, and stops only if that returns False.

    A second signal ends this process at once: the session on disk is complete at every instant, and
    the engine child ends itself when its pipe closes. Signals that are ignored (nohup) stay so.
    """
    return handle_signals(SignalActions(stop, hang_up))


@contextmanager
def handle_signals(actions: SignalActions) -> Iterator[None]:
    """As `stop_signals`, with actions that may change meanwhile."""
    loop = asyncio.get_running_loop()
    asked = False

    def on_signal() -> None:
        nonlocal asked
        if asked:
            os._exit(ExitCode.STOPPED)
        asked = True
        actions.stop()

    def on_hang_up() -> None:
        if not actions.hang_up():
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
T = TypeVar("T")


class HeadlessBatch(Protocol):
    """What is used of a batch here."""

    phase: Phase

    @property
    def is_background(self) -> bool:
        """Whether the batch ends itself when there is nothing more to do."""

    def send(self, command: AnyCommand) -> None:
        """Send a command."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call the listener with each event; returns a function that ends this."""

    async def run(self) -> None:
        """Run until a `Quit`."""


def _handling(wanted: SignalActions, present: SignalActions | None) -> AbstractContextManager[None]:
    if present is None:
        return handle_signals(wanted)
    present.stop, present.hang_up = wanted.stop, wanted.hang_up
    return contextlib.nullcontext()


async def in_daemon_thread(function: Callable[[], T]) -> T:
    """Call a function that may never return, in a thread that does not keep the process alive."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("T", result))

    def call() -> None:
        result, error = None, None
        try:
            result = function()
        except Exception as raised:  # noqa: BLE001 - for whoever waits
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=call, name="waiting", daemon=True).start()
    return await future


async def drive(
    batch: HeadlessBatch,
    commands: Iterable[AnyCommand],
    listeners: Iterable[Listener],
    console: Console,
    hang_up: Callable[[], bool] = lambda: False,
    actions: SignalActions | None = None,
) -> bool:
    """Send the commands and run until the batch has finished or a signal stops it.

    A batch that watches folders does not finish; one in the background ends itself. Listeners get
    each event in their order. `hang_up` is that of `stop_signals`. `actions`: signals are handled
    already, and do from now on what is wanted here. Returns whether a signal stopped the batch.
    """
    stopped = False

    def quit_at_the_end(event: AnyEvent) -> None:
        watching = batch.phase is Phase.WATCHING
        if isinstance(event, BatchFinished) and not (watching or batch.is_background):
            batch.send(Quit())

    def stop() -> None:
        nonlocal stopped
        stopped = True
        console.always("stopping; press Ctrl-C again to quit at once")
        batch.send(Quit())

    # Subscribed one by one: a failing listener must not hide the end of the batch.
    ends = [batch.subscribe(listener) for listener in (*listeners, quit_at_the_end)]
    try:
        with _handling(SignalActions(stop, hang_up), actions):
            for command in commands:
                batch.send(command)
            await batch.run()
    finally:
        for end in ends:
            end()
        console.clear()
    return stopped
