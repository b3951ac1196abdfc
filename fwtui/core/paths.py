"""Paths as text that JSON can hold, whatever bytes they consist of."""

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

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
