"""English, then German, in one recording; French after a long silence."""

from pathlib import Path

import numpy as np
import pytest

from fwtui.batch.quality import check_transcript
from fwtui.core.finding import FindingKind
from fwtui.core.segment import Transcript
from fwtui.core.session import with_languages
from fwtui.core.settings import DecodingSettings, QualitySettings
from tests.engine.support import write_wav
from tests.real.decoding import segments, text, windows_of
from tests.whisper_audio import decode_audio


@pytest.mark.parametrize("batched", [False, True])
def test_german_after_english_stays_german(
    base: Path, recordings: Path, tmp_path: Path, batched: bool
) -> None:
    decoding = DecodingSettings(multilingual=True, batched=batched)
    plan, found = windows_of(base, recordings / "multilingual.mp3", tmp_path, decoding)
    assert "Permission is hereby granted" in text(found)
    assert "Genehmigung erteilt" in text(found)
    spoken = [one for window in found for one in window.spoken]
    codes = [one.language or "" for one in with_languages(segments(found), spoken)]
    assert (codes, set(codes)) == (sorted(codes, reverse=True), {"en", "de"})
    transcript = Transcript("en", tuple(segments(found)), plan.duration)
    for asked in (True, False):
        options = DecodingSettings(multilingual=asked)
        marked = check_transcript(transcript, plan, spoken, options, QualitySettings())
        assert (FindingKind.LANGUAGE in {one.kind for one in marked}) is not asked


def test_french_after_silence_is_french(base: Path, recordings: Path, tmp_path: Path) -> None:
    path = tmp_path / "late.wav"
    french = decode_audio(recordings / "french.mp3")
    write_wav(path, np.concatenate((np.zeros(16000 * 45, np.float32), french)))
    plan, found = windows_of(base, path, tmp_path, DecodingSettings(beam_size=1))
    assert plan.language == "fr"
    assert "apprenant" in text(found)


def test_batches_lose_no_language(base: Path, recordings: Path, tmp_path: Path) -> None:
    """English, French and English again are 30 s of speech: one chunk, if pauses did not count."""
    path = tmp_path / "mixed.wav"
    pause = np.zeros(16000 * 4, np.float32)
    english, french = (decode_audio(recordings / name) for name in ("jfk.flac", "french.mp3"))
    write_wav(path, np.concatenate((english, pause, french, pause, english)))
    decoding = DecodingSettings(multilingual=True, batched=True, beam_size=1)
    _, found = windows_of(base, path, tmp_path, decoding)
    assert text(found).count("country") == 4
    assert "apprenant" in text(found)
