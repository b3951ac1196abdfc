"""Text from the model as bytes that cannot break the structure of a file."""

import re

_LINE_BREAK = re.compile(r"\r\n?")
_BLANK_LINES = re.compile(r"\n\s*\n")
_BREAKS = re.compile(r"[\r\n]+")


def encoded(text: str) -> bytes:
    """UTF-8; what UTF-8 cannot hold (lone surrogates) becomes a question mark."""
    return text.encode("utf-8", errors="replace")


def without_blank_lines(text: str) -> str:
    """The text with its line breaks, but without empty lines: those would end a subtitle."""
    return _BLANK_LINES.sub("\n", _LINE_BREAK.sub("\n", text))


def on_one_line(text: str) -> str:
    """The text with a space for every line break."""
    return _BREAKS.sub(" ", text)
