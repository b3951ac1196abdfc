"""Segments joined until a sentence ends. Pure."""

import re
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from fwtui.core.segment import Segment

# A pause ends a sentence too, and so does a length (seconds) at which nobody waits for a full stop.
_PAUSE, _LONG = 2.0, 30.0
_END = re.compile(r"""(\.\.\.|[.?!…。．？！؟।])["'”’»)\]」』]*\s*$""")  # noqa: RUF001


def joined(segments: Iterable[Segment]) -> Iterator[Segment]:
    """One segment a sentence, numbered anew; none is cut, so one may hold the end of two."""
    number = 0
    parts: list[Segment] = []
    for segment in segments:
        if parts and (
            segment.start - parts[-1].end >= _PAUSE or segment.end - parts[0].start > _LONG
        ):
            number += 1
            yield _join(parts, number)
            parts = []
        parts.append(segment)
        if _END.search(segment.text):
            number += 1
            yield _join(parts, number)
            parts = []
    if parts:
        yield _join(parts, number + 1)


def _join(parts: list[Segment], number: int) -> Segment:
    """The parts as one. Its doubts are those of the most doubtful part."""
    first, last = parts[0], parts[-1]
    known = [part.words for part in parts if part.words is not None]
    return replace(
        first,
        id=number,
        end=last.end,
        text="".join(part.text for part in parts),
        tokens=tuple(token for part in parts for token in part.tokens),
        avg_logprob=min(part.avg_logprob for part in parts),
        compression_ratio=max(part.compression_ratio for part in parts),
        no_speech_prob=max(part.no_speech_prob for part in parts),
        words=tuple(word for words in known for word in words)
        if len(known) == len(parts)
        else None,
    )
