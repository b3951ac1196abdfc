"""The engine says what faster-whisper's own `transcribe` says, for the same file and options."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from fwtui import demo
from fwtui.core.settings import DecodingSettings
from fwtui.engine.transcriber import Transcriber
from tests.engine.support import (
    GREEDY,
    LONG_CLIP,
    MODEL,
    assert_alike,
    ending_by,
    segments_of,
    transcriber_on,
    whisper_segments,
    write_wav,
)
from tests.whisper_audio import decode_audio

# our options, and faster-whisper's
OPTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "defaults": ({}, {}),
    "word timestamps": ({"word_timestamps": True}, {"word_timestamps": True}),
    "vad": ({"vad_filter": True}, {"vad_filter": True}),
    "vad, split, words": (
        {"vad_filter": True, "vad_max_speech_duration_s": 10.0, "word_timestamps": True},
        {
            "vad_filter": True,
            "vad_parameters": {"max_speech_duration_s": 10.0},
            "word_timestamps": True,
        },
    ),
    "no previous text": (
        {"condition_on_previous_text": False},
        {"condition_on_previous_text": False},
    ),
    "prompt and hotwords": (
        {"initial_prompt": "red seven", "hotwords": "monday"},
        {"initial_prompt": "red seven", "hotwords": "monday"},
    ),
    "prefix": ({"prefix": "one"}, {"prefix": "one"}),
    "without timestamps": ({"without_timestamps": True}, {"without_timestamps": True}),
    "clips": ({"clip_timestamps": "2,5,6"}, {"clip_timestamps": "2,5,6"}),
    "hallucinations": (
        {"word_timestamps": True, "hallucination_silence_threshold": 0.2},
        {"word_timestamps": True, "hallucination_silence_threshold": 0.2},
    ),
    "translate": ({"task": "translate"}, {"task": "translate"}),
    "multilingual": ({"multilingual": True}, {"multilingual": True}),
    "language": ({"language": "de"}, {"language": "de"}),
    "no speech threshold": (
        {"no_speech_threshold": 0.0, "logprob_threshold": None},
        {"no_speech_threshold": 0.0, "log_prob_threshold": None},
    ),
    "penalties": (
        {"repetition_penalty": 1.2, "no_repeat_ngram_size": 3, "length_penalty": 0.8},
        {"repetition_penalty": 1.2, "no_repeat_ngram_size": 3, "length_penalty": 0.8},
    ),
    "short windows": ({"max_new_tokens": 8}, {"max_new_tokens": 8}),
}


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    """In float32: the last bits of features depend on how many are computed at a time (on some
    processors), and int8 makes other tokens of that now and then."""
    return transcriber_on(replace(MODEL, compute_type="float32"))


@pytest.mark.parametrize("clip", demo.clips(), ids=lambda clip: clip.name)
def test_every_demo_clip_with_whispers_defaults(
    transcriber: Transcriber, clip: Path, tmp_path: Path
) -> None:
    ours = segments_of(transcriber, clip, tmp_path, DecodingSettings())
    theirs = whisper_segments(transcriber, clip, {})
    assert ours
    assert_alike(ours, theirs)


@pytest.mark.parametrize("name", OPTIONS)
def test_options(transcriber: Transcriber, name: str, tmp_path: Path) -> None:
    mine, theirs = OPTIONS[name]
    clip = demo.clips()[3] if name == "translate" else demo.clips()[1]
    decoding = DecodingSettings(temperature_increment_on_fallback=None, **mine)
    expected = whisper_segments(transcriber, clip, {"temperature": 0.0, **theirs})
    if name == "clips":
        expected = ending_by(expected, 5.0)
    assert_alike(segments_of(transcriber, clip, tmp_path, decoding), expected)


def test_a_concatenation(transcriber: Transcriber, tmp_path: Path) -> None:
    """Long enough for many windows, with previous text, gaps at the joints and speech cut off."""
    sound = np.tile(decode_audio(LONG_CLIP), 4)
    path = tmp_path / "long.wav"
    write_wav(path, sound)
    ours = segments_of(transcriber, path, tmp_path, GREEDY)
    theirs = whisper_segments(transcriber, path, {"beam_size": 1, "temperature": 0.0})
    assert len({segment.seek for segment in ours}) > 20
    assert_alike(ours, theirs)


def test_silence_has_no_segments(transcriber: Transcriber, tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    write_wav(path, np.zeros(5 * 16000, np.float32))
    decoding = DecodingSettings(vad_filter=True)
    assert segments_of(transcriber, path, tmp_path, decoding) == []
