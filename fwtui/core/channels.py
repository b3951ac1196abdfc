"""Channels of a recording: which ones are transcribed, their names, their text by time. Pure."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise

from msgspec.structs import replace

from fwtui.core.segment import Segment, Word
from fwtui.core.speakers import Turn

MIX, SPLIT = "mix", "split"
_SIDES = ("left", "right")
# More are no recording of a conversation.
MOST_CHANNELS = 16

CHANNELS = "mix, left, right, split, or the number of a channel (from 1)"


def channel_index(text: str) -> int | None:
    """The channel that a setting names, from 0; None for the mix, and for each by itself.

    Raises ValueError if it is none of these.
    """
    if text in {MIX, SPLIT}:
        return None
    if text in _SIDES:
        return _SIDES.index(text)
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise ValueError(text)
    return int(text) - 1


def channel_name(index: int, count: int) -> str:
    """A channel for people: `left channel`, `channel 3`; `index` counts from 0."""
    return f"{_SIDES[index]} channel" if count == 2 else f"channel {index + 1}"


# Words of one channel that are less apart belong to one turn (s).
_PAUSE = 0.5
# Segments are cut at pauses of more than this (s).
_CUT = 1.0


def in_channel(segments: Iterable[Segment], number: int) -> Iterator[Segment]:
    """The segments of one channel."""
    return (segment for segment in segments if segment.channel == number)


def by_time(segments: Iterable[Segment], numbers: Sequence[int]) -> Iterator[Segment]:
    """The segments of channels that were transcribed one after the other, by time, renumbered.

    Those with a pause are cut there: somebody else may speak in it. They are iterated once for each
    channel, so that not all of them are in memory.
    """
    channels = [chain.from_iterable(map(_cut, in_channel(segments, number))) for number in numbers]
    together = heapq.merge(*channels, key=lambda segment: segment.start)
    return (replace(segment, id=number) for number, segment in enumerate(together, 1))


def _cut(segment: Segment) -> Iterator[Segment]:
    """The segment, cut at its pauses; the tokens stay with the first piece."""
    words = segment.words or ()
    starts = [0, *(at for at in range(1, len(words)) if _is_pause(words[at - 1], words[at]))]
    if len(starts) == 1:
        yield segment
        return
    for number, (begin, end) in enumerate(pairwise([*starts, len(words)])):
        piece = words[begin:end]
        yield replace(
            segment,
            start=piece[0].start if number else segment.start,
            end=piece[-1].end if end < len(words) else segment.end,
            text="".join(word.word for word in piece),
            tokens=() if number else segment.tokens,
            words=piece,
        )


def _is_pause(word: Word, following: Word) -> bool:
    return following.start - word.end > _CUT


def turns_by_channel(segments: Iterable[Segment]) -> tuple[Turn, ...]:
    """Who speaks when, if the speaker is the channel: by its words, or else its segments."""
    found: list[Turn] = []
    latest: dict[int, int] = {}  # the number of each channel's last turn
    for segment in segments:
        if segment.channel is None:
            continue
        for word in segment.words or (segment,):
            last = latest.get(segment.channel)
            if last is not None and word.start - found[last].end <= _PAUSE:
                found[last] = replace(found[last], end=max(word.end, found[last].end))
            else:
                latest[segment.channel] = len(found)
                found.append(Turn(word.start, word.end, segment.channel))
    return tuple(sorted(found, key=lambda turn: (turn.start, turn.end, turn.speaker)))
