"""Events as JSON lines on stdout, written by a separate thread."""

import os
from queue import SimpleQueue
from threading import Thread

import msgspec

from fwtui.core.disk_errors import reason_of
from fwtui.core.events import AnyEvent, with_explicit_stems
from fwtui.errors import FwtuiError

STDOUT = 1


class JsonLines:
    """Writes each event as one line to a file descriptor.

    A slow reader delays the writing thread only, never the batch. A reader that has gone ends the
    writing, not the batch; so does a full disk, which is the `error`.
    """

    def __init__(self, descriptor: int = STDOUT) -> None:
        self._descriptor = descriptor
        self.error: OSError | None = None
        self._queue: SimpleQueue[AnyEvent | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="json lines", daemon=True)
        self._thread.start()

    def __call__(self, event: AnyEvent) -> None:
        """Queue one event; returns at once."""
        self._queue.put(event)

    def close(self) -> None:
        """Write what is queued and end; blocks until the reader has read it."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        encode = msgspec.json.Encoder().encode
        try:
            while (event := self._queue.get()) is not None:
                _write_all(self._descriptor, encode(with_explicit_stems(event)) + b"\n")
        except BrokenPipeError:
            return  # the reader has what it wanted
        except OSError as error:
            self.error = error


def unwritable_stdout(error: OSError) -> FwtuiError:
    """The error to show when stdout, which is a file on a disk, cannot be written."""
    return FwtuiError(f"Cannot write to stdout: {reason_of(error)}")


def discard_stdout() -> None:
    """Send further output on stdout to the null device, so that Python can exit quietly."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, STDOUT)
    os.close(null)


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
