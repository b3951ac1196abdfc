"""From what the user names (files, folders, patterns) to media files. Blocks on the disk.

Imports little: a child that does nothing else comes to an end before the screen is drawn.
"""

import contextlib
import glob
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from fwtui.core.commands import AnyCommand, Pause, Quit, Start, Stop
from fwtui.core.events import AddingChanged
from fwtui.core.inputs import MEDIA_SUFFIXES, is_link
from fwtui.core.paths import valid_text
from fwtui.core.text import in_natural_order

if TYPE_CHECKING:
    from fwtui.core.failure import Failure


class Problem(NamedTuple):
    """Something named that cannot become a transcript, and why."""

    path: Path
    failure: "Failure"


class Found(NamedTuple):
    """Absolute paths of the files found, each once, what could not be read, and links.

    `roots` has, for each of the files, the folder that was named and led to it; empty if the file
    was named itself. Text, and no `Path`: a hundred thousand of these take 30 MB.
    """

    files: tuple[str, ...]
    problems: tuple[Problem, ...]
    roots: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


FIRST_SECONDS, MOST_SECONDS = 0.001, 0.05  # of a portion


class _File(NamedTuple):
    path: str
    root: str = ""


_Find = _File | Problem | str
"""The string is a link."""


def find_media(names: Iterable[str]) -> Found:
    """Look up files, folders (recursively), glob patterns and links, in the order given.

    Within a folder or pattern the order is natural: `part 2` before `part 10`.
    """
    return next(find_bit_by_bit(names, math.inf))


def find_bit_by_bit(
    names: Iterable[str], first: float = FIRST_SECONDS, most: float = MOST_SECONDS
) -> Iterator[Found]:
    """As `find_media`, in portions; one at least.

    Each is what is found in twice the seconds of the one before it, from `first` up to `most`.
    """
    finds, seconds = _Finds(), first
    for find in _look_up_all(names):
        if finds.take(find) and time.monotonic() - finds.began > seconds:
            yield finds.portion()
            seconds = min(2 * seconds, most)
    yield finds.portion()


class _Finds:
    """Gathers a portion; knows what was in those before."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._portion: list[_Find] = []
        self.began = 0.0  # when the first of the portion was found

    def take(self, find: _Find) -> bool:
        """Add it to the portion, if it was not found before."""
        key = find if isinstance(find, str) else str(find.path)
        if key in self._seen:
            return False
        self._seen.add(key)
        if not self._portion:
            self.began = time.monotonic()
        self._portion.append(find)
        return True

    def portion(self) -> Found:
        """What was taken since the last one."""
        finds, self._portion = self._portion, []
        files = [find for find in finds if isinstance(find, _File)]
        return Found(
            files=tuple(file.path for file in files),
            problems=tuple(find for find in finds if isinstance(find, Problem)),
            roots=tuple(file.root for file in files),
            links=tuple(find for find in finds if isinstance(find, str)),
        )


def absolute(name: str) -> Path:
    """The absolute path, with ~ expanded; links are kept."""
    path = Path(name)
    with contextlib.suppress(RuntimeError):  # there is no such user: then it is just a name
        path = path.expanduser()
    return Path(os.path.abspath(path))  # noqa: PTH100  resolve() follows links


def _look_up_all(names: Iterable[str]) -> Iterator[_Find]:
    for name in names:
        if is_link(name):
            yield name
            continue
        path = absolute(name)
        try:
            yield from _look_up(name, path)
        except OSError as error:
            yield _problem(path, error)


def _look_up(name: str, path: Path) -> Iterator[_Find]:
    if path.is_dir():
        yield from _walk(str(path), str(path))
    elif os.path.lexists(path):
        yield _File(str(path))
    elif glob.has_magic(name):
        root = _fixed_part(path)
        for match in in_natural_order(glob.iglob(str(path), recursive=True)):  # noqa: PTH207
            if Path(match).is_dir():
                yield from _walk(os.path.normpath(match), root)
            elif is_media(match):
                yield _File(match, root)
    else:
        raise FileNotFoundError(2, "No such file or folder", str(path))


def _fixed_part(pattern: Path) -> str:
    """The folder of a pattern that holds whatever it finds."""
    return next(folder for folder in map(str, pattern.parents) if not glob.has_magic(folder))


def _walk(folder: str, root: str) -> Iterator[_Find]:
    refused: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=refused.append):
        folders[:] = in_natural_order(folders)
        for name in in_natural_order(names):
            if is_media(name) and not name.startswith("."):
                yield _File(os.path.join(parent, name), root)  # noqa: PTH118  100,000 of them
    for error in refused:
        yield _problem(Path(error.filename or folder), error)


def is_media(name: str) -> bool:
    """Whether a file is called like a recording."""
    return os.path.splitext(name)[1].lower() in MEDIA_SUFFIXES  # noqa: PTH122  100,000 of them


def _problem(path: Path, error: OSError) -> Problem:
    from fwtui.core.failure import Failure, FailureKind

    title = valid_text(f"{error.strerror or error}: {path}")
    if isinstance(error, PermissionError):
        failure = Failure(FailureKind.PERMISSION, title, "check its permissions")
    elif isinstance(error, FileNotFoundError):
        failure = Failure(FailureKind.FILE_MISSING, title, "check the name")
    else:
        failure = Failure(FailureKind.INTERNAL, title, "check the disk or share")
    return Problem(path, failure)


Finder = Callable[[Iterable[str]], Iterator[Found]]


class LookedUp(Struct, frozen=True):
    """Some of what the paths of an `AddPaths` led to, with its roots."""

    found: Found
    roots: tuple[str, ...] = ()


class LookedUpAll(Struct, frozen=True):
    """There is no more to find in these paths."""

    paths: tuple[str, ...]


class Incoming:
    """Looks paths up in a thread of its own: a folder can be huge, and a network share can hang.

    Meanwhile other commands wait, because they may be about the files that are being added; only
    those that end work do not. `post` puts what is found into the runner's inbox, from any thread,
    bit by bit: the first of a hundred thousand files are there at once. `find` does the work;
    `tell` hears of what others have to wait for.
    """

    def __init__(
        self,
        post: Callable[[LookedUp | LookedUpAll], None],
        tell: Callable[[AddingChanged], None],
    ) -> None:
        self.find: Finder = find_bit_by_bit
        self._post = post
        self._tell = tell
        self._told = AddingChanged(adding=False)
        self._turn = threading.Semaphore(0)
        self._looking = False
        self._waiting: deque[AnyCommand] = deque()

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be added or obeyed."""
        return self._looking or bool(self._waiting)

    @property
    def is_looking(self) -> bool:
        """Whether there may be more to find."""
        return self._looking

    def must_wait(self, command: AnyCommand) -> bool:
        """Whether the command comes out of `next` later; it is kept then."""
        if isinstance(command, Pause | Stop | Quit):
            starts = [waiting for waiting in self._waiting if isinstance(waiting, Start)]
            for start in starts:
                self._waiting.remove(start)
            self._tell_changes()
            return False
        if self.is_busy:
            self._waiting.append(command)
            self._tell_changes()
            return True
        return False

    def next(self) -> AnyCommand | None:
        """The next command that has waited and need not wait any longer."""
        return self._waiting.popleft() if self._waiting and not self._looking else None

    def look_up(self, paths: tuple[str, ...], roots: tuple[str, ...] = ()) -> None:
        """Find the media files; the answers are posted, with these roots."""
        self._looking = True
        self._tell_changes()
        # A daemon: one that hangs for ever must not keep fwtui from ending.
        threading.Thread(target=self._find, args=(paths, roots), name="intake", daemon=True).start()

    def _find(self, paths: tuple[str, ...], roots: tuple[str, ...]) -> None:
        try:
            for found in self.find(paths):
                self._answer(LookedUp(found, roots))
                # Else thousands would be in front of a command that the user gives meanwhile.
                self._turn.acquire()
        finally:  # all other commands wait for it
            self._answer(LookedUpAll(paths))

    def _answer(self, answer: LookedUp | LookedUpAll) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for it
            self._post(answer)

    def taken(self, answer: LookedUp) -> LookedUp:
        """The answer, which was taken out of the inbox: the search goes on."""
        self._turn.release()
        return answer

    def done(self) -> None:
        """The last answer was taken out of the inbox."""
        self._looking = False
        self._tell_changes()

    @property
    def state(self) -> AddingChanged:
        """What others have to wait for."""
        starts = any(isinstance(command, Start) for command in self._waiting)
        return AddingChanged(self._looking, self._looking and starts)

    def _tell_changes(self) -> None:
        state = self.state
        if state != self._told:
            self._told = state
            self._tell(state)
