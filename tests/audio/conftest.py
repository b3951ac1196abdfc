"""Real sound for the audio tests, made when they run."""

from dataclasses import replace
from pathlib import Path

import pytest

from fwtui import demo
from tests.audio.encoding import MP3, Clip, read_clip, write_media
from tests.audio.making import Sound, make_noise


@pytest.fixture(scope="session")
def speech() -> Clip:
    """3 s of speech, 22.05 kHz mono."""
    return read_clip(demo.clips()[0], 22_050).first(3.0)


@pytest.fixture(scope="session")
def speech_wav(speech: Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The speech as a file."""
    wav = tmp_path_factory.mktemp("speech") / "speech.wav"
    write_media(wav, speech)
    return wav


@pytest.fixture(scope="session")
def long_speech(speech: Clip) -> Clip:
    """30 s of speech."""
    return speech.repeated(10)


@pytest.fixture(scope="session")
def long_mp3(long_speech: Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The long speech as a constant bit rate mp3."""
    mp3 = tmp_path_factory.mktemp("speech") / "long.mp3"
    write_media(mp3, long_speech, replace(MP3, bit_rate=64_000))
    return mp3


@pytest.fixture
def noise() -> Sound:
    """12 s of noise that swells and fades."""
    return make_noise(12 * 16000 + 77)
