"""Real models on a call with a speaker on each channel, who talk at once."""

from pathlib import Path

import numpy as np
import pytest

from fwtui.audio.channel_turns import channel_turns
from fwtui.audio.decode import DecodeOptions, decode_to_wav
from fwtui.core.settings import DecodingSettings
from tests.audio.encoding import Sound, read_clip, write_channels
from tests.engine.test_split_channels import results, segments
from tests.real.decoding import transcriber

SPLIT = DecodingSettings(channel="split", language="en", beam_size=1, word_timestamps=True)


def test_nobody_is_lost_when_both_talk(base: Path, recordings: Path, tmp_path: Path) -> None:
    path = recordings / "stereo_diarization.wav"
    plan, found = results(transcriber(base), path, tmp_path, SPLIT)
    assert [channel.number for channel in plan.channels] == [0, 1]
    for side, words in enumerate((("vanished", "curtain"), ("horizon", "extremely", "distant"))):
        text = " ".join(one.text for one in segments(found) if one.channel == side).lower()
        assert [word for word in words if word in text] == list(words)


def test_both_have_a_turn_in_it(recordings: Path, tmp_path: Path) -> None:
    path, options = recordings / "stereo_diarization.wav", DecodeOptions(measure=True)
    found = decode_to_wav(path, tmp_path / "a.wav", lambda _: None, lambda: False, options)
    assert found.levels is not None
    assert {turn.speaker for turn in channel_turns(found.levels)} == {0, 1}


@pytest.mark.parametrize("batched", [False, True])
def test_what_leaks_from_the_other_telephone_is_not_transcribed_twice(
    base: Path, recordings: Path, batched: bool, tmp_path: Path
) -> None:
    """G.711 with a leak of 20 dB and noise: who speaks on the left first, then on the right."""
    speech = read_clip(recordings / "jfk.flac", 8_000).samples.astype(np.float64)
    border = 7.7  # between two sentences
    silent = np.arange(speech.size) >= border * 8_000
    left, right = np.where(silent, 0, speech), np.where(silent, speech, 0)
    noise = np.random.default_rng(1).normal(0, 60, (2, left.size))
    both = np.stack([left + right / 10, right + left / 10]) + noise
    write_channels(tmp_path / "a.wav", both.astype(np.int16), 8_000, Sound("pcm_mulaw"))
    decoding = DecodingSettings(
        channel="split", language="en", beam_size=1, word_timestamps=True, batched=batched
    )
    _, found = results(transcriber(base), tmp_path / "a.wav", tmp_path, decoding)
    for one in segments(found):
        assert one.end < border + 0.7 if one.channel == 0 else one.start > border - 0.7
    texts = ["".join(one.text for one in segments(found) if one.channel == n) for n in (0, 1)]
    assert "fellow" in texts[0]
    assert "for your country" in texts[1]
