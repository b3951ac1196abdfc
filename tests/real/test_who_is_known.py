"""A real voice is recognised in a bad copy of its recording, and in nobody else's."""

from datetime import datetime
from pathlib import Path

import numpy as np

from fwtui.audio.decode import decode_to_wav
from fwtui.audio.signal import Pcm
from fwtui.core.voices import VoicePrint, VoicePrintTask
from fwtui.engine.voice_print import voice_print
from fwtui.models.speaker_models import DEFAULT_THRESHOLD
from fwtui.speakers.known_voices import KnownVoice, is_vector
from fwtui.speakers.recognition import recognise
from tests.engine.support import write_wav


def on_the_phone(recording: Path, folder: Path) -> Path:
    """A quieter copy with the band of a telephone, and noise."""
    decode_to_wav(recording, folder / "whole.wav", lambda _: None, lambda: False)
    with Pcm(folder / "whole.wav") as pcm:
        sound = pcm.read(0, len(pcm))
    tones, hertz = np.fft.rfft(sound), np.fft.rfftfreq(sound.size, 1 / 16000)
    tones[(hertz < 300) | (hertz > 3400)] = 0
    noise = np.random.default_rng(0).normal(0, 0.004, sound.size)
    write_wav(folder / "phone.wav", (np.fft.irfft(tones, sound.size) * 0.6 + noise).astype("f4"))
    return folder / "phone.wav"


def test_a_known_voice(voices: Path, recordings: Path, tmp_path: Path) -> None:
    def heard(recording: Path) -> VoicePrint:
        made = voice_print(
            VoicePrintTask(str(recording), str(tmp_path / "scratch.wav"), str(voices))
        )
        assert is_vector(made.vector)
        return made

    jfk = heard(recordings / "jfk.flac")
    assert jfk.speakers == 1
    known = [KnownVoice("Jack", jfk.model, jfk.model_file, jfk.vector, jfk.seconds, datetime.min)]
    files = on_the_phone(recordings / "jfk.flac", tmp_path), recordings / "meeting03.flac"
    for file, names in zip(files, ({0: "Jack"}, {}), strict=True):
        vector = np.frombuffer(heard(file).vector, "<f2").astype(np.float32)
        assert recognise({0: vector}, known, jfk.model, DEFAULT_THRESHOLD).names == names
