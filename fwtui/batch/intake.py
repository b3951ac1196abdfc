"""From what the user names (files, folders, patterns) to media files. Blocks on the disk."""

import contextlib
import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.links import is_link
from fwtui.core.media import MEDIA_SUFFIXES
from fwtui.core.paths import valid_text


class Problem(Struct, frozen=True):
    """Something named that cannot become a transcript, and why."""

    path: Path
    failure: Failure


class Found(Struct, frozen=True):
    """Absolute paths of the files found, each once, what could not be read, and links.

    `roots` has the folder that was named, for files that were found in one.
    """

    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    roots: Mapping[Path, Path] = field(default_factory=dict)
    links: tuple[str, ...] = ()


def find_media(names: Iterable[str]) -> Found:
    """Look up files, folders (recursively), glob patterns and links, in the order given.

    Within a folder or pattern the order is natural: `part 2` before `part 10`.
    """
    files: dict[Path, Path | None] = {}
    problems: dict[Path, Problem] = {}
    links: dict[str, None] = {}
    for name in names:
        if is_link(name):
            links[name] = None
            continue
        path = absolute(name)
        try:
            _look_up(name, path, files, problems)
        except OSError as error:
            problems[path] = _problem(path, error)
    roots = {path: root for path, root in files.items() if root is not None}
    return Found(tuple(files), tuple(problems.values()), roots, tuple(links))


def absolute(name: str) -> Path:
    """The absolute path, with ~ expanded; links are kept."""
    path = Path(name)
    with contextlib.suppress(RuntimeError):  # there is no such user: then it is just a name
        path = path.expanduser()
    return Path(os.path.abspath(path))  # noqa: PTH100  resolve() follows links


def _look_up(
    name: str, path: Path, files: dict[Path, Path | None], problems: dict[Path, Problem]
) -> None:
    if path.is_dir():
        for found in _walk(path, problems):
            files.setdefault(found, path)
    elif os.path.lexists(path):
        files.setdefault(path, None)
    elif glob.has_magic(name):
        root = _fixed_part(path)
        for match in sorted(glob.iglob(str(path), recursive=True), key=natural_key):  # noqa: PTH207
            if Path(match).is_dir():
                for found in _walk(Path(match), problems):
                    files.setdefault(found, root)
            elif Path(match).suffix.lower() in MEDIA_SUFFIXES:
                files.setdefault(Path(match), root)
    else:
        raise FileNotFoundError(2, "No such file or folder", str(path))


def _fixed_part(pattern: Path) -> Path:
    """The folder of a pattern that holds whatever it finds."""
    return next(folder for folder in pattern.parents if not glob.has_magic(str(folder)))


def _walk(folder: Path, problems: dict[Path, Problem]) -> Iterator[Path]:
    def refused(error: OSError) -> None:
        path = Path(error.filename or folder)
        problems[path] = _problem(path, error)

    for parent, folders, names in os.walk(folder, onerror=refused):
        folders.sort(key=natural_key)
        for name in sorted(names, key=natural_key):
            if Path(name).suffix.lower() in MEDIA_SUFFIXES and not name.startswith("."):
                yield Path(parent, name)


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key that counts numbers as numbers and ignores case."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _problem(path: Path, error: OSError) -> Problem:
    title = valid_text(f"{error.strerror or error}: {path}")
    if isinstance(error, PermissionError):
        failure = Failure(FailureKind.PERMISSION, title, "check its permissions")
    elif isinstance(error, FileNotFoundError):
        failure = Failure(FailureKind.FILE_MISSING, title, "check the name")
    else:
        failure = Failure(FailureKind.INTERNAL, title, "check the disk or share")
    return Problem(path, failure)
