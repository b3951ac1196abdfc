"""Text, times and bytes that cannot break the structure of an output file."""

import math
import re

_LINE_BREAK = re.compile(r"\r\n?")
_BLANK_LINES = re.compile(r"\n\s*\n")
_BREAKS = re.compile(r"[\r\n]+")


def encoded(text: str) -> bytes:
    """The text in UTF-8; lone surrogates become question marks."""
    return text.encode("utf-8", errors="replace")


def without_blank_lines(text: str) -> str:
    """The text without empty lines, which would end a subtitle; line breaks stay."""
    return _BLANK_LINES.sub("\n", _LINE_BREAK.sub("\n", text))


def on_one_line(text: str) -> str:
    """The text with a space for every line break."""
    return _BREAKS.sub(" ", text)


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, rounded half to even; a time that is not a number is 0."""
    ms = seconds * 1000.0
    return round(ms) if math.isfinite(ms) else 0


def timestamp(ms: int, *, hours: bool, marker: str) -> str:
    """`[hh:]mm:ss<marker>mmm`; without hours below one hour unless `hours`.

    Times before the start of the file become its start.
    """
    whole, ms = divmod(max(0, ms), 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    prefix = f"{hour:02d}:" if hours or hour > 0 else ""
    return f"{prefix}{minute:02d}:{second:02d}{marker}{ms:03d}"
