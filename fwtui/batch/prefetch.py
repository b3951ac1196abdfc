"""The paths of the command line, looked up by a child while this process imports the screen.

Imports little, because it comes before all else.
"""

import gc
import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from select import select
from types import TracebackType
from typing import IO, TYPE_CHECKING

from fwtui.batch.discovery import find_in_portions

if TYPE_CHECKING:
    from fwtui.batch.discovery import Found

COMMAND = (sys.executable, "-P", "-m", "fwtui.batch.prefetch")


class Ahead:
    """Begins to look `paths` up when it is made; a context, at whose end the child is ended.

    A folder of 100,000 files takes a third of a second, which is hidden in the start of the screen.
    A thread would not do: it would share the one lock of the interpreter with the imports, and
    later with the screen.
    """

    def __init__(self, paths: tuple[str, ...], command: tuple[str, ...] = COMMAND) -> None:
        self._paths: tuple[str, ...] | None = paths
        self._first: Found | None = None
        self._child = _begun([*command, *paths]) if paths else None

    def first(self) -> "Found | None":
        """The first files, if they are found by now; it never waits for them."""
        if self._first is None and self._paths and self._child is not None:
            with suppress(*_BROKEN):
                if select([_answer_of(self._child)], (), (), 0)[0]:
                    self._first = next(_answers(self._child), None)
        return self._first

    def find(self, paths: Iterable[str]) -> "Iterator[Found]":
        """As `find_in_portions`, which it calls for all but the first time for its own paths."""
        paths = tuple(paths)
        if self._child is not None and paths == self._paths:
            self._paths = None
            if self._first is not None:
                yield self._first
            with suppress(*_BROKEN):
                yield from _answers(self._child)
                self._child.wait()  # it has nothing more to do; nobody looks again until the end
                return
        from fwtui.batch.discovery import find_in_portions

        yield from find_in_portions(paths)

    def __enter__(self) -> "Ahead":
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
            _answer_of(self._child).close()


# The child has ended too early, or (of `select`) this system waits for sockets only.
_BROKEN = (EOFError, OSError, ValueError)


def _begun(command: list[str]) -> subprocess.Popen[bytes] | None:
    nothing = subprocess.DEVNULL
    try:
        return subprocess.Popen(
            command,
            stdin=nothing,
            stdout=subprocess.PIPE,
            stderr=nothing,
            start_new_session=True,  # a batch may outlive the terminal with its signals
        )
    except OSError:  # there are too many names, or processes: `find` does it itself
        return None


def _answers(child: subprocess.Popen[bytes]) -> "Iterator[Found]":
    """Raises one of `_BROKEN`."""
    import pickle

    # What else may come of bytes that something in the child wrote before it.
    no_pickle = (pickle.UnpicklingError, AttributeError, ImportError, LookupError, TypeError)
    try:
        while (found := pickle.load(_answer_of(child))) is not None:  # noqa: S301  our own child's
            yield found
    except no_pickle as error:
        raise EOFError from error


def _answer_of(child: subprocess.Popen[bytes]) -> IO[bytes]:
    assert child.stdout is not None
    return child.stdout


def main() -> None:
    """Write to stdout until everything is found, or nobody reads any more."""
    gc.disable()  # what it makes is written, and then it ends
    out = sys.stdout.buffer
    try:
        for found in find_in_portions(sys.argv[1:]):
            out.write(pickle.dumps(found))
            out.flush()
        out.write(pickle.dumps(None))
        out.flush()
    except BrokenPipeError:
        # Python would complain when it closes the stream at its end.
        sys.stdout = None


if __name__ == "__main__":
    main()
