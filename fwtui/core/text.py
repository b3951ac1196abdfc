"""Text for people: names made safe to show, natural order, times, sizes and amounts of memory."""

import math
import re
import shlex
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

import msgspec

# --- safe to show in a terminal

_WIDE = frozenset("WF")
# Controls, formats (which reorder or hide text), surrogates, private and unassigned characters, and
# line separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# The two joiners are ordinary spelling in many scripts, and in emoji.
_JOINERS = frozenset("\u200c\u200d")


def printable(text: str) -> str:
    r"""The text with everything that could control a terminal shown as `\xNN` or `\uNNNN`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_printable(character) for character in text)


def escaped(character: str) -> str:
    r"""A character as `\xNN` or `\uNNNN`; undecodable bytes of file names are `\udcNN`."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


# Joined to the character before it.
_JOINED = re.compile(
    "\u200d(?:[\u2190-\u2bff\U0001f000-\U0001faff][\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]*)?"
)
# Variation selectors, keycaps, skin tones, fillers and tone marks: what they add to the character
# before them, some terminals add to the row.
_ADDED = re.compile(
    "[\u180b-\u180d\u180f\u20e3\u302e\u302f\u3164\ufe00-\ufe0f\uffa0"
    "\U00016ff0\U00016ff1\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef]"
)
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]")
# Symbols whose width has changed between versions of Unicode, and spacing marks that are newer than
# Unicode 14, which few terminals know yet.
_CHANGED = re.compile(
    "[\u2630-\u2637\u268a-\u268f\u3248-\u324f\U0001d300-\U0001d356\U0001d360-\U0001d376"
    "\u0cf3\U00011f03\U00011f34\U00011f35\U00011f3e\U00011f3f\U00011f41"
    "\U000113b8-\U000113cf\U0001612a-\U0001612c]"
)


def agreed(text: str) -> str:
    """Printable text in which every character has a width that all terminals agree on.

    A cluster (joined emoji, variation selectors, skin tones, keycaps) is shown as its first
    character, a flag as its two letters; what has no width of its own yet, as a question mark.
    Terminals that know clusters and those that do not (tmux) then count the same cells.
    """
    if text.isascii():
        return text
    text = _ADDED.sub("", _JOINED.sub("", text))
    text = _FLAG_LETTERS.sub(lambda found: chr(ord(found[0]) - 0x1F1E6 + ord("A")), text)
    text = _CHANGED.sub("?", text)
    if text.isascii():
        return text
    return "".join(map(_agreed, text))


@lru_cache(maxsize=4096)
def _agreed(character: str) -> str:
    match unicodedata.category(character):
        case "Cn":  # not assigned, as far as this Python knows
            return "?"
        case "Cf" if character != "\u200c":  # which separates letters
            return ""
        case _:
            return character


def valid_unicode(text: str) -> str:
    r"""The text as valid Unicode: undecodable bytes of file names become `\udcNN`.

    It is not safe to show: control characters and markup stay in it.
    """
    return text.encode(errors="backslashreplace").decode()


def display_name(path: Path) -> str:
    """The file's name as `valid_unicode`."""
    return valid_unicode(path.name)


def without_name(title: str, name: str) -> str:
    """An error's title without the name of the file, where it begins or ends with it."""
    if title.endswith(f": {name}"):
        return title[: -len(name) - 2]
    if title.startswith((f"{name} ", f"{name}: ")):
        return title[len(name) :].lstrip(": ")
    return title


def cells(text: str) -> int:
    """The width of printable text in terminal columns, where terminals agree (`agreed`)."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _printable(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _UNSAFE:
        return character
    return escaped(character)


def _cells(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"} or _is_vowel_of_syllable(character):
        return 0
    if "\u4dc0" <= character <= "\u4dff":  # hexagrams
        return 2
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def _is_vowel_of_syllable(character: str) -> bool:
    """Whether it is a Korean vowel or final that joins the consonant before it."""
    return "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff"


def clipped(text: str, width: int) -> str:
    """Printable text cut in the middle to `width` columns: names differ at both ends."""
    if cells(text) <= width:
        return text
    if width < 2:
        return ""
    tail = _prefix(text[::-1], (width - 1) // 2)[::-1]
    return f"{_prefix(text, width - 1 - cells(tail))}~{tail}"


def _prefix(text: str, width: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += cells(character)
        if used > width:
            return text[:index]
    return text


# --- natural order

_NUMBER = re.compile(r"(\d+)")
_ZEROS = str.maketrans("123456789", "000000000")


def in_natural_order(names: Iterable[str]) -> list[str]:
    """The names sorted with numbers by value, ignoring case."""
    ordered = sorted(names)  # a stable order of names that differ in case only
    keys = natural([name.casefold() for name in ordered])
    return [ordered[index] for index in sorted(range(len(ordered)), key=keys.__getitem__)]


def natural(names: list[str]) -> list[str]:
    """The names with zero-padded numbers, as sort keys; fast for 100,000 names.

    Most names have their numbers in the same places, which are found once for all of them.
    """
    text = "\0".join(names)
    if text.count("\0") >= len(names):
        text = "\0".join([name.replace("\0", " ") for name in names])
    shapes = text.translate(_ZEROS).split("\0") if text.isascii() else names
    gaps = _gaps(set(shapes)) if len(set(shapes)) <= len(names) // 4 else None
    if gaps is None:
        parts = _NUMBER.split(text)
        digits = max(map(len, parts[1::2]), default=0)
        parts[1::2] = [number.zfill(digits) for number in parts[1::2]]
        return "".join(parts).split("\0")
    if not any(gaps.values()):
        return names
    return [_filled(name, gaps[shape]) for name, shape in zip(names, shapes, strict=True)]


def _gaps(shapes: set[str]) -> dict[str, list[tuple[int, str]]]:
    """By shape (a name, its digits as zeros): where to insert how many zeros, the last first."""
    runs = {shape: [found.span() for found in _NUMBER.finditer(shape)] for shape in shapes}
    columns = zip_longest(*runs.values(), fillvalue=(0, 0))
    longest = [max(end - start for start, end in column) for column in columns]
    return {
        shape: [
            (start, "0" * (most - (end - start)))
            for (start, end), most in zip(spans, longest, strict=False)
            if end - start < most
        ][::-1]
        for shape, spans in runs.items()
    }


def _filled(name: str, gaps: list[tuple[int, str]]) -> str:
    for at, zeros in gaps:
        name = name[:at] + zeros + name[at:]
    return name


# --- times, counts and sizes


def clock(seconds: float) -> str:
    """Seconds as `m:ss` or `h:mm:ss`; empty if negative or not finite."""
    if not math.isfinite(seconds) or round(seconds) < 0:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def subtitle_time(seconds: float) -> str:
    """Seconds as `mm:ss.mmm` or `hh:mm:ss.mmm`, as whisper prints segments."""
    milliseconds = round(max(0.0, seconds) * 1000)
    whole, milliseconds = divmod(milliseconds, 1000)
    minutes, second = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    prefix = f"{hours:02}:" if hours else ""
    return f"{prefix}{minutes:02}:{second:02}.{milliseconds:03}"


def text_so_far(seconds: float, session: str, name: str) -> str:
    """How much of an unfinished file has a text, and how to get it; empty if there is none."""
    if seconds <= 0:
        return ""
    command = f"fwtui sessions text {session} {shlex.quote(printable(name))}"
    return f"the text of its first {clock(seconds)} is kept; to get it: {command}"


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent(share: float) -> str:
    """A share as a whole percentage that only says 100 when it is."""
    return f"{min(math.floor(share * 100 + 1e-9), 100)}%"


_MOST_KINDS = 6


def left_out_text(counts: Iterable[tuple[str, int]]) -> str:
    """What was left out of a search, as one line: `12 .jpg, 2 transcripts`; empty if nothing was.

    Kinds are suffixes of files, or nouns.
    """
    total = Counter[str]()
    for what, count in counts:
        total[what] += count
    most = total.most_common(_MOST_KINDS)
    parts = [
        f"{count:,} {what}" if what[0] == "." or what in _NOT_NOUNS else plural(count, what)
        for what, count in most
    ]
    others = total.total() - sum(count for _, count in most)
    return ", ".join([*parts, f"{others:,} others"] if others else parts)


_NOT_NOUNS = frozenset({"hidden", "without extension"})


def size_text(count: int) -> str:
    """Bytes as `42.2 MB`, `1.4 GB`."""
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


# --- amounts of memory

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(%|[KMGT]i?B?|B)", re.IGNORECASE)
_MEGABYTES = {"B": 2**-20, "K": 2**-10, "M": 1.0, "G": 2.0**10, "T": 2.0**20}
OFF = frozenset({"", "off", "none"})
FORMS = "an amount such as 12GB or 900MB, a share such as 80%, or off"


class Amount(msgspec.Struct, frozen=True):
    """`number` MB (2**20 bytes), or percent of a total."""

    number: float
    is_share: bool = False

    def of(self, total: float) -> float:
        """The amount in MB, for a total in MB."""
        return self.number / 100 * total if self.is_share else self.number


def parse_amount(text: str) -> Amount | None:
    """The amount in a text; None if it is off. Raises ValueError if it is not valid."""
    word = text.strip()
    if word.lower() in OFF:
        return None
    found = _AMOUNT.fullmatch(word)
    if found is None or float(found[1]) <= 0:
        raise ValueError(text)
    number, unit = float(found[1]), found[2].upper()
    if unit == "%":
        if number > 100:
            raise ValueError(text)
        return Amount(number, is_share=True)
    return Amount(number * _MEGABYTES[unit[0]])
