"""Paths as people and terminals write them: quoted, escaped, several, as URIs, one per line."""

import os
import shlex
from collections.abc import Callable, Sequence
from urllib.parse import unquote, urlsplit


def split_paths(text: str, exists: Callable[[str], bool] = os.path.lexists) -> tuple[str, ...]:
    """The paths and patterns in `text`; `exists` tells spaces in names from spaces between them.

    Reads the disk through `exists`: not for the event loop.
    """
    paths: list[str] = []
    for raw in text.splitlines():
        line = raw.strip()
        if line:
            paths.extend(_one_line(line, exists))
    return tuple(dict.fromkeys(paths))


def _one_line(line: str, exists: Callable[[str], bool]) -> list[str]:
    whole = _expanded(line)
    if _is_there(whole, exists):
        return [whole]
    try:
        words = shlex.split(line, posix=os.name != "nt")
    except ValueError:
        return _unclosed(line, exists) or [whole]
    return [_expanded(word.strip('"') if os.name == "nt" else word) for word in words]


def _unclosed(line: str, exists: Callable[[str], bool]) -> list[str]:
    """The paths if only the last quote is missing, as completion leaves it."""
    for quote in "'\"":
        try:
            words = [_expanded(word) for word in shlex.split(line + quote)]
        except ValueError:
            continue
        if words and _is_there(words[-1], exists):
            return words
    return []


def _is_there(path: str, exists: Callable[[str], bool]) -> bool:
    try:
        return exists(path)
    except (OSError, ValueError):
        return False


def _expanded(word: str) -> str:
    if word.startswith("file://"):
        return unquote(urlsplit(word).path)
    return os.path.expanduser(word)  # noqa: PTH111


def last_word(text: str) -> tuple[int, str]:
    """The start of the last, perhaps unfinished, path, and that path unquoted."""
    start, quote, escaped = 0, "", False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == " ":
            start = index + 1
    raw = text[start:]
    try:
        words = shlex.split(raw + quote)
    except ValueError:
        words = [raw]
    return start, words[0] if words else ""


def completions(prefix: str, suffixes: frozenset[str], most: int = 200) -> list[str]:
    """Folders (with a slash) and media files that start with `prefix`. Reads one folder."""
    typed = os.path.expanduser(prefix)  # noqa: PTH111
    folder, begin = os.path.split(typed)
    found: list[str] = []
    try:
        with os.scandir(folder or ".") as entries:
            for entry in entries:
                if not entry.name.startswith(begin) or (entry.name[0] == "." and not begin):
                    continue
                path = os.path.join(folder, entry.name)  # noqa: PTH118
                if entry.is_dir():
                    found.append(path + os.sep)
                elif os.path.splitext(entry.name)[1].lower() in suffixes:  # noqa: PTH122
                    found.append(path)
                if len(found) >= most:
                    break
    except OSError:
        return []
    return sorted(found)


def common_start(words: Sequence[str]) -> str:
    """The letters that all words start with."""
    if not words:
        return ""
    first, last = min(words), max(words)
    for index, char in enumerate(first):
        if last[index : index + 1] != char:
            return first[:index]
    return first
