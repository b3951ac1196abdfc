"""Client of an engine process: starts it, sends requests, reads replies, explains its end."""

import contextlib
import importlib.util
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import msgspec

from fwtui.core.child_process import CHILD_FOLDER, child_environment
from fwtui.core.failure import Failure
from fwtui.core.settings import ModelSettings
from fwtui.engine.classify import classify_exit, describe_exit
from fwtui.engine.protocol import AnyReply, AnyRequest, LoadModel
from fwtui.errors import EngineError

# The loader reads it once, when a process starts: so it is set before the engine starts.
_VARIABLE = "PATH" if sys.platform == "win32" else "LD_LIBRARY_PATH"
_FOLDER = "bin" if sys.platform == "win32" else "lib"


def wheel_folders(roots: Iterable[Path] | None = None) -> tuple[Path, ...]:
    """The library folders of the wheels; `roots`: the folders of the package `nvidia`."""
    found = _roots() if roots is None else roots
    folders = (folder for root in found for folder in sorted(root.glob(f"*/{_FOLDER}")))
    return tuple(folder for folder in folders if folder.is_dir())


def environment(base: Mapping[str, str], folders: Iterable[Path]) -> dict[str, str]:
    """`base` with these folders before those that the loader searches anyway."""
    paths = [str(folder) for folder in folders]
    if before := base.get(_VARIABLE):
        paths.append(before)
    return {**base, _VARIABLE: os.pathsep.join(paths)} if paths else dict(base)


def _roots() -> list[Path]:
    spec = importlib.util.find_spec("nvidia")
    return [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []


TAIL_LINES = 40
LINE_BYTES = 4096  # longer lines are passed on in pieces
# A library that complains once per token must not drown everything else, but the stacks of all
# threads of a stalled engine, some hundred lines at once, must get through.
LINES_PER_SECOND = 100
BURST_LINES = 1000


class StderrTail:
    """Drains an engine's stderr; `on_line` is called in the draining thread."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._credit = float(BURST_LINES)
        self._seen = time.monotonic()
        self._dropped = 0
        self.lines = 0

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines, including those that were not passed on."""
        return tuple(self._tail)

    def drain(self, stream: IO[bytes]) -> None:
        """Read to the end, until the engine and all that inherited its stderr have exited."""
        while raw := stream.readline(LINE_BYTES):
            line = raw.decode(errors="replace").rstrip()
            self.lines += 1
            self._tail.append(line)
            self._pass_on(line)
        self._report_dropped()

    def _pass_on(self, line: str) -> None:
        now = time.monotonic()
        earned = (now - self._seen) * LINES_PER_SECOND
        self._seen, self._credit = now, min(BURST_LINES, self._credit + earned)
        if self._credit < (LINES_PER_SECOND if self._dropped else 1):
            self._dropped += 1
            return
        self._credit -= 1
        self._report_dropped()
        self._on_line(line)

    def _report_dropped(self) -> None:
        if self._dropped:
            self._on_line(f"... and {self._dropped} more lines")
            self._dropped = 0


# -P: a file called numpy.py in the user's folder must not become part of the engine.
COMMAND = (sys.executable, "-P", "-m", "fwtui.engine.child")
# numpy computes only the features; its threads would wait by spinning on the processors that the
# model needs: a third of all processor time, for no gain.
# The encoder's attention allocates and frees tens of MB per layer: in pages of 4 kB that takes the
# kernel as long as a small model takes to fill them (glibc >= 2.35).
# MKL, which the model uses on Intel processors, keeps a memory pool for each batch size.
TUNING = {
    "OPENBLAS_NUM_THREADS": "1",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MKL_DISABLE_FAST_MM": "1",
}
# What msgspec raises on bytes that are not our protocol; deep nesting gives a RecursionError.
NOT_PROTOCOL = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True)
class EngineExit:
    """How an engine process ended; `stderr_tail` has its last lines."""

    returncode: int
    stderr_tail: tuple[str, ...]

    @property
    def failure(self) -> Failure:
        """The failure that the end means if it was not requested."""
        return classify_exit(self.returncode, self.stderr_tail)

    def __str__(self) -> str:
        """The return code, for people."""
        return describe_exit(self.returncode)


class MessageObserver(Protocol):
    """Is told of all requests and replies; called from any thread, must be quick."""

    def sent(self, request: AnyRequest) -> None:
        """A request is sent."""

    def received(self, reply: AnyReply) -> None:
        """A reply was received."""


class EngineClient:
    """One engine process. `send` and `kill` may be called from any thread, and never block.

    `replies` blocks and belongs to one thread; it is the only reader.
    """

    def __init__(
        self,
        model: ModelSettings,
        on_stderr: Callable[[str], None],
        command: tuple[str, ...] = COMMAND,
        observer: MessageObserver | None = None,
    ) -> None:
        self.model = model
        self.is_gone = False  # reaped
        self._observer = observer
        self._stderr_tail = StderrTail(on_stderr)
        self._encoder = msgspec.json.Encoder()
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        try:
            with _signals_blocked():
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=CHILD_FOLDER,
                    env=TUNING | environment(child_environment(), wheel_folders()),
                )
        except OSError as error:
            raise EngineError(
                f"The engine could not be started: {error.strerror}",
                "check free memory and the limit on processes (ulimit -u)",
            ) from error
        self._threads = [
            threading.Thread(target=target, name=f"engine-{target.__name__}", daemon=True)
            for target in (self._write, self._listen)
        ]
        for thread in self._threads:
            thread.start()
        self.send(LoadModel(model))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def stderr_lines(self) -> int:
        """Number of lines that the engine has written to stderr."""
        return self._stderr_tail.lines

    def send(self, request: AnyRequest) -> None:
        """Send one request. A dead engine is no error here: `wait` returns how it ended."""
        if self._observer is not None:
            self._observer.sent(request)
        self._requests.put(self._encoder.encode(request) + b"\n")

    def _write(self) -> None:
        # In a thread, because a process that is starting up or stopped does not read its pipe.
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            while (line := self._requests.get()) is not None:
                self._process.stdin.write(line)
                self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        self._stderr_tail.drain(self._process.stderr)

    def replies(self) -> Iterator[AnyReply]:
        """Yield the engine's replies until it closes its end.

        Raises:
            EngineError: a reply does not follow the protocol.

        """
        assert self._process.stdout is not None
        decoder: msgspec.json.Decoder[AnyReply] = msgspec.json.Decoder(AnyReply)
        for line in self._process.stdout:
            if line.endswith(b"\n"):  # a killed process can leave half a line
                try:
                    reply = decoder.decode(line)
                except NOT_PROTOCOL as error:
                    raise EngineError(
                        "The engine sent an unreadable reply",
                        "fwtui was updated while running, or its installation is damaged",
                    ) from error
                if self._observer is not None:
                    self._observer.received(reply)
                yield reply

    def dump_stacks(self) -> None:
        """Have the engine write the stacks of its threads to stderr, even if it is stopped."""
        if sys.platform != "win32":
            self._process.send_signal(signal.SIGUSR1)
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the engine; a running window cannot be interrupted in any other way."""
        self._process.kill()

    def wait(self) -> EngineExit:
        """Reap the engine, which must be ending; returns how it ended."""
        returncode = self._process.wait()
        self.is_gone = True
        self._requests.put(None)
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # unread requests
                    pipe.close()
        return EngineExit(returncode, self._stderr_tail.tail)


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    """Start the child process with Ctrl-C and hang-up blocked.

    They reach the whole process group, including a child that does not ignore them yet.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
