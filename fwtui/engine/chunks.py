"""Chunks of batched mode: speech joined until it fills a window. Pure, on sample positions.

Equal to `faster_whisper.vad.collect_chunks`, but in linear time, without the audio, and without the
empty chunk that it makes of a first piece longer than the limit. With `--multilingual` long pauses
end a chunk, too.
"""

from collections.abc import Iterator, Sequence

from fwtui.audio.wav import SAMPLE_RATE
from fwtui.core.decoding import clip_points
from fwtui.core.session import SpeechChunk

# Where the language may change, a longer pause ends a chunk: the model writes one language for
# each, and leaves out what is in another.
LANGUAGE_PAUSE = 2 * SAMPLE_RATE


def chunk_ends(
    spans: Sequence[SpeechChunk], limit: int, pause: int | None = None
) -> tuple[int, ...]:
    """The ends of the chunks, in samples of the joined spans.

    A chunk has as many whole spans as fit into `limit` samples, but at least one. No pause in it is
    longer than `pause`; None: however long.
    """
    ends: list[int] = []
    begin = end = last = 0
    for span in spans:
        length = span.end - span.start
        is_apart = pause is not None and span.start - last > pause
        if begin < end and (is_apart or end - begin + length > limit):
            ends.append(end)
            begin = end
        end += length
        last = span.end
    return (*ends, end) if end > begin else tuple(ends)


def clip_ranges(clip_timestamps: str, samples: int) -> tuple[SpeechChunk, ...]:
    """Ranges of the file from `start,end,start,end,...` in seconds; the last end is optional."""
    points = clip_points(clip_timestamps) or (0.0,)
    positions = [min(samples, int(seconds * SAMPLE_RATE)) for seconds in points]
    if len(positions) % 2:
        positions.append(samples)
    ranges = zip(positions[::2], positions[1::2], strict=True)
    return tuple(SpeechChunk(start, end) for start, end in ranges if start < end)


def cut(
    ranges: Sequence[SpeechChunk],
    limit: int,
    speech: Sequence[SpeechChunk] = (),
    pause: int | None = None,
) -> tuple[tuple[SpeechChunk, ...], tuple[int, ...]]:
    """The spans to transcribe in these ranges of a file, and the ends of their chunks.

    Of a range that fits into a chunk, all is transcribed; of a longer one, its speech. No chunk
    reaches from one range into another.
    """
    spans: list[SpeechChunk] = []
    ends: list[int] = []
    for clip in ranges:
        inside = (clip,) if clip.end - clip.start <= limit else tuple(_overlaps(speech, clip))
        before = ends[-1] if ends else 0
        spans += inside
        ends += (before + end for end in chunk_ends(inside, limit, pause))
    return tuple(spans), tuple(ends)


def _overlaps(speech: Sequence[SpeechChunk], clip: SpeechChunk) -> Iterator[SpeechChunk]:
    for span in speech:
        start, end = max(span.start, clip.start), min(span.end, clip.end)
        if start < end:
            yield SpeechChunk(start, end)
