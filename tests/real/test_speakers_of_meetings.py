"""Speakers of real meetings, with the real models: how many errors, and that none are random."""

from pathlib import Path

import pytest

from fwtui.audio.decode import decode_to_wav
from fwtui.audio.signal import Pcm
from fwtui.engine.turn_finder import load_voice_models
from fwtui.models.speaker_models import locate_speakers
from fwtui.speakers.voices_of_file import FileVoices
from tests.diarization import read_rttm, score, total

# The diarization error rate, overlap scored, without and with a collar of 0.25 s, when this was
# written; it may get worse by so much before it is looked at.
RATE, LENIENT, BOUND = 0.255, 0.146, 0.02


def test_errors_of_meetings(
    speaker_models: Path,
    recordings: Path,
    meetings: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    models = load_voice_models(locate_speakers(str(speaker_models)), 1)
    strict, lenient = [], []
    for name, truth in read_rttm(meetings).items():
        (media,) = recordings.glob(f"{name}.*")
        decode_to_wav(media, tmp_path / "sound.wav", lambda _: None, lambda: False)
        with Pcm(tmp_path / "sound.wav") as pcm:
            voices = FileVoices(models, pcm)
            groups = list(voices.hear(lambda: 6))
            found = [(turn.start, turn.end, str(turn.speaker)) for turn in voices.turns()]
            again = FileVoices(models, pcm, groups[:1])
            assert list(again.hear(lambda: 6)) == groups[1:]
            assert again.turns() == voices.turns()
            seconds = len(pcm) / 16000
        strict.append(score(truth, found, seconds))
        lenient.append(score(truth, found, seconds, 0.25))
    rate, collared = total(strict).rate, total(lenient).rate
    with capsys.disabled():
        print(f"\nspeakers of meetings: DER {rate:.3f}, with a collar {collared:.3f}")
    assert rate <= RATE + BOUND
    assert collared <= LENIENT + BOUND


def test_threads_do_not_change_what_is_heard(
    speaker_models: Path, recordings: Path, tmp_path: Path
) -> None:
    decode_to_wav(recordings / "jfk.flac", tmp_path / "a.wav", lambda _: None, lambda: False)
    found = []
    with Pcm(tmp_path / "a.wav") as pcm:
        for threads in (1, 2, 3):
            models = load_voice_models(locate_speakers(str(speaker_models)), threads)
            found.append(list(FileVoices(models, pcm).hear(lambda: 6)))
            found.append(list(FileVoices(models, pcm).hear(lambda: 6)))
    assert all(groups == found[0] for groups in found)
