"""Run a command of the user, with a time limit for it and its child processes."""

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

from fwtui.core.child_process import current_folder
from fwtui.engine.client import StderrTail

if TYPE_CHECKING:
    import psutil

GRACE_SECONDS = 2.0  # between SIGTERM and SIGKILL
LAST_WORDS_SECONDS = 0.5


class CommandResult(msgspec.Struct, frozen=True):
    """Result of a command: `problem` is empty if it succeeded, `output` has its last lines.

    `timed_out`: it did not end in time.
    """

    seconds: float
    problem: str = ""
    output: tuple[str, ...] = ()
    timed_out: bool = False


def arguments_of(command: str, *, shell: bool) -> str | list[str]:
    """Arguments of a command line, split as by a POSIX shell, with `~` expanded; whole on Windows.

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
) -> CommandResult:
    """Run a command and block until it ends; it is killed after so many seconds.

    Processes that it leaves running are not waited for.
    """
    began = time.monotonic()
    last_words = StderrTail(lambda _: None)
    # From a file: a command that does not read its input must not block us.
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
                cwd=current_folder(),  # a command may be given relative to it
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return CommandResult(time.monotonic() - began, f"could not be started: {reason}")
    assert process.stdout is not None
    drain = threading.Thread(target=last_words.drain, args=(process.stdout,), daemon=True)
    drain.start()
    problem, timed_out = "", False
    try:
        code = process.wait(seconds)
        problem = _described(code)
    except subprocess.TimeoutExpired:
        _end(process)
        problem, timed_out = f"did not end within {seconds:g} s and was killed", True
    drain.join(LAST_WORDS_SECONDS)
    return CommandResult(time.monotonic() - began, problem, last_words.tail, timed_out)


def _described(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}" if code else ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the command and its child processes: SIGTERM, then SIGKILL."""
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
