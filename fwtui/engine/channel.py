"""The engine's end of the pipe: replies on a private descriptor, requests on stdin."""

import os
import sys
import threading
from collections.abc import Iterator

import msgspec

from fwtui.core.events import Level
from fwtui.core.job import JobId
from fwtui.engine.protocol import AnyReply, AnyRequest, Note


class Channel:
    """Writes replies as JSON lines; any thread may send."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()

    @classmethod
    def take_stdout(cls) -> "Channel":
        """Keep stdout for the protocol and point descriptor 1 to stderr.

        Native libraries print to descriptor 1 whatever Python thinks of `sys.stdout`.
        """
        sys.stdout.flush()
        private = os.dup(1)
        os.dup2(2, 1)
        return cls(private)

    def send(self, reply: AnyReply) -> None:
        """Write one whole reply.

        Raises:
            BrokenPipeError: the parent has exited.

        """
        line = memoryview(self._encoder.encode(reply) + b"\n")
        with self._lock:
            while line:
                line = line[os.write(self._descriptor, line) :]

    def note(self, level: Level, text: str, job: JobId | None = None) -> None:
        """Send a line for the log."""
        self.send(Note(level, text, job))


def requests() -> Iterator[AnyRequest]:
    """Yield the parent's requests until it closes the pipe or dies."""
    decoder: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)
    for line in sys.stdin.buffer:
        yield decoder.decode(line)
