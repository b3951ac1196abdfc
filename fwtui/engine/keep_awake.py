"""Keep the machine awake while a batch runs, by the means of each system; it never fails a batch.

Each of them ends with this process, also if that is killed: a child of Linux reads a pipe of ours,
one of macOS waits for our process ID, and Windows forgets what a thread that is gone has asked for.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from fwtui.core.child_process import CHILD_FOLDER, child_environment

# Exists where systemd has booted the system (sd_booted(3)): elsewhere it would be asked in vain.
_SYSTEMD = Path("/run/systemd/system")
# Of Windows' SetThreadExecutionState.
_ES_CONTINUOUS, _ES_SYSTEM_REQUIRED = 0x8000_0000, 0x0000_0001
TRIAL_SECONDS = 2.0
NO_WAY = "this system has no means for it"


def commands(
    platform: str = sys.platform,
    which: Callable[[str], str | None] = shutil.which,
    systemd: Path = _SYSTEMD,
) -> tuple[tuple[str, ...], ...]:
    """The commands that keep this machine awake while they run, the best one first.

    Who is not logged in may not forbid sleep, but may say that the machine is not idle.
    """
    if platform == "darwin":
        program = which("caffeinate")
        return ((program, "-i", "-s", "-w", str(os.getpid())),) if program else ()
    if platform == "win32":
        return ()
    named = [which("systemd-inhibit") if systemd.exists() else None, which("elogind-inhibit")]
    why = ("--who=fwtui", "--why=Transcribing", "--mode=block")
    return tuple(
        (program, f"--what={what}", *why, "cat")  # cat ends with the pipe that is its stdin
        for program in named
        if program
        for what in ("idle:sleep", "idle")
    )


class KeepAwake:
    """Keeps the machine awake between `begin` and `end`, which may each be called at any time.

    `refused` is called once, from a thread, with the reason if that is not possible.
    """

    def __init__(
        self,
        refused: Callable[[str], None],
        ways: Callable[[], Sequence[Sequence[str]]] = commands,
        platform: str = sys.platform,
    ) -> None:
        self._refused: Callable[[str], None] | None = refused
        self._ways = ways
        self._run = self._ask_windows if platform == "win32" else self._run_commands
        self._stop = threading.Event()
        self._stop.set()
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_on(self) -> bool:
        """Whether the machine is to be kept awake."""
        return not self._stop.is_set()

    def begin(self) -> None:
        """Keep the machine awake. Returns at once."""
        if not self.is_on:
            self._stop = threading.Event()
            threading.Thread(
                target=self._run, args=(self._stop,), name="keep-awake", daemon=True
            ).start()

    def end(self) -> None:
        """Let the machine sleep again."""
        self._stop.set()
        with self._guard:
            if self._process is not None:
                _end(self._process)

    def _run_commands(self, stop: threading.Event) -> None:
        reason = NO_WAY
        for command in self._ways():
            with self._guard:
                if stop.is_set():
                    return
                try:
                    process = self._process = _start(command)
                except OSError as error:
                    reason = error.strerror or str(error)
                    continue
            reason = _wait(process) or reason
            with self._guard:
                if self._process is process:
                    self._process = None
        if not stop.is_set():
            self._report(reason)

    def _ask_windows(self, stop: threading.Event) -> None:
        import ctypes

        try:
            kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
            asked = kernel.SetThreadExecutionState(_ES_CONTINUOUS | _ES_SYSTEM_REQUIRED)
        except (AttributeError, OSError) as error:
            self._report(str(error))
            return
        if not asked:
            self._report("Windows refused it")
            return
        stop.wait()  # what was asked for counts as long as this thread lives
        kernel.SetThreadExecutionState(_ES_CONTINUOUS)

    def _report(self, reason: str) -> None:
        refused, self._refused = self._refused, None
        if refused is not None:
            refused(reason)


def why_not(ways: Sequence[Sequence[str]] | None = None, platform: str = sys.platform) -> str:
    """Why this machine cannot be kept awake; empty if it can. Tries it for a moment."""
    if platform == "win32":
        return ""
    reason = NO_WAY
    for command in commands() if ways is None else ways:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TRIAL_SECONDS,
                cwd=CHILD_FOLDER,
                env=child_environment(),
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return ""  # it goes on, as it should
        except OSError as error:
            reason = error.strerror or str(error)
            continue
        if done.returncode == 0:
            return ""
        reason = _last_words(done.stderr) or reason
    return reason


def _start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=CHILD_FOLDER,
        env=child_environment(),
        start_new_session=True,  # signals of the terminal are not for it
    )


def _wait(process: "subprocess.Popen[bytes]") -> str:
    """Wait for the end of a command; its last words."""
    assert process.stdin is not None
    assert process.stderr is not None
    with process.stderr:
        said = _last_words(process.stderr.read())
    process.wait()
    with contextlib.suppress(OSError, ValueError):
        process.stdin.close()
    return said


def _last_words(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError, ValueError):
        if process.stdin is not None:
            process.stdin.close()
    with contextlib.suppress(OSError):
        process.terminate()
