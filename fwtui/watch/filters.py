"""Which files of a watched folder are recordings, by their names alone. Pure."""

import os
import re
from collections.abc import Iterable
from enum import Enum, auto
from fnmatch import translate
from pathlib import PurePath

from fwtui.core.inputs import MEDIA_SUFFIXES
from fwtui.outputs.formats.registry import FORMATS

# What browsers, downloaders and copying programs call a file that they are still writing.
PARTIAL_SUFFIXES = frozenset(
    ".part .crdownload .tmp .partial .download .filepart .opdownload .!ut .!qb .aria2".split()
)
_OUTPUTS = frozenset(f".{name}" for name in FORMATS)


class Kind(Enum):
    """What a name says about a file."""

    RECORDING = auto()
    UNFINISHED = auto()
    OTHER = auto()


class Names:
    """The rule of one folder: its patterns, or the usual suffixes of recordings.

    A pattern without a slash is about the name of the file or (when it excludes) of a folder
    that it is in, one with a slash about the path below the watched folder. `*` matches anything,
    and the case does not count. Transcripts are never recordings, whatever the patterns say.
    """

    def __init__(self, include: Iterable[str], exclude: Iterable[str]) -> None:
        self._include = tuple(_Pattern(pattern) for pattern in include)
        self._exclude = tuple(_Pattern(pattern) for pattern in exclude)

    def kind(self, relative: str) -> Kind:
        """What a file is, by its path below the watched folder. Hundreds of thousands are asked."""
        name = relative[relative.rfind(os.sep) + 1 :]
        suffix = name[name.rfind(".") :].lower() if "." in name else ""
        if suffix in PARTIAL_SUFFIXES or name.startswith("."):
            return Kind.UNFINISHED
        if suffix in _OUTPUTS or self._is_excluded(relative):
            return Kind.OTHER
        if self._include:
            taken = any(pattern.fits(PurePath(relative)) for pattern in self._include)
        else:
            taken = suffix in MEDIA_SUFFIXES
        return Kind.RECORDING if taken else Kind.OTHER

    def _is_excluded(self, relative: str) -> bool:
        if not self._exclude:
            return False
        path = PurePath(relative)
        places = (path, *path.parents[:-1])
        return any(pattern.fits(place) for pattern in self._exclude for place in places)


class _Pattern:
    def __init__(self, text: str) -> None:
        text = text.casefold().replace("\\", "/").strip("/")
        self._whole = "/" in text
        self._fits = re.compile(translate(text)).match

    def fits(self, path: PurePath) -> bool:
        text = path.as_posix() if self._whole else path.name
        return self._fits(text.casefold()) is not None
