"""Finding a text in numbered texts that come at the end and fall out at the beginning.

Neither the case of letters matters nor whether accents are signs of their own. No Textual in here.
"""

from bisect import bisect_left
from collections.abc import Callable
from functools import cache
from typing import NamedTuple
from unicodedata import category, normalize

# What stands behind a sign and belongs to it, besides marks: joiner, variation, skin.
_JOINER = "\u200d"
_EXTENDS = frozenset("\u200d\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


class Hit(NamedTuple):
    """Where the text was found: from `start` to `end` of text `number`.

    `end` is beyond the text if it goes on in the next one.
    """

    number: int
    start: int
    end: int


class _Folds(dict[int, str]):
    def __missing__(self, code: int) -> str:
        sign = normalize("NFD", normalize("NFD", chr(code)).casefold())
        self[code] = sign
        return sign


_FOLDS = _Folds()


def folded(text: str) -> str:
    """The text as it is compared."""
    return text.lower() if text.isascii() else text.translate(_FOLDS)


def occurrences(text: str, needle: str) -> list[tuple[int, int]]:
    """Where a folded `needle` occurs in a text: from, to; whole signs, from left to right."""
    same = folded(text)
    at = same.find(needle) if needle else -1
    if at < 0:
        return []
    places = None if text.isascii() else [n for n, sign in enumerate(text) for _ in folded(sign)]
    found: list[tuple[int, int]] = []
    while at >= 0:
        end = at + len(needle)
        place = at, end
        if places is not None:
            place = _whole(text, places[at], places[end - 1] + 1)
        if not found or place[0] >= found[-1][1]:  # not in a sign that is marked already
            found.append(place)
        at = same.find(needle, end)
    return found


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """With all that belongs to its first and last sign: a sign has one look."""
    while 0 < start < len(text) and (_extends(text[start]) or text[start - 1] == _JOINER):
        start -= 1
    while end < len(text) and (_extends(text[end]) or text[end - 1] == _JOINER):
        end += 1
    return start, end


@cache
def _extends(sign: str) -> bool:
    return sign in _EXTENDS or category(sign).startswith("M")


class TextSearch:
    """The places of `needle` in the texts that `text_of` gives by their numbers.

    Only how often it occurs in which text is kept. With `runs_on` a text and the next one are read
    as one, with a space between them. `here` is the place the user is at.
    """

    def __init__(
        self, needle: str, text_of: Callable[[int], str], *, runs_on: bool = False
    ) -> None:
        self.needle = needle
        self.here: Hit | None = None
        self.total = 0
        self._folded = folded(needle)
        self._text_of = text_of
        self._runs_on = runs_on
        self._numbers: list[int] = []
        self._counts: list[int] = []
        self._texts = range(0)

    def look_at(self, texts: range, before: "TextSearch | None" = None) -> None:
        """Search the texts that are new, and forget those that are gone.

        `before`: an earlier search of the same texts; for a longer needle only its places count.
        """
        start = max(texts.start, self._texts.stop)
        if self._runs_on and start > texts.start:
            start -= 1  # the last one goes on now
        self._forget(texts.start, start)
        numbers: range | list[int] = range(start, texts.stop)
        same = before is not None and before._texts == texts
        if before is not None and same and self._folded.startswith(before._folded):
            numbers = before._numbers
        for number in numbers:
            if count := self._count(number, number + 1 < texts.stop):
                self._numbers.append(number)
                self._counts.append(count)
                self.total += count
        self._texts = texts

    def _forget(self, first: int, end: int) -> None:
        """Keep what is known of the texts from `first` on, and before `end`."""
        gone, kept = bisect_left(self._numbers, first), bisect_left(self._numbers, end)
        self._numbers, self._counts = self._numbers[gone:kept], self._counts[gone:kept]
        self.total = sum(self._counts)
        if self.here is not None and self.here.number < first:
            self.here = None

    def _count(self, number: int, has_next: bool) -> int:
        text = self._text_of(number)
        following = self._text_of(number + 1) if self._runs_on and has_next else None
        if following is None and text.isascii():
            return text.lower().count(self._folded)
        return len(self._found(text, following))

    def _found(self, text: str, following: str | None) -> list[tuple[int, int]]:
        if following is None:
            return occurrences(text, self._folded)
        # As far as something that begins in the text can reach.
        joined = f"{text} {following[: len(self._folded)]}"
        return [place for place in occurrences(joined, self._folded) if place[0] < len(text)]

    def hits(self, number: int) -> list[Hit]:
        """All places in one text."""
        at = bisect_left(self._numbers, number)
        if at >= len(self._numbers) or self._numbers[at] != number:
            return []
        following = number + 1 in self._texts and self._runs_on
        found = self._found(self._text_of(number), self._text_of(number + 1) if following else None)
        return [Hit(number, *place) for place in found]

    @property
    def position(self) -> int:
        """Which one `here` is, counted from 1; 0: none."""
        if self.here is None:
            return 0
        before = sum(self._counts[: bisect_left(self._numbers, self.here.number)])
        starts = [hit.start for hit in self.hits(self.here.number)]
        return before + starts.index(self.here.start) + 1 if self.here.start in starts else 0

    def next(self, number: int, start: int, step: int) -> Hit | None:
        """The place after (`step` 1) or before (-1) a place; behind the last comes the first."""
        if not self._numbers:
            return None
        hits = self.hits(number)
        if step < 0:
            hits.reverse()
        for hit in hits:
            if (hit.start - start) * step > 0:
                return hit
        at = bisect_left(self._numbers, number + (step > 0)) - (step < 0)
        hits = self.hits(self._numbers[at % len(self._numbers)])
        return hits[0 if step > 0 else -1] if hits else None
