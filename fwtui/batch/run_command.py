"""A command of the user: run to its end or to its limit, with all that it started."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from fwtui.engine.stderr import StderrTail

if TYPE_CHECKING:
    import psutil

GRACE_SECONDS = 2.0  # between the request to end and the end
LAST_WORDS_SECONDS = 0.5


class Ended(msgspec.Struct, frozen=True):
    """How it went: `problem` is empty if all is well; `words` are its last lines, of both streams.

    `late`: it did not end in time.
    """

    seconds: float
    problem: str = ""
    words: tuple[str, ...] = ()
    late: bool = False


def arguments_of(command: str, *, shell: bool) -> str | list[str]:
    """What to start: taken apart as a POSIX shell would, `~` expanded; Windows does it itself.

    Raises ValueError for quotes that do not close.
    """
    if shell or sys.platform == "win32":
        return command
    program, *rest = shlex.split(command)
    return [os.path.expanduser(program), *rest]  # noqa: PTH111 - `Path` would strip a "./"


def run_command(
    arguments: str | Sequence[str],
    *,
    shell: bool = False,
    stdin: bytes = b"",
    variables: Mapping[str, str] | None = None,
    seconds: float,
) -> Ended:
    """Run a command; blocks for as long as it runs, or until it is ended after so many seconds.

    What it started and left behind is not waited for.
    """
    began = time.monotonic()
    last_words = StderrTail(lambda _: None)
    # From a file: a command that reads nothing, or late, holds nobody up.
    try:
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            process = subprocess.Popen(
                arguments,
                shell=shell,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(variables or {})},
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Ended(time.monotonic() - began, f"it cannot be started: {reason}")
    assert process.stdout is not None
    drain = threading.Thread(target=last_words.drain, args=(process.stdout,), daemon=True)
    drain.start()
    problem, late = "", False
    try:
        code = process.wait(seconds)
        problem = _described(code)
    except subprocess.TimeoutExpired:
        _end(process)
        problem, late = f"it did not end within {seconds:g} s and was ended", True
    drain.join(LAST_WORDS_SECONDS)
    return Ended(time.monotonic() - began, problem, last_words.tail, late)


def _described(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with exit code {code}" if code else ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the command and what it started: by request, then by force."""
    if sys.platform == "win32":
        import psutil

        for member in (*_children(process.pid), process):
            with contextlib.suppress(psutil.Error, OSError):
                member.kill()
    else:
        _signal_all(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        _signal_all(process.pid, signal.SIGKILL)
    process.wait()


def _signal_all(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _children(pid: int) -> "list[psutil.Process]":
    import psutil

    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return []
