from pathlib import Path

import faster_whisper.vad
import numpy as np
import pytest
from faster_whisper.vad import VadOptions, get_speech_timestamps, get_vad_model

from fwtui.audio.decode import DecodeCancelled
from fwtui.audio.signal import FloatArray
from fwtui.audio.speech import Segmenter, find_speech, speech_probabilities
from tests.audio.making import Sound, make_noise
from tests.whisper_audio import decode_audio

BLOCK = 2000 * 512


@pytest.mark.parametrize(
    "length", [0, 1, 448, 500, 511, 512, 513, BLOCK - 20, BLOCK, BLOCK + 1, 2 * BLOCK + 300]
)
def test_probabilities_are_bit_identical(length: int) -> None:
    sound = make_noise(length)
    ours = np.concatenate(list(speech_probabilities(sound)))
    theirs = get_vad_model()(np.pad(sound.samples, (0, 512 - length % 512)))
    assert np.array_equal(ours, theirs.reshape(-1))


def _random_options(rng: np.random.Generator) -> VadOptions:
    threshold = float(rng.choice([0.5, 0.35, 0.2, 0.7, rng.random()]))
    return VadOptions(
        threshold=threshold,
        neg_threshold=(None, threshold - 0.2, 0.1)[rng.integers(3)],
        min_speech_duration_ms=int(rng.choice([0, 0, 100, 250, 1000])),
        max_speech_duration_s=float(rng.choice([np.inf, 30, 5, 2, 1.5, 0.9])),
        min_silence_duration_ms=int(rng.choice([2000, 500, 160, 100, 0])),
        speech_pad_ms=int(rng.choice([400, 200, 30, 0])),
    )


def _random_probabilities(rng: np.random.Generator) -> FloatArray:
    count = int(rng.integers(1, 400))
    restless = int(rng.integers(0, 4))
    if restless == 0:
        return rng.random(count).astype(np.float32)
    walk = np.cumsum(rng.standard_normal(count) * 0.1 * restless)
    return np.asarray(0.5 + 0.5 * np.sin(walk), np.float32)


def test_segmentation_is_faster_whispers(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    chunks = 0
    for _ in range(800):
        options, probabilities = _random_options(rng), _random_probabilities(rng)
        length = int(probabilities.size * 512 - rng.integers(1, 513))
        # Only the model is replaced: the segmentation under comparison is the original.
        monkeypatch.setattr(
            faster_whisper.vad, "get_vad_model", lambda p=probabilities: lambda _: p
        )
        theirs = get_speech_timestamps(np.zeros(length, np.float32), options)
        segmenter = Segmenter(options)
        for probability in probabilities.tolist():
            segmenter.feed(probability)
        ours = segmenter.finish(length)
        assert [{"start": c.start, "end": c.end} for c in ours] == theirs, options
        chunks += len(theirs)
    assert chunks > 1500


def test_real_speech_is_found_where_faster_whisper_finds_it(speech_wav: Path) -> None:
    speech = decode_audio(speech_wav)
    samples = np.concatenate(
        (np.zeros(40_000, np.float32), speech, np.zeros(60_000, np.float32), speech)
    )
    for options in (VadOptions(), VadOptions(max_speech_duration_s=2.0, speech_pad_ms=100)):
        theirs = get_speech_timestamps(samples, options)
        ours = find_speech(Sound(samples), options, lambda: False)
        assert [{"start": c.start, "end": c.end} for c in ours] == theirs
        assert theirs


def test_silence_has_no_speech() -> None:
    assert find_speech(Sound(np.zeros(50_000, np.float32)), VadOptions(), lambda: False) == ()
    assert find_speech(Sound(np.zeros(0, np.float32)), VadOptions(), lambda: False) == ()


def test_it_can_be_cancelled() -> None:
    with pytest.raises(DecodeCancelled):
        find_speech(make_noise(1000), VadOptions(), lambda: True)
