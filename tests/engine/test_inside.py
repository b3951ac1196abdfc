"""Times stay inside: whatever timestamps a model says, in every mode."""

import math
import random
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from fwtui.core.segment import Segment, Transcript, Word
from fwtui.core.session import WindowResult
from fwtui.core.settings import DecodingSettings, OutputSettings
from fwtui.engine.inside import inside
from fwtui.engine.transcriber import Transcriber
from fwtui.outputs.formats.cues import cues
from tests.engine.support import MINUTE, MODEL, prepared_file, transcriber_on, write_wav
from tests.engine.test_batched import batches
from tests.whisper_audio import decode_audio

TINY = 1e-6


def check(segments: list[Segment], begin: float, end: float) -> None:
    """All inside, in order, with a length; so are their subtitles."""
    assert all(begin - TINY <= one.start < one.end <= end + TINY for one in segments)
    assert all(one.end <= two.start + TINY for one, two in pairwise(segments))
    words = [word for one in segments for word in one.words or ()]
    assert all(begin - TINY <= word.start <= word.end <= end + TINY for word in words)
    assert all(one.end <= two.start + TINY for one, two in pairwise(words))
    for settings in (OutputSettings(), OutputSettings(highlight_words=True, max_words_per_line=1)):
        found = list(cues(Transcript("en", tuple(segments), end), settings))
        assert all(cue.start < cue.end for cue in found)
        assert all(one.end <= two.start for one, two in pairwise(found))


def wild(rng: random.Random, begin: float, end: float, *, words: bool) -> list[Segment]:
    """Segments with any times at all."""

    def time() -> float:
        near = rng.uniform(begin - 3, end + 3)
        return rng.choice([near, near, round(near, 1), begin, end, -5.0, 1e6, math.nan])

    found = []
    for number in range(rng.choice([1, 1, 2, 5, 40])):
        own = tuple(Word(time(), time(), " a", 0.5) for _ in range(rng.choice([0, 1, 4])))
        one = Segment(number, 0, time(), time(), " a", (), 0, 1, 0, own if words else None)
        found.append(one)
    return found


@pytest.mark.parametrize("words", [False, True])
def test_any_times_are_brought_inside(words: bool) -> None:
    rng = random.Random(words)
    for _ in range(400):
        begin = rng.choice([0.0, 30.0, 3571.28])
        end = begin + rng.choice([30.0, 2.0, 0.5])
        segments = wild(rng, begin, end, words=words)
        found = inside(segments, begin, end)
        assert [one.text for one in found] == [one.text for one in segments]
        check(list(found), begin, end)
        assert inside(found, begin, end) == found


def test_right_times_are_kept_as_they_are() -> None:
    rng = random.Random(1)
    for _ in range(200):
        times = sorted(round(rng.uniform(0, 30), 2) for _ in range(12))
        times = [at + number / 50 for number, at in enumerate(times)]
        own = [Word(a, b, " a", 0.5) for a, b in pairwise(times[:5])]
        found = [
            Segment(1, 0, times[0], times[4], " a", (), 0, 1, 0, tuple(own)),
            *(Segment(2, 0, a, b, " a", (), 0, 1, 0) for a, b in pairwise(times[4:])),
        ]
        assert inside(found, 0.0, times[-1]) == tuple(found)
        assert inside(found, 0.0, 31.0, ended=times[0]) == tuple(found)


def test_nothing_begins_in_the_text_before() -> None:
    one = Segment(1, 0, 30.0, 33.0, " a", (), 0, 1, 0)
    assert [x.start for x in inside([one], 30.0, 60.0, ended=30.2)] == [30.2]
    # clips that overlap are asked for
    assert inside([one], 30.0, 60.0, ended=45.0) == (one,)


class Wild:
    """Stands in for the native model: says any text with any timestamps."""

    def __init__(self, native: Any, begin: int, seed: int) -> None:
        self.native, self.begin = native, begin
        self.rng = random.Random(seed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.native, name)

    def generate(self, encoded: Any, prompts: list[list[int]], **_: Any) -> list[Any]:
        return [self._result() for _ in prompts]

    def _result(self) -> Any:
        rng = self.rng
        tokens: list[int] = []
        for _ in range(rng.choice([1, 1, 2, 4])):
            stamp = self.begin + rng.choice([0, rng.randint(0, 1500), 1500])
            tokens += [stamp] * rng.choice([0, 1, 2])
        return SimpleNamespace(
            sequences_ids=[tokens or [365]], scores=[-0.2], no_speech_prob=rng.choice([0.0, 0.5])
        )


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return transcriber_on(MODEL)


PLAIN = DecodingSettings(beam_size=1, temperature_increment_on_fallback=None, language="en")
MODES = {
    "plain": PLAIN,
    "vad": replace(PLAIN, vad_filter=True),
    "clips": replace(PLAIN, clip_timestamps="3,12.5,13,47.25,60"),
    "no timestamps": replace(PLAIN, without_timestamps=True),
    "hallucinations": replace(PLAIN, hallucination_silence_threshold=20.0),
    "batched": replace(PLAIN, batched=True),
    "batched clips": replace(PLAIN, batched=True, clip_timestamps="3,12.5,13,47.25,60"),
}


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_a_model_with_wild_timestamps(
    transcriber: Transcriber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    mode: str, words: bool,
) -> None:  # fmt: skip
    decoding = replace(MODES[mode], word_timestamps=words)
    path = tmp_path / "minute.wav"
    write_wav(path, decode_audio(MINUTE)[: 70 * 16000 + 4321])
    begin = transcriber.tokenizer(decoding, "en").timestamp_begin
    native = transcriber.model.model
    with prepared_file(transcriber, path, tmp_path, decoding) as ready:
        for seed in range(4):
            monkeypatch.setattr(transcriber.model, "model", Wild(native, begin, seed))
            plan = transcriber.plan(ready)
            if decoding.batched:
                found = batches(transcriber, ready, 2)
            else:
                found = list(transcriber.windows(ready, plan))
            check_windows(found, decoding, plan.duration)
            monkeypatch.undo()


def check_windows(found: list[WindowResult], decoding: DecodingSettings, duration: float) -> None:
    segments = [segment for window in found for segment in window.segments]
    check(segments, 0.0, duration)
    begin = 0.0
    for window in found:
        assert all(one.start >= begin - 0.5 for one in window.segments)
        assert begin <= window.seconds <= duration
        if not decoding.batched and not decoding.vad_filter:
            assert all(one.end <= begin + 30 + TINY for one in window.segments)
        begin = window.seconds
    if decoding.clip_timestamps != "0":
        clips = [(3, 12.5), (13, 47.25), (60, duration)]
        for one in segments:
            assert any(a - 0.01 <= one.start and one.end <= b + 0.01 for a, b in clips)
