"""Search of the command line's paths in a child process while this one imports the screen.

Imports little, because it is imported before everything else.
"""

import gc
import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import IO, TYPE_CHECKING

from fwtui.batch.discovery import find_in_portions

if TYPE_CHECKING:
    from fwtui.batch.discovery import Found

COMMAND = (sys.executable, "-P", "-m", "fwtui.batch.prefetch")


class Prefetch:
    """Starts to search `paths` when it is created; a context manager that ends the child.

    Listing and sorting a folder of 100,000 files takes 0.2 s. A thread would compete with the
    imports, and later with the screen, for the interpreter's lock.
    """

    def __init__(self, paths: tuple[str, ...], command: tuple[str, ...] = COMMAND) -> None:
        self._paths: tuple[str, ...] | None = paths
        self._child = _start([*command, *paths]) if paths else None

    def find(self, paths: Iterable[str]) -> "Iterator[Found]":
        """The results of `find_in_portions`; those for its own paths come, once, from the child."""
        paths = tuple(paths)
        if self._child is not None and paths == self._paths:
            self._paths = None
            with suppress(*_BROKEN):
                yield from _read_results(self._child)
                self._child.wait()
                return
        yield from find_in_portions(paths)

    def __enter__(self) -> "Prefetch":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            _output_of(self._child).close()


# The child ended too early, or its output was closed.
_BROKEN = (EOFError, OSError, ValueError)


def _start(command: list[str]) -> subprocess.Popen[bytes] | None:
    nothing = subprocess.DEVNULL
    try:
        return subprocess.Popen(
            command,
            stdin=nothing,
            stdout=subprocess.PIPE,
            stderr=nothing,
            start_new_session=True,  # a batch may outlive the terminal with its signals
        )
    except OSError:  # too many names, or processes: this process searches itself
        return None


def _read_results(child: subprocess.Popen[bytes]) -> "Iterator[Found]":
    """Raises one of `_BROKEN`."""
    # Also raised for bytes that something else in the child has printed.
    no_pickle = (pickle.UnpicklingError, AttributeError, ImportError, LookupError, TypeError)
    try:
        while (found := pickle.load(_output_of(child))) is not None:  # noqa: S301  our own child's
            yield found
    except no_pickle as error:
        raise EOFError from error


def _output_of(child: subprocess.Popen[bytes]) -> IO[bytes]:
    assert child.stdout is not None
    return child.stdout


def main() -> None:
    """Write the results to stdout, until everything is found or nobody reads them."""
    gc.disable()  # this process ends soon
    out = sys.stdout.buffer
    try:
        for found in find_in_portions(sys.argv[1:]):
            out.write(pickle.dumps(found))
            out.flush()
        out.write(pickle.dumps(None))
        out.flush()
    except BrokenPipeError:
        sys.stdout = None  # otherwise Python would complain when it closes the stream


if __name__ == "__main__":
    main()
