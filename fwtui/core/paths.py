"""Paths as text that JSON can hold, whatever bytes they consist of."""

import os
import re
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote, unquote_to_bytes, urlsplit

StrPath = str | os.PathLike[str]

# Marks names that are not valid Unicode; no path contains a NUL.
_MARK = "\0"


def expand_home(path: StrPath) -> Path:
    """The path with the home directory for `~`; unchanged where there is no such user or home.

    `Path.expanduser` raises RuntimeError then.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111


def path_to_text(path: StrPath) -> str:
    """The path as valid Unicode; undecodable names are percent-encoded after a NUL."""
    text = os.fspath(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _MARK + quote_from_bytes(os.fsencode(text))
    return text


def text_to_path(text: str) -> Path:
    """The inverse of `path_to_text`."""
    if text.startswith(_MARK):
        return Path(os.fsdecode(unquote_to_bytes(text[1:])))
    return Path(text)


_LINK = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*]+")
_MOST = 120


def is_link(text: str) -> bool:
    """Whether a text is a link (http or https) rather than a path."""
    return _LINK.fullmatch(text) is not None


def link_name(url: str) -> str:
    """A name for the file of a link until it is downloaded: its file name, or site and page."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "link"
    last = unquote(parts.path.rpartition("/")[2])
    if re.search(r"\w\.\w{2,5}$", last):
        return _NOT_IN_NAMES.sub(" ", last).strip()[-_MOST:]
    host = parts.hostname or ""
    page = unquote(" ".join(part for part in (parts.path, parts.query) if part))
    name = _NOT_IN_NAMES.sub(" ", f"{host.removeprefix('www.')} {page}")
    return " ".join(name.split())[:_MOST].rstrip(" .") or "link"


# The files found in folders and patterns; a file that is given by name may have any suffix.
MEDIA_SUFFIXES = frozenset(
    ".3gp .aac .ac3 .aif .aiff .amr .ape .asf .avi .caf .dts .flac .flv .m2ts .m4a .m4b .m4v .mka "
    ".mkv .mov .mp2 .mp3 .mp4 .mpeg .mpg .mts .mxf .oga .ogg .ogv .opus .ra .rm .spx .tta .ts .vob "
    ".voc .wav .weba .webm .wma .wmv .wv".split()
)
