"""Times of segments and words: inside their window, in order. Pure.

A model may say any timestamp, and the alignment of words is rough; times that are right are kept
as they are.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from fwtui.core.segment import Segment

# The shortest segment, in seconds.
LEAST = 0.01
# Clips may overlap by more than this; other windows begin where the text before ends.
_OVERLAP = 0.5


class _Span(NamedTuple):
    start: float
    end: float


def inside(
    segments: Sequence[Segment], begin: float, end: float, ended: float = 0.0
) -> tuple[Segment, ...]:
    """The segments of a window from `begin` to `end`, after text that ended at `ended` (seconds).

    No segment or word begins before the window or the text before, ends after the window, or is
    over the next one. No segment has a length of zero; words may, as in faster-whisper.
    """
    if not segments:
        return ()
    if begin < ended < min(end, begin + _OVERLAP):
        begin = ended
    end = max(begin, end)
    places = _fitted([_Span(one.start, one.end) for one in segments], begin, end, LEAST)
    words = [_Span(word.start, word.end) for one in segments for word in one.words or ()]
    heard = iter(_fitted(words, begin, end, 0.0))
    return tuple(
        _at(segment, place, heard) for segment, place in zip(segments, places, strict=True)
    )


def _at(segment: Segment, place: _Span, heard: Iterator[_Span]) -> Segment:
    """The segment at its place, with its words at the next ones of `heard`."""
    words = segment.words
    if words:
        words = tuple(
            replace(word, start=at.start, end=at.end)
            for word, at in zip(words, heard, strict=False)
        )
    if (*place, words) == (segment.start, segment.end, segment.words):
        return segment
    return replace(segment, start=place.start, end=place.end, words=words)


def _fitted(spans: Sequence[_Span], begin: float, end: float, least: float) -> list[_Span]:
    """The spans in order between `begin` and `end`, each `least` long or more if there is room."""
    least = min(least, (end - begin) / max(1, len(spans)))
    found: list[_Span] = []
    low = begin
    for number, (start, stop) in enumerate(spans):
        after = (len(spans) - 1 - number) * least
        start = _between(start, low, end - least - after)  # noqa: PLW2901
        following = spans[number + 1].start if number + 1 < len(spans) else end
        if following > start:
            stop = min(stop, following)  # noqa: PLW2901
        stop = _between(stop, start + least, end - after)  # noqa: PLW2901
        found.append(_Span(start, stop))
        low = stop
    return found


def _between(value: float, low: float, high: float) -> float:
    """The value between two others, the lower one if they are the wrong way round; never NaN."""
    return low if not value > low else min(value, max(low, high))
