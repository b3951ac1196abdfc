"""Cutting into chunks: as faster-whisper does it, and nothing lost with clip ranges."""

import itertools

import numpy as np
from faster_whisper.vad import collect_chunks
from hypothesis import given
from hypothesis import strategies as st

from fwtui.core.session import SpeechChunk
from fwtui.engine.chunks import chunk_ends, clip_ranges, cut

LIMIT = 160  # samples: 10 ms
SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, LIMIT)), max_size=20)


def spans_of(steps: list[tuple[int, int]]) -> tuple[SpeechChunk, ...]:
    """Spans one after the other, from (pause, length)."""
    spans, place = [], 0
    for pause, length in steps:
        spans.append(SpeechChunk(place + pause, place + pause + length))
        place += pause + length
    return tuple(spans)


@given(SPANS)
def test_equal_to_collect_chunks(steps: list[tuple[int, int]]) -> None:
    spans = spans_of(steps)
    sound = np.zeros(spans[-1].end if spans else 0, np.float32)
    speech = [{"start": span.start, "end": span.end} for span in spans]
    chunks, _ = collect_chunks(sound, speech, max_duration=LIMIT / 16000)
    lengths = [chunk.size for chunk in chunks if chunk.size]
    assert [int(n) for n in np.diff((0, *chunk_ends(spans, LIMIT)))] == lengths


@given(SPANS, st.integers(0, 60))
def test_a_long_pause_ends_a_chunk_where_the_language_may_change(
    steps: list[tuple[int, int]], pause: int
) -> None:
    spans = spans_of(steps)
    ends = set(chunk_ends(spans, LIMIT, pause))
    place = 0
    for before, after in itertools.pairwise(spans):
        place += before.end - before.start
        assert place in ends or after.start - before.end <= pause
    assert ends >= {sum(span.end - span.start for span in spans)} - {0}
    assert chunk_ends(spans, LIMIT, 10**9) == chunk_ends(spans, LIMIT)


def test_a_span_that_is_too_long_is_a_chunk_of_its_own() -> None:
    assert chunk_ends((SpeechChunk(0, 500), SpeechChunk(600, 650)), LIMIT) == (500, 550)


def test_clip_ranges_are_of_the_file() -> None:
    assert clip_ranges("0", 100) == (SpeechChunk(0, 100),)
    assert clip_ranges("1,2,3", 100_000) == (SpeechChunk(16000, 32000), SpeechChunk(48000, 100_000))
    assert clip_ranges("1,2,9,12", 32000) == (SpeechChunk(16000, 32000),)


@given(SPANS, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 400)), max_size=5))
def test_no_chunk_is_too_long_or_crosses_a_range(
    steps: list[tuple[int, int]], clips: list[tuple[int, int]]
) -> None:
    speech, ranges = spans_of(steps), spans_of(clips)
    spans, ends = cut(ranges, LIMIT, speech)
    assert (ends[-1] if ends else 0) == sum(span.end - span.start for span in spans)
    assert all(0 < length <= LIMIT for length in np.diff((0, *ends)))
    wanted = {
        sample
        for clip in ranges
        for sample in range(clip.start, clip.end)
        if clip.end - clip.start <= LIMIT or any(s.start <= sample < s.end for s in speech)
    }
    assert {sample for span in spans for sample in range(span.start, span.end)} == wanted
    borders = set(np.cumsum([0] + [_length(cut((clip,), LIMIT, speech)[1]) for clip in ranges]))
    assert borders <= {0, *ends}


def _length(ends: tuple[int, ...]) -> int:
    return ends[-1] if ends else 0
