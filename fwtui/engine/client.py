"""The parent's side of an engine child: start it, talk to it, drain it, judge its end."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import msgspec

from fwtui.core.failure import Failure
from fwtui.core.settings import ModelSettings
from fwtui.engine.cuda import environment, wheel_folders
from fwtui.engine.failure import classify_exit, describe_exit
from fwtui.engine.protocol import AnyReply, AnyRequest, Load
from fwtui.engine.stderr import LastWords
from fwtui.errors import EngineError

# -P: a file called numpy.py in the user's folder must not become part of the engine.
COMMAND = (sys.executable, "-P", "-m", "fwtui.engine.child")
# numpy has only the features to make; its threads would wait for that by spinning, on the
# processors that the model works on: a third of all processor time, and nothing gets done sooner.
# The encoder's attention takes and returns tens of MB for each layer: the kernel takes as long to
# hand them out in pages of 4 kB as a small model takes to fill them (glibc >= 2.35).
# MKL, which the model computes with on Intel's processors, keeps a pool for each size of batch.
TUNING = {
    "OPENBLAS_NUM_THREADS": "1",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MKL_DISABLE_FAST_MM": "1",
}
# What msgspec raises on bytes that are not our protocol; deep nesting gives a RecursionError.
NOT_OURS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True)
class EngineExit:
    """How a child ended; `stderr_tail` holds its last lines."""

    returncode: int
    stderr_tail: tuple[str, ...]

    @property
    def failure(self) -> Failure:
        """The end as a failure, for when nobody asked for it."""
        return classify_exit(self.returncode, self.stderr_tail)

    def __str__(self) -> str:
        """The end in words."""
        return describe_exit(self.returncode)


class Witness(Protocol):
    """Learns of all that goes to and fro; called from any thread, must be quick."""

    def sent(self, request: AnyRequest) -> None:
        """The engine is asked for something."""

    def heard(self, reply: AnyReply) -> None:
        """The engine said something."""


class EngineClient:
    """One engine child. `send` and `kill` may be called from any thread, and never block.

    `replies` blocks and belongs to one thread; it is the only reader.
    """

    def __init__(
        self,
        model: ModelSettings,
        on_stderr: Callable[[str], None],
        command: tuple[str, ...] = COMMAND,
        witness: Witness | None = None,
    ) -> None:
        self.model = model
        self.is_gone = False  # it was reaped
        self._witness = witness
        self._last_words = LastWords(on_stderr)
        self._encoder = msgspec.json.Encoder()
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        try:
            with _signals_held_back():
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=TUNING | environment(os.environ, wheel_folders()),
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
        self.send(Load(model))

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def lines_said(self) -> int:
        """Lines that the child has written to stderr."""
        return self._last_words.lines

    def send(self, request: AnyRequest) -> None:
        """Send one request. A dead child is no error here: its end is told by `wait`."""
        if self._witness is not None:
            self._witness.sent(request)
        self._requests.put(self._encoder.encode(request) + b"\n")

    def _write(self) -> None:
        # In a thread, because a child that is starting up or stopped does not empty its pipe.
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            while (line := self._requests.get()) is not None:
                self._process.stdin.write(line)
                self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        self._last_words.drain(self._process.stderr)

    def replies(self) -> Iterator[AnyReply]:
        """The child's replies until it closes its end.

        Raises:
            EngineError: the child does not speak our protocol.

        """
        assert self._process.stdout is not None
        decoder: msgspec.json.Decoder[AnyReply] = msgspec.json.Decoder(AnyReply)
        for line in self._process.stdout:
            if line.endswith(b"\n"):  # a killed child can leave half a line
                try:
                    reply = decoder.decode(line)
                except NOT_OURS as error:
                    raise EngineError(
                        "The engine said something that is not our protocol",
                        "fwtui was updated while it ran, or its installation is damaged",
                    ) from error
                if self._witness is not None:
                    self._witness.heard(reply)
                yield reply

    def dump_stacks(self) -> None:
        """Have the child write the stacks of its threads to stderr, also if it is stopped."""
        if sys.platform != "win32":
            self._process.send_signal(signal.SIGUSR1)
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the child at once; a running window cannot be interrupted in any other way."""
        self._process.kill()

    def wait(self) -> EngineExit:
        """Reap the child, which must be ending, and say how it ended."""
        returncode = self._process.wait()
        self.is_gone = True
        self._requests.put(None)
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # requests that nobody took
                    pipe.close()
        return EngineExit(returncode, self._last_words.tail)


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Let the child begin with Ctrl-C and hang-up blocked.

    They reach the whole group, also a child that has not got as far as to ignore them.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
