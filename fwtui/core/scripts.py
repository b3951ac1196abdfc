"""Writing systems: which have no spaces between words, and which characters belong to others."""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

# First and last character of the blocks whose scripts are written without spaces between words:
# Thai, Lao, Tibetan, Burmese, Khmer, Javanese, Chinese and Japanese. Korean has spaces.
_BLOCKS = (
    (0x0E00, 0x0FFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x19E0, 0x19FF),
    (0x2E80, 0x2FDF),
    (0x3005, 0x3007),
    (0x3021, 0x312F),
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA980, 0xA9FF),
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)
_FIRSTS = tuple(first for first, _ in _BLOCKS)
# Vowels that are letters to Unicode but belong to the consonant before them (Thai, Lao).
_FOLLOWING = frozenset("\u0e33\u0eb3")
_JOINERS = frozenset("\u200c\u200d\u2060")
# Their languages, by Whisper's codes.
_LANGUAGES = frozenset("bo ja km lo my th yue zh".split())
_MARKS = frozenset({"Mn", "Mc", "Me"})


def has_no_spaces(character: str) -> bool:
    """Whether a character is of a script without spaces between words."""
    code = ord(character)
    if code < _FIRSTS[0]:
        return False
    return code <= _BLOCKS[bisect_right(_FIRSTS, code) - 1][1]


def is_unspaced(text: str, language: str = "") -> bool:
    """Whether a text is in a script without spaces between words: its language, or most letters."""
    if language in _LANGUAGES:
        return True
    if text.isascii():
        return False
    letters = [character for character in text if is_letter(character)]
    return 2 * sum(map(has_no_spaces, letters)) > len(letters)


def is_east_asian(text: str) -> bool:
    """Whether all characters are of Chinese or Japanese, which have no space between them."""
    return not text.isascii() and all(
        unicodedata.east_asian_width(one) in {"W", "F"} and not _is_hangul(one) for one in text
    )


def _is_hangul(character: str) -> bool:
    return 0xAC00 <= ord(character) <= 0xD7AF or 0x1100 <= ord(character) <= 0x11FF


def is_mark(character: str) -> bool:
    """Whether a character belongs to the one before it: accents, vowel signs, joiners."""
    if character.isascii():
        return False
    return (
        unicodedata.category(character) in _MARKS
        or character in _JOINERS
        or character in _FOLLOWING
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # colours of skin
    )


def is_letter(character: str) -> bool:
    """Whether a character is part of a word: a letter, a digit, or a mark on one."""
    return character.isalnum() or (
        not character.isascii() and unicodedata.category(character) in _MARKS
    )


def width(text: str) -> int:
    """The number of characters as they are read: marks count with the letter that bears them."""
    if text.isascii():
        return len(text)
    return sum(not is_mark(character) for character in text)


def clusters(text: str) -> Iterator[str]:
    """A text's characters, each with the marks that belong to it."""
    part = ""
    for character in text:
        if part and not is_mark(character) and part[-1] != "\u200d":
            yield part
            part = ""
        part += character
    if part:
        yield part


@lru_cache(maxsize=1)
def marks_class() -> str:
    r"""All marks of the basic plane, as a part of a regular expression's character class.

    Python's `\w` leaves them out: to it a word of Hindi ends at every vowel sign.
    """
    runs: list[list[int]] = []
    for code in range(0x300, 0xFFFE):
        if unicodedata.category(chr(code)) in _MARKS:
            if runs and runs[-1][1] == code - 1:
                runs[-1][1] = code
            else:
                runs.append([code, code])
    return "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in runs)
