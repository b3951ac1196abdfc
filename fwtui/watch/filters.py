"""Which files of a watched folder are recordings, by their names. Pure."""

import os
import re
from collections.abc import Iterable
from enum import Enum, auto
from fnmatch import translate
from pathlib import PurePath

from fwtui.core.paths import MEDIA_SUFFIXES, OUTPUT_SUFFIXES

# Suffixes of files that browsers, downloaders and copying programs are still writing, and of those
# in which they note beside a file how far it is.
PARTIAL_SUFFIXES = frozenset(
    ".part .partial .crdownload .opdownload .download .filepart .tmp .temp .incomplete .unfinished "
    ".ytdl .aria2 .aria2__temp .!qb .!ut .!bt .bc! .jc! .!sync .st .fdmdownload .dctmp .xltd .td "
    ".lftp-pget-status .megatmp".split()
)
# yt-dlp numbers its fragments; what is merged or converted is called `name.temp.mp4` meanwhile.
_FRAGMENT = re.compile(r"\.part-frag\d+$", re.IGNORECASE)
_BETWEEN = re.compile(r"\.temp\.\w{2,5}$", re.IGNORECASE)
# A file `talk.tmp` may have nothing to do with `talk.wav`, unlike `talk.wav.tmp`.
_OF_FULL_NAMES = frozenset({".tmp", ".temp", ".st", ".td", ".download"})


def is_unfinished(name: str) -> bool:
    """Whether a file with this name is still being written, or notes how far another is."""
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    if suffix in PARTIAL_SUFFIXES:
        return True
    lowered = name.lower()
    return (".part-frag" in lowered and _FRAGMENT.search(name) is not None) or (
        ".temp." in lowered and _BETWEEN.search(name) is not None
    )


def sidecar(name: str, others: Iterable[str]) -> str:
    """Which of the `others` in its folder says that a file is not complete; empty: none.

    That is a file with an unfinished name that begins with the whole name of this one, or with its
    stem alone where the suffix is that of a downloader.
    """
    whole = f"{name}.".casefold()
    stem = name[: name.rfind(".")].casefold() if "." in name[1:] else ""
    for other in others:
        folded = other.casefold()
        if folded.startswith(whole) and is_unfinished(other):
            return other
        suffix = folded[folded.rfind(".") :] if "." in folded else ""
        of_stem = suffix in PARTIAL_SUFFIXES and suffix not in _OF_FULL_NAMES
        if stem and of_stem and folded == stem + suffix:
            return other
    return ""


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
        if name.startswith(".") or is_unfinished(name):
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
