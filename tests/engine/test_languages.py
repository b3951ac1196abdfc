"""A recording may change its language, and may begin with silence."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from fwtui import demo
from fwtui.core.session import ResumePoint, WindowResult, with_languages
from fwtui.core.settings import DecodingSettings
from fwtui.engine.transcriber import Transcriber
from tests.engine.support import (
    MINUTE,
    MODEL,
    at_resume,
    prepared_file,
    segments_of,
    transcriber_on,
    write_wav,
)
from tests.engine.test_batched import batches
from tests.whisper_audio import decode_audio

PLAIN = DecodingSettings(beam_size=1, temperature_increment_on_fallback=None)
MULTILINGUAL = DecodingSettings(
    beam_size=1, temperature_increment_on_fallback=None, multilingual=True, initial_prompt="red"
)


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return transcriber_on(MODEL)


class Languages:
    """Stands in for the native model: detects one language after the other, notes the prompts."""

    def __init__(self, native: Any, codes: list[str]) -> None:
        self.native, self.codes = native, codes
        self.prompts: list[list[int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.native, name)

    def detect_language(self, encoded: Any) -> Any:
        rows = len(self.native.detect_language(encoded))
        return [[(f"<|{self.codes.pop(0)}|>", 0.8)] for _ in range(rows)]

    def generate(self, encoded: Any, prompts: list[list[int]], **named: Any) -> Any:
        self.prompts += prompts
        return self.native.generate(encoded, prompts, **named)


@pytest.mark.parametrize(
    "codes", [["en", "de", "de"], ["en", "en", "de"], ["de", "en", "de"], ["en", "en", "en"]]
)
def test_previous_text_of_another_language_is_forgotten(
    transcriber: Transcriber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codes: list[str]
) -> None:
    path = tmp_path / "minute.wav"
    write_wav(path, decode_audio(MINUTE))
    native = transcriber.model.model
    tokenizer = transcriber.tokenizer(MULTILINGUAL, "en")
    with prepared_file(transcriber, path, tmp_path, replace(MULTILINGUAL, language="en")) as ready:
        plan = transcriber.plan(ready)
        model = Languages(native, [*codes, *codes[-1:] * 9])
        monkeypatch.setattr(transcriber.model, "model", model)
        whole = list(transcriber.windows(ready, plan))
        kept = [tokenizer.sot_prev in prompt for prompt in model.prompts]
        said = [*codes, *codes[-1:] * 9][: len(whole)]
        assert kept == [True, *(before == code for before, code in pairwise(said))]
        for window, code in zip(whole, said, strict=True):
            segments = with_languages(window.segments, window.spoken)
            assert {segment.language for segment in segments} <= {code}
        for done in range(1, len(whole)):
            model.codes = [*codes, *codes[-1:] * 9][done:]
            journal = msgspec.json.encode(whole[done - 1])
            state = msgspec.json.decode(journal, type=WindowResult).state
            resumed = at_resume(ready, ResumePoint(plan, state, whole[done - 1].seconds))
            assert whole[:done] + list(transcriber.windows(resumed, plan)) == whole


def test_a_chunk_in_another_language_does_without_the_initial_prompt(
    transcriber: Transcriber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "minute.wav"
    write_wav(path, decode_audio(MINUTE))
    decoding = replace(MULTILINGUAL, batched=True, language="en")
    tokenizer = transcriber.tokenizer(decoding, "en")
    model = Languages(transcriber.model.model, ["en", "de", "en", "en", "en"])
    monkeypatch.setattr(transcriber.model, "model", model)
    with prepared_file(transcriber, path, tmp_path, decoding) as ready:
        (first, *_) = batches(transcriber, ready, 2)
    found = [one.language or "" for one in with_languages(first.segments, first.spoken)]
    assert (found, set(found)) == (sorted(found, reverse=True), {"en", "de"})
    assert tokenizer.sot_prev not in model.prompts[2]
    assert tokenizer.tokenizer.token_to_id("<|de|>") in model.prompts[2]


@pytest.mark.parametrize("noise", [0.0, 1 / 32768, 0.002])
def test_the_language_is_that_of_the_first_speech(
    transcriber: Transcriber, tmp_path: Path, noise: float
) -> None:
    german = decode_audio(demo.clips()[3])
    for seconds in (0, 40, 200):
        sound = np.concatenate((np.zeros(seconds * 16000, np.float32), german))
        sound += np.random.default_rng(1).normal(0, noise, sound.size).astype(np.float32)
        path = tmp_path / f"{seconds}.wav"
        write_wav(path, sound)
        with prepared_file(transcriber, path, tmp_path, DecodingSettings()) as ready:
            assert seconds - 1 <= ready.sound / 16000 <= seconds + 2
            assert transcriber.plan(ready).language == "de"


@pytest.mark.parametrize("seconds", [0.01, 3, 29.9, 30, 30.01, 75])
@pytest.mark.parametrize("word_timestamps", [False, True])
def test_the_window_of_the_detection_is_encoded_once(
    transcriber: Transcriber,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    word_timestamps: bool,
) -> None:
    """And the segments are those with the language given."""
    path = tmp_path / "talk.wav"
    write_wav(path, np.tile(decode_audio(MINUTE), 2)[: int(seconds * 16000)])
    encoded: list[np.ndarray] = []
    encode = transcriber.model.encode

    def noted(frames: np.ndarray) -> Any:
        encoded.append(frames)
        return encode(frames)

    monkeypatch.setattr(transcriber.model, "encode", noted)
    decoding = replace(PLAIN, word_timestamps=word_timestamps)
    with prepared_file(transcriber, path, tmp_path, decoding) as ready:
        plan = transcriber.plan(ready)
        found = list(transcriber.windows(ready, plan))
    assert len(encoded) == len(found)
    given = replace(decoding, language=plan.language)
    with prepared_file(transcriber, path, tmp_path, given) as ready:
        assert list(transcriber.windows(ready, transcriber.plan(ready))) == found


def test_what_was_encoded_of_another_file_is_not_taken(
    transcriber: Transcriber, tmp_path: Path
) -> None:
    first, second = demo.clips()[3], demo.clips()[0]
    alone = segments_of(transcriber, second, tmp_path, PLAIN)
    with prepared_file(transcriber, first, tmp_path, PLAIN) as ready:
        transcriber.plan(ready)  # and then it is cancelled
    assert segments_of(transcriber, second, tmp_path, PLAIN) == alone
