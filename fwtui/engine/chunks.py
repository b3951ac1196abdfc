"""Batched mode's chunks: speech joined until it fills a window. Pure functions of sample positions.

As `faster_whisper.vad.collect_chunks` cuts, but in linear time, without any sound, and without the
empty chunk that it makes of a first piece longer than the limit.
"""

from collections.abc import Iterator, Sequence

from fwtui.audio.wav import SAMPLE_RATE
from fwtui.core.session import SpeechChunk


def chunk_ends(spans: Sequence[SpeechChunk], limit: int) -> tuple[int, ...]:
    """Where the chunks end, in samples of the joined spans.

    A chunk has as many whole spans as fit into `limit` samples, and at least one.
    """
    ends: list[int] = []
    begin = end = 0
    for span in spans:
        length = span.end - span.start
        if begin < end and end - begin + length > limit:
            ends.append(end)
            begin = end
        end += length
    return (*ends, end) if end > begin else tuple(ends)


def clip_ranges(clip_timestamps: str, samples: int) -> tuple[SpeechChunk, ...]:
    """`start,end,start,end,...` in seconds as ranges of the file; a last start goes to its end."""
    points = [float(part) for part in clip_timestamps.split(",") if part.strip()] or [0.0]
    places = [min(samples, int(seconds * SAMPLE_RATE)) for seconds in points]
    if len(places) % 2:
        places.append(samples)
    ranges = zip(places[::2], places[1::2], strict=True)
    return tuple(SpeechChunk(start, end) for start, end in ranges if start < end)


def cut(
    ranges: Sequence[SpeechChunk], limit: int, speech: Sequence[SpeechChunk] = ()
) -> tuple[tuple[SpeechChunk, ...], tuple[int, ...]]:
    """What of these ranges of a file is transcribed, and where the chunks end in that, joined.

    A range that fits into a chunk is taken whole; of a longer one, its speech. No chunk reaches
    from one range into another.
    """
    spans: list[SpeechChunk] = []
    ends: list[int] = []
    for clip in ranges:
        inside = (clip,) if clip.end - clip.start <= limit else tuple(_overlaps(speech, clip))
        before = ends[-1] if ends else 0
        spans += inside
        ends += (before + end for end in chunk_ends(inside, limit))
    return tuple(spans), tuple(ends)


def _overlaps(speech: Sequence[SpeechChunk], clip: SpeechChunk) -> Iterator[SpeechChunk]:
    for span in speech:
        start, end = max(span.start, clip.start), min(span.end, clip.end)
        if start < end:
            yield SpeechChunk(start, end)
