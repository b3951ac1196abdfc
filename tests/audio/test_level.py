"""Audio that is silent once decoded, although the file is not, or because it is."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from fwtui.audio.decode import DecodeOptions, decode_to_wav
from fwtui.audio.level import DEAD_PEAK
from fwtui.audio.tracks import TrackChoice
from tests.audio.encoding import (
    AAC,
    FLAC,
    MP3,
    OPUS,
    WAV,
    Clip,
    Sound,
    TrackTags,
    silence,
    tone,
    write_channels,
    write_media,
    write_tracks,
)
from tests.audio.making import decode, decode_track, wav_samples

Channels = npt.NDArray[np.int16]


def _inverted(clip: Clip, share: float = 1.0) -> Channels:
    return np.stack([clip.samples, (clip.samples * -share).astype(np.int16)])


def _peak(path: Path) -> int:
    return int(np.abs(wav_samples(path).astype(np.int32)).max())


@pytest.mark.parametrize(
    ("name", "sound"), [("a.wav", WAV), ("a.flac", FLAC), ("a.m4a", AAC), ("a.mp3", MP3),
                        ("a.mka", Sound("pcm_f32le")), ("a.opus", OPUS)],
)  # fmt: skip
@pytest.mark.parametrize("share", [1.0, 0.95])
def test_channels_that_cancel_each_other_out_are_heard(
    name: str, sound: Sound, share: float, speech: Clip, tmp_path: Path
) -> None:
    """Interleaved and planar samples, whole numbers and floats, wholly and almost cancelled."""
    path, wav = tmp_path / name, tmp_path / "out.wav"
    write_channels(path, _inverted(speech, share), speech.rate, sound)
    found = decode(path, wav)
    assert len(found.warnings) == 1
    assert re.search(r"cancel each other out in (2\.[5-9]|3\.0) s of the audio", found.warnings[0])
    assert found.samples == pytest.approx(48_000, abs=1600)
    assert _peak(wav) > np.abs(speech.samples).max() * 0.7


def test_only_the_part_that_is_cancelled_is_replaced(speech: Clip, tmp_path: Path) -> None:
    minute = speech.repeated(20).samples
    channels = np.stack([minute, minute])
    channels[1, : minute.size // 2] *= -1
    path, wav = tmp_path / "a.wav", tmp_path / "out.wav"
    write_channels(path, channels, speech.rate)
    found = decode(path, wav)
    samples = wav_samples(wav)
    assert found.samples == pytest.approx(60 * 16_000, abs=160)
    assert "of the audio (one has reversed polarity)" in found.warnings[0]
    loud = [np.abs(part.astype(np.int32)).max() for part in np.array_split(samples, 10)]
    assert min(loud) > 1000


@pytest.mark.parametrize("kind", ["same", "left only", "apart", "late", "quiet", "surround"])
def test_ordinary_stereo_is_mixed_as_ever(kind: str, speech: Clip, tmp_path: Path) -> None:
    one = speech.samples
    noise = np.random.default_rng(3).integers(-9000, 9000, one.size).astype(np.int16)
    channels = {
        "same": np.stack([one, one]),
        "left only": np.stack([one, np.zeros_like(one)]),
        "apart": np.stack([one, noise]),
        "late": np.stack([one, np.roll(one, 7)]),
        "quiet": np.stack([one // 100, one // 100]),
        "surround": np.stack([np.zeros_like(one)] * 5 + [one]),
    }[kind]
    sound = replace(FLAC, layout="5.1") if kind == "surround" else FLAC
    write_channels(tmp_path / "a.flac", channels, speech.rate, sound)
    assert not any(
        "cancel" in text for text in decode(tmp_path / "a.flac", tmp_path / "o").warnings
    )


@pytest.mark.parametrize(
    ("peak", "warning"),
    [
        (0, "the audio is silent throughout"),
        (1, "the audio is nearly silent (peak -90 dB): the microphone was off or muted"),
        (round(DEAD_PEAK) - 2, "the audio is nearly silent (peak -60 dB): the microphone was"),
        (round(DEAD_PEAK) + 3, ""),
        (4000, ""),
    ],
)
def test_a_dead_microphone_is_said(peak: int, warning: str, tmp_path: Path) -> None:
    wave = tone(2.0).samples.astype(np.int32) * peak // 4000
    write_channels(tmp_path / "a.wav", wave.astype(np.int16).reshape(1, -1), 16_000)
    warnings = decode(tmp_path / "a.wav", tmp_path / "out.wav").warnings
    assert len(warnings) == bool(warning)
    assert "".join(warnings).startswith(warning)


@pytest.mark.parametrize(
    "silent", [(True, False), (True, True, False), (True, True), (False, True)]
)
def test_a_silent_track_is_passed_over(silent: tuple[bool, ...], tmp_path: Path) -> None:
    path, wav = tmp_path / "a.mka", tmp_path / "out.wav"
    clips = [silence(1.0 + number) if quiet else tone(1.0 + number)
             for number, quiet in enumerate(silent)]  # fmt: skip
    write_tracks(path, [(clip, TrackTags()) for clip in clips])
    found = decode(path, wav)
    if silent == (True, True):
        assert found.warnings == ("all audio tracks are silent",)
        return
    first = silent.index(False) + 1
    assert found.track == first
    assert found.samples == first * 16_000
    before = {1: (), 2: ("audio track 1 is silent: track 2 was used",)}
    many = ("audio tracks 1, 2 are silent: track 3 was used",)
    assert found.warnings == before.get(first, many)


def test_a_silent_track_that_was_asked_for_is_transcribed(tmp_path: Path) -> None:
    path = tmp_path / "a.mka"
    write_tracks(path, [(silence(1.0), TrackTags("eng")), (tone(2.0), TrackTags("ger"))])
    for choice in ("1", "en"):
        found = decode_track(path, tmp_path / "out.wav", TrackChoice(choice))
        assert (found.track, found.samples) == (1, 16_000)
        assert found.warnings == ("the audio is silent throughout",)


@pytest.mark.parametrize("loudness", [30, 300, 4000])
def test_normalisation_makes_quiet_voices_louder_and_moves_nothing(
    loudness: int, speech: Clip, tmp_path: Path
) -> None:
    path = tmp_path / "a.flac"
    quiet = speech.repeated(7).samples.astype(np.int32) * loudness // 20_000
    write_media(path, Clip(quiet.astype(np.int16), speech.rate), FLAC)
    plain, even = tmp_path / "plain.wav", tmp_path / "even.wav"
    before = decode(path, plain)
    after = decode_to_wav(path, even, lambda _: None, lambda: False, DecodeOptions(normalise=True))
    assert (after.samples, after.peak) == (before.samples, before.peak)
    assert after.digest != before.digest
    assert _peak(even) > 5 * _peak(plain)
    loud = [wav_samples(one).astype(np.float64) ** 2 for one in (plain, even)]
    envelopes = [np.add.reduceat(power, np.arange(0, power.size, 1600)) for power in loud]
    assert np.corrcoef(np.log(envelopes[0] + 1), np.log(envelopes[1] + 1))[0, 1] > 0.5
