"""Real sound for the audio tests, made when they run."""

from pathlib import Path

import pytest

from tests.audio.making import Sound, ffmpeg, make_noise, needs_espeak, run


@pytest.fixture(scope="session")
def speech_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 3 s of spoken digits, 22.05 kHz mono."""
    needs_espeak()
    wav = tmp_path_factory.mktemp("speech") / "speech.wav"
    run("espeak-ng", "-w", str(wav), "one two three four five six seven eight nine ten")
    return wav


@pytest.fixture(scope="session")
def long_mp3(speech_wav: Path) -> Path:
    """About 30 s of speech as a constant bit rate mp3."""
    mp3 = speech_wav.with_name("long.mp3")
    ffmpeg("-stream_loop", "9", "-i", speech_wav, "-b:a", "64k", mp3)
    return mp3


@pytest.fixture
def noise() -> Sound:
    """12 s of noise that swells and fades."""
    return make_noise(12 * 16000 + 77)
