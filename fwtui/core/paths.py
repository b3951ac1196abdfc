"""File names as text that JSON can hold, whatever bytes they are made of."""

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

StrPath = str | os.PathLike[str]

# A NUL cannot be in a path, so it marks names that are not valid Unicode.
_MARK = "\0"


def expand_home(path: StrPath) -> Path:
    """The path with the home directory for `~`; unchanged where there is no such user or home.

    `Path.expanduser` raises RuntimeError then.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111


def path_to_text(path: StrPath) -> str:
    """The path as valid Unicode; undecodable names are percent-encoded behind a NUL."""
    text = os.fspath(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _MARK + quote_from_bytes(os.fsencode(text))
    return text


def valid_text(text: str) -> str:
    r"""The text as valid Unicode, for people: undecodable bytes of file names become `\udcNN`."""
    return text.encode(errors="backslashreplace").decode()


def text_to_path(text: str) -> Path:
    """The path that `path_to_text` was given."""
    if text.startswith(_MARK):
        return Path(os.fsdecode(unquote_to_bytes(text[1:])))
    return Path(text)
