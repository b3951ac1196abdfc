"""The parent's side of an engine child: start it, talk to it, drain it, judge its end."""

import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from fwtui.core.failure import Failure
from fwtui.core.settings import ModelSettings
from fwtui.engine.failure import classify_exit, describe_exit
from fwtui.engine.protocol import AnyReply, AnyRequest, Load
from fwtui.errors import EngineError

# -P: a file called numpy.py in the user's folder must not become part of the engine.
COMMAND = (sys.executable, "-P", "-m", "fwtui.engine.child")
STDERR_LINES = 40


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


class EngineClient:
    """One engine child. `send` and `kill` may be called from any thread.

    `replies` blocks and belongs to one thread; it is the only reader.
    """

    def __init__(
        self,
        model: ModelSettings,
        on_stderr: Callable[[str], None],
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self.model = model
        self._on_stderr = on_stderr
        self._lock = threading.Lock()
        self._tail: deque[str] = deque(maxlen=STDERR_LINES)
        self._encoder = msgspec.json.Encoder()
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise EngineError(
                f"The engine could not be started: {error.strerror}",
                "check free memory and the limit on processes (ulimit -u)",
            ) from error
        self.send(Load(model))

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def send(self, request: AnyRequest) -> None:
        """Write one request. A dead child is no error here: its end is told by `wait`."""
        assert self._process.stdin is not None
        with self._lock:
            try:
                self._process.stdin.write(self._encoder.encode(request) + b"\n")
                self._process.stdin.flush()
            except (BrokenPipeError, ValueError):  # ValueError: closed by `wait`
                return

    def replies(self) -> Iterator[AnyReply]:
        """The child's replies until it closes its end.

        Raises:
            msgspec.DecodeError: the child does not speak our protocol.

        """
        assert self._process.stdout is not None
        errors = threading.Thread(target=self._drain_stderr, name="engine-stderr", daemon=True)
        errors.start()
        decoder: msgspec.json.Decoder[AnyReply] = msgspec.json.Decoder(AnyReply)
        for line in self._process.stdout:
            if line.endswith(b"\n"):  # a killed child can leave half a line
                yield decoder.decode(line)
        errors.join()

    def _drain_stderr(self) -> None:
        assert self._process.stderr is not None
        for raw in self._process.stderr:
            line = raw.decode(errors="replace").rstrip()
            self._tail.append(line)
            self._on_stderr(line)

    def kill(self) -> None:
        """End the child at once; a running window cannot be interrupted in any other way."""
        self._process.kill()

    def wait(self) -> EngineExit:
        """Reap the child, which must be ending, and say how it ended."""
        returncode = self._process.wait()
        with self._lock:
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                if pipe is not None:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        continue
        return EngineExit(returncode, tuple(self._tail))
