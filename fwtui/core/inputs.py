"""Inputs: links, their names, and the suffixes of media files. Pure."""

import re
from urllib.parse import unquote, urlsplit

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
