"""From what the user names (files, folders, patterns) to media files. Blocks on the disk."""

import contextlib
import glob
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.links import is_link
from fwtui.core.paths import valid_text

# What folders and patterns are searched for; a file that is named itself is always taken.
MEDIA_SUFFIXES = frozenset(
    ".3gp .aac .ac3 .aif .aiff .amr .ape .asf .avi .caf .dts .flac .flv .m2ts .m4a .m4b .m4v .mka "
    ".mkv .mov .mp2 .mp3 .mp4 .mpeg .mpg .mts .mxf .oga .ogg .ogv .opus .ra .rm .spx .tta .ts .vob "
    ".voc .wav .weba .webm .wma .wmv .wv".split()
)


@dataclass(frozen=True)
class Problem:
    """Something named that cannot become a transcript, and why."""

    path: Path
    failure: Failure


@dataclass(frozen=True)
class Found:
    """Absolute paths of the files found, each once, what could not be read, and links."""

    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    links: tuple[str, ...] = ()


def find_media(names: Iterable[str]) -> Found:
    """Look up files, folders (recursively), glob patterns and links, in the order given.

    Within a folder or pattern the order is natural: `part 2` before `part 10`.
    """
    files: dict[Path, None] = {}
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
    return Found(tuple(files), tuple(problems.values()), tuple(links))


def absolute(name: str) -> Path:
    """The absolute path, with ~ expanded; links are kept."""
    path = Path(name)
    with contextlib.suppress(RuntimeError):  # there is no such user: then it is just a name
        path = path.expanduser()
    return Path(os.path.abspath(path))  # noqa: PTH100  resolve() follows links


def _look_up(name: str, path: Path, files: dict[Path, None], problems: dict[Path, Problem]) -> None:
    if path.is_dir():
        for found in _walk(path, problems):
            files[found] = None
    elif os.path.lexists(path):
        files[path] = None
    elif glob.has_magic(name):
        for match in sorted(glob.iglob(str(path), recursive=True), key=natural_key):  # noqa: PTH207
            if Path(match).is_dir():
                for found in _walk(Path(match), problems):
                    files[found] = None
            elif Path(match).suffix.lower() in MEDIA_SUFFIXES:
                files[Path(match)] = None
    else:
        raise FileNotFoundError(2, "No such file or folder", str(path))


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
