"""The paths of the command line, looked up by a child while this process imports the screen."""

import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress

from fwtui.batch.intake import Found, find_bit_by_bit

COMMAND = (sys.executable, "-P", "-m", "fwtui.batch.intake_child")


class Ahead:
    """Begins to look `paths` up when it is made; `close` must be called.

    A folder of 100,000 files takes half a second, which is hidden in the start of the screen. A
    thread would not do: it would share the one lock of the interpreter with the imports, and
    later with the screen.
    """

    def __init__(self, paths: tuple[str, ...], command: tuple[str, ...] = COMMAND) -> None:
        self._paths: tuple[str, ...] | None = paths
        self._child = _begun([*command, *paths]) if paths else None

    def find(self, paths: Iterable[str]) -> Iterator[Found]:
        """As `find_bit_by_bit`, which it calls for all but the first time for its own paths."""
        paths = tuple(paths)
        if self._child is not None and paths == self._paths:
            self._paths = None
            with suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
                yield from _answers(self._child)
                return
        yield from find_bit_by_bit(paths)

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            assert self._child.stdout is not None
            self._child.stdout.close()


def _begun(command: list[str]) -> subprocess.Popen[bytes] | None:
    nothing = subprocess.DEVNULL
    try:
        return subprocess.Popen(command, stdin=nothing, stdout=subprocess.PIPE, stderr=nothing)
    except OSError:  # there are too many names, or processes: `find` does it itself
        return None


def _answers(child: subprocess.Popen[bytes]) -> Iterator[Found]:
    """Raises EOFError if the child ended too early."""
    assert child.stdout is not None
    while (found := pickle.load(child.stdout)) is not None:  # noqa: S301  it is our own child's
        yield found
