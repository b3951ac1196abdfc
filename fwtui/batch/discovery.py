"""From what the user names (files, folders, patterns) to media files. Blocks on the disk.

Imports little: a child that does nothing else comes to an end before the screen is drawn.
"""

import contextlib
import glob
import math
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from fwtui.batch.found import Found, Problem
from fwtui.core.inputs import is_link
from fwtui.core.media import MEDIA_SUFFIXES
from fwtui.core.natural import in_natural_order
from fwtui.core.paths import valid_text

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
