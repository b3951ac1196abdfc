"""Text from outside in one harmless line, measured in terminal cells."""

import unicodedata

_WIDE = frozenset("WF")
# Controls, formats (they reorder or hide text), surrogates, private and unassigned characters,
# and line separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# The two joiners are ordinary spelling in many scripts, and in emoji.
_JOINERS = frozenset("\u200c\u200d")


def printable(text: str) -> str:
    r"""The text with everything that could steer a terminal shown as `\xNN` or `\uNNNN`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def cells(text: str) -> int:
    """How many columns printable text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _escaped(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _UNSAFE:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _cells(character: str) -> int:
    if character in _JOINERS or unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
