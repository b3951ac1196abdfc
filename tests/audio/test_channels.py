"""One channel of a recording, each of them, and channels that cancel each other out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from fwtui.audio.decode import Decoded, DecodeOptions, decode_to_wav
from fwtui.audio.level import FULL_SCALE
from fwtui.audio.signal import Pcm
from fwtui.errors import NoAudioError
from tests.audio.encoding import (
    FLAC,
    MP3,
    OPUS,
    WAV,
    Clip,
    Sound,
    tone,
    write_channels,
    write_media,
)
from tests.audio.making import decode, wav_samples

Channels = npt.NDArray[np.int16]


def decoded(path: Path, wav: Path, channel: str, *, normalise: bool = False) -> Decoded:
    options = DecodeOptions(channel=channel, normalise=normalise)
    return decode_to_wav(path, wav, lambda _: None, lambda: False, options)


def _different(clip: Clip, count: int) -> Channels:
    """As many channels, each with another sound."""
    one = clip.samples.astype(np.int32)
    return np.stack([np.roll(one, 3001 * n) * (7 + n) // 16 for n in range(count)]).astype(np.int16)


@pytest.mark.parametrize(
    ("name", "sound", "rate"),
    [
        ("a.wav", WAV, 44_100),
        ("a.wav", Sound("pcm_u8"), 16_000),
        ("a.wav", Sound("pcm_s24le"), 48_000),
        ("a.wav", Sound("pcm_mulaw"), 8_000),
        ("a.wav", Sound("pcm_alaw"), 8_000),
        ("a.mka", Sound("pcm_f64le"), 22_050),
        ("a.mka", Sound("pcm_s64le"), 16_000),
        ("a.flac", FLAC, 32_000),
        ("a.flac", replace(FLAC, layout="5.1"), 48_000),
    ],
)
def test_a_channel_is_decoded_as_if_it_were_alone(
    name: str, sound: Sound, rate: int, long_speech: Clip, tmp_path: Path
) -> None:
    """Whole and float samples, interleaved and planar, telephone codecs; more than a block."""
    count = 6 if sound.layout == "5.1" else 2
    channels = _different(Clip(long_speech.samples, rate), count)
    write_channels(tmp_path / name, channels, rate, sound)
    for number in range(1, count + 1):
        alone, out = tmp_path / f"alone-{name}", tmp_path / "out.wav"
        write_media(alone, Clip(channels[number - 1], rate), replace(sound, layout="mono"))
        expected = decode(alone, tmp_path / "expected.wav")
        found = decoded(tmp_path / name, out, str(number))
        assert np.array_equal(wav_samples(out), wav_samples(tmp_path / "expected.wav"))
        assert (found.digest, found.warnings) == (expected.digest, ())
        side = {1: "left", 2: "right"}.get(number)
        if side is not None:
            assert decoded(tmp_path / name, out, side).digest == expected.digest


@pytest.mark.parametrize("sound", [MP3, OPUS], ids=["mp3", "opus"])
def test_a_channel_of_a_lossy_file_has_none_of_the_other(sound: Sound, tmp_path: Path) -> None:
    name = f"a.{'mp3' if sound is MP3 else 'opus'}"
    beep = tone(3.0, 48_000).samples
    write_channels(tmp_path / name, np.stack([beep, np.zeros_like(beep)]), 48_000, sound)
    loud, quiet = tmp_path / "left.wav", tmp_path / "right.wav"
    decoded(tmp_path / name, loud, "left")
    silent = decoded(tmp_path / name, quiet, "right")
    assert np.abs(wav_samples(loud)).max() > 3000
    assert np.abs(wav_samples(quiet)).max() < 100
    assert "only the right channel was used, which is silent" in silent.warnings


@pytest.mark.parametrize("channel", ["left", "right", "1", "2", "split"])
def test_of_a_mono_file_its_only_channel_is_used(
    channel: str, speech_wav: Path, tmp_path: Path
) -> None:
    expected = decode(speech_wav, tmp_path / "mix.wav")
    found = decoded(speech_wav, tmp_path / "out.wav", channel)
    assert (found.digest, found.rows, found.channels) == (expected.digest, 1, ())
    told = () if channel == "1" else ("it has one channel only, and that was used",)
    assert found.warnings == told


@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_channel_that_does_not_exist_is_an_error(
    count: int, speech: Clip, tmp_path: Path
) -> None:
    sound = replace(FLAC, layout={1: "mono", 2: "stereo", 6: "5.1"}[count])
    write_channels(tmp_path / "a.flac", _different(speech, count), speech.rate, sound)
    with pytest.raises(NoAudioError, match=r"No channel 7: a\.flac") as error:
        decoded(tmp_path / "a.flac", tmp_path / "out.wav", "7")
    assert error.value.hint == (
        "It has one channel." if count == 1 else f"It has {count} channels."
    )
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("count", [2, 6])
def test_each_channel_of_a_split_file_is_what_it_is_alone(
    count: int, normalise: bool, long_speech: Clip, tmp_path: Path
) -> None:
    long_speech = long_speech.first(30 if count == 2 else 9)
    sound = replace(FLAC, layout="5.1") if count == 6 else FLAC
    path, wav = tmp_path / "a.flac", tmp_path / "out.wav"
    write_channels(path, _different(long_speech, count), long_speech.rate, sound)
    found = decoded(path, wav, "split", normalise=normalise)
    assert (found.rows, found.channels, found.warnings) == (count, tuple(range(count)), ())
    with Pcm(wav, found.checks, count) as pcm:
        for index in range(count):
            alone = decoded(path, tmp_path / "one.wav", str(index + 1), normalise=normalise)
            assert alone.samples == found.samples == len(pcm.channel(index))
            with Pcm(tmp_path / "one.wav", alone.checks) as one:
                for begin, end in ((0, 5), (99_999, 140_000), (0, alone.samples)):
                    read = pcm.channel(index).read(begin, end)
                    assert np.array_equal(read, one.read(begin, end))


@pytest.mark.parametrize(
    ("kind", "channels", "warning"),
    [
        ("same", 0, "all its 2 channels are the same: they were transcribed once"),
        ("same but quieter", 0, "all its 2 channels are the same: they were transcribed once"),
        ("reversed", 0, "all its 2 channels are the same: they were transcribed once"),
        ("right silent", 1, "the right channel is silent throughout"),
        ("left dead", 1, "the left channel is nearly silent (peak -71 dB): the microphone was"),
        ("leaking", 2, ""),
        ("same at first", 2, ""),
    ],
)
@pytest.mark.parametrize("name", ["a.flac", "a.mp3"])
def test_what_is_split(
    name: str, kind: str, channels: int, warning: str, long_speech: Clip, tmp_path: Path
) -> None:
    one = long_speech.first(12).samples.astype(np.float64)
    other = np.roll(one, one.size // 3)
    gate = (np.arange(one.size) // (2 * long_speech.rate)) % 2
    pair = {
        "same": (one, one),
        "same but quieter": (one, one * 0.4),
        "reversed": (one, -one),
        "right silent": (one, one * 0),
        "left dead": (one * 10 / np.abs(one).max(), one),
        "leaking": (one * gate + other * (1 - gate) / 10, other * (1 - gate) + one * gate / 10),
        "same at first": (one, np.where(np.arange(one.size) < one.size * 0.8, one, other)),
    }[kind]
    sound = FLAC if name == "a.flac" else replace(MP3, bit_rate=128_000)
    write_channels(tmp_path / name, np.stack(pair).astype(np.int16), long_speech.rate, sound)
    found = decoded(tmp_path / name, tmp_path / "out.wav", "split")
    assert len(found.channels) == channels
    if name == "a.flac" or kind not in {"right silent", "left dead"}:
        assert len(found.warnings) == bool(warning)
        assert "".join(found.warnings).startswith(warning)


# --- channels that cancel each other out ---------------------------------------------------------


def _voices(count: int, seconds: float = 3.0) -> list[npt.NDArray[np.float64]]:
    """Noises that have nothing in common."""
    random = np.random.default_rng(5)
    return [random.normal(0, 3000, round(seconds * 16_000)) for _ in range(count)]


def _share(mix: Channels, voice: npt.NDArray[np.float64]) -> float:
    """The power of a voice in the mix, in whatever phase, as a share of its own power."""
    from_mix, alone = np.fft.rfft(mix.astype(np.float64)), np.fft.rfft(voice)
    bands = np.array_split(np.arange(alone.size), 40)
    powers = [abs(np.vdot(alone[b], from_mix[b])) ** 2 / np.vdot(alone[b], alone[b]).real
              for b in bands]  # fmt: skip
    return float(sum(powers) / np.vdot(alone, alone).real)


@pytest.mark.parametrize(
    ("kind", "warned"),
    [
        ("reversed", True),
        ("reversed and talked over", True),
        ("both sides talk over a reversed one", True),
        ("reversed pair of four, noise on the others", True),
        ("reversed surround", True),
        ("hum reversed, voice not", True),
        ("plain", False),
        ("plain call", False),
        ("weakly reversed leak", False),
    ],
)
def test_no_voice_is_lost_in_the_mix(kind: str, warned: bool, tmp_path: Path) -> None:
    """Wholly and partly cancelled, of two channels and of more."""
    a, b, c = _voices(3)
    faint = c / 30
    hum = np.sin(np.arange(a.size) / 16_000 * 2 * np.pi * 50) * 9000
    rows, voices = {
        "reversed": ((a, -a), (a,)),
        "reversed and talked over": ((a, -a + b * 0.8), (a, b)),
        "both sides talk over a reversed one": ((a + b * 0.5, -a + c * 0.5), (a, b, c)),
        "reversed pair of four, noise on the others": ((a, -a, faint, faint), (a,)),
        "reversed surround": ((a, -a, b * 0.7, faint, faint, faint), (a, b)),
        "hum reversed, voice not": ((a / 4 + hum, a / 4 - hum), (a / 4,)),
        "plain": ((a, a), (a,)),
        "plain call": ((a, b), (a, b)),
        "weakly reversed leak": ((a, b - a / 10), (a, b)),
    }[kind]
    layout = {2: "stereo", 4: "4.0", 6: "5.1"}[len(rows)]
    path, wav = tmp_path / "a.wav", tmp_path / "out.wav"
    channels = np.clip(np.stack(rows), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    write_channels(path, channels, 16_000, replace(WAV, layout=layout))
    found = decode(path, wav)
    assert [_share(wav_samples(wav), voice) > 0.02 for voice in voices] == [True] * len(voices)
    assert any("cancel each other out" in one for one in found.warnings) == warned


def test_only_the_passages_that_cancel_are_mixed_otherwise(tmp_path: Path) -> None:
    (a, b) = _voices(2, 30.0)
    reversed_part = (np.arange(a.size) // (5 * 16_000)) % 3 == 1
    channels = np.stack([a, np.where(reversed_part, -a, b)]).astype(np.int16)
    write_channels(tmp_path / "a.wav", channels, 16_000)
    found = decode(tmp_path / "a.wav", tmp_path / "out.wav")
    mix = wav_samples(tmp_path / "out.wav").astype(np.int32)
    plain = channels.astype(np.int32).sum(axis=0) / 2
    near = sum(np.roll(reversed_part, shift) for shift in (-16_000, -8_000, 8_000, 16_000))
    assert np.abs(mix - plain)[~reversed_part & (near == 0)].max() <= 1
    assert "in 10 s of the audio" in found.warnings[0]
    loud = np.sqrt(np.mean(mix[reversed_part] ** 2.0))
    assert loud == pytest.approx(3000, rel=0.1)
