"""Which files of a watched folder are recordings, by their names. Pure."""

import os
import re
from collections.abc import Iterable
from enum import Enum, auto
from fnmatch import translate
from pathlib import PurePath

from fwtui.core.paths import MEDIA_SUFFIXES, OUTPUT_SUFFIXES

# Suffixes of files that browsers, downloaders and copying programs are still writing.
PARTIAL_SUFFIXES = frozenset(
    ".part .crdownload .tmp .partial .download .filepart .opdownload .!ut .!qb .aria2".split()
)


class FileKind(Enum):
    """The kind of a file, by its name."""

    RECORDING = auto()
    UNFINISHED = auto()
    OTHER = auto()


class NameFilter:
    """The include and exclude patterns of one folder; by default the suffixes of recordings.

    A pattern without a slash matches the name of the file or (if it excludes) of a folder on its
    path, one with a slash the path below the watched folder. `*` matches anything, and case does
    not matter. Transcripts are never recordings, whatever the patterns say.
    """

    def __init__(self, include: Iterable[str], exclude: Iterable[str]) -> None:
        self._include = tuple(_Pattern(pattern) for pattern in include)
        self._exclude = tuple(_Pattern(pattern) for pattern in exclude)

    def kind(self, relative: str) -> FileKind:
        """The kind of a file, by its path below the watched folder. Called for every file."""
        name = relative[relative.rfind(os.sep) + 1 :]
        suffix = name[name.rfind(".") :].lower() if "." in name else ""
        if suffix in PARTIAL_SUFFIXES or name.startswith("."):
            return FileKind.UNFINISHED
        if suffix in OUTPUT_SUFFIXES or self._is_excluded(relative):
            return FileKind.OTHER
        if self._include:
            included = any(pattern.matches(PurePath(relative)) for pattern in self._include)
        else:
            included = suffix in MEDIA_SUFFIXES
        return FileKind.RECORDING if included else FileKind.OTHER

    def _is_excluded(self, relative: str) -> bool:
        if not self._exclude:
            return False
        path = PurePath(relative)
        parts = (path, *path.parents[:-1])
        return any(pattern.matches(part) for pattern in self._exclude for part in parts)


class _Pattern:
    def __init__(self, text: str) -> None:
        text = text.casefold().replace("\\", "/").strip("/")
        self._whole = "/" in text
        self._match = re.compile(translate(text)).match

    def matches(self, path: PurePath) -> bool:
        text = path.as_posix() if self._whole else path.name
        return self._match(text.casefold()) is not None
