"""A terminal that is gone: nothing of this process may depend on it any more."""

import contextlib
import os
import signal
import stat
import sys
from pathlib import Path

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
