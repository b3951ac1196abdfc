import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fwtui.audio.decode import Decoded, DecodeOptions, decode_to_wav
from fwtui.audio.media import probe
from fwtui.errors import BadMediaError, MediaAccessError, MediaError, NoAudioError
from tests.audio.encoding import (
    AAC,
    FLAC,
    MP2,
    OPUS,
    VORBIS,
    Clip,
    Sound,
    silence,
    write_media,
)
from tests.audio.making import decode, wav_samples, write_timed
from tests.tools import unprivileged


def _noise(count: int) -> bytes:
    return np.random.default_rng(count).bytes(count)


def _fails(path: Path, kind: type[MediaError]) -> MediaError:
    wav = path.parent / "out.wav"
    with pytest.raises(kind) as caught:
        decode(path, wav)
    assert path.name in caught.value.title
    assert caught.value.hint
    assert not wav.exists()
    return caught.value


def test_an_mp3_with_a_corrupt_middle_keeps_the_rest(long_mp3: Path, tmp_path: Path) -> None:
    data = bytearray(long_mp3.read_bytes())
    begin, end = len(data) * 2 // 5, len(data) * 3 // 5
    data[begin:end] = _noise(end - begin)
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(data)
    whole = decode(long_mp3, tmp_path / "whole.wav").samples
    found = decode(broken, tmp_path / "out.wav")
    assert found.samples > whole * 0.75
    assert any("damaged packet" in warning for warning in found.warnings)
    assert any("the file claims" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("name", "sound"),
    [("a.flac", FLAC), ("a.m4a", AAC), ("a.mka", AAC), ("a.opus", OPUS)],
)
def test_damage_does_not_move_what_is_behind_it(
    name: str, sound: Sound, long_speech: Clip, tmp_path: Path
) -> None:
    path = tmp_path / name
    write_media(path, long_speech, sound)
    whole = decode(path, tmp_path / "whole.wav").samples
    data = bytearray(path.read_bytes())
    for begin in range(len(data) // 3, len(data) // 2, 3000):
        data[begin : begin + 20] = _noise(20)
    path.write_bytes(data)
    found = decode(path, tmp_path / "out.wav")
    assert found.samples == pytest.approx(whole, abs=0.15 * 16000)
    assert found.warnings


@pytest.mark.parametrize(
    ("name", "sound"),
    [("a.flac", FLAC), ("a.mp4", AAC), ("a.mka", AAC), ("a.ogg", VORBIS)],
)
def test_a_truncated_file_gives_what_there_is(
    name: str, sound: Sound, long_speech: Clip, tmp_path: Path
) -> None:
    path = tmp_path / name
    index_first = {"movflags": "+faststart"} if path.suffix == ".mp4" else None
    write_media(path, long_speech, sound, options=index_first)
    whole = decode(path, tmp_path / "whole.wav").samples
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    found = decode(path, tmp_path / "out.wav")
    assert 0.5 * whole < found.samples < 0.7 * whole
    if path.suffix != ".ogg":  # an Ogg file only knows its length by its last page
        assert any("the file claims" in warning for warning in found.warnings)


def test_an_mp4_without_its_index_is_bad(long_speech: Clip, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_media(path, long_speech, AAC)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    _fails(path, BadMediaError)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("text.mp3", b"this is no music\n" * 500),
        ("empty.wav", b""),
        ("id3.mp3", b"ID3\x03\0\0\0\0\0\x0a" + bytes(10) + _noise(40000)),
        ("head.flac", b"fLaC" + _noise(40000)),
        ("head.ogg", b"OggS" + _noise(40000)),
        ("head.mp4", b"\0\0\0\x20ftypisom" + _noise(40000)),
        ("live.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/x.ts\n"),
    ],
)
def test_what_is_not_media_says_so(name: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    _fails(path, BadMediaError)


@pytest.mark.parametrize(("extension", "sound"), [("flac", FLAC), ("mka", VORBIS)])
def test_noise_behind_a_valid_header_is_no_sound(
    extension: str, sound: Sound, long_speech: Clip, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{extension}"
    write_media(path, long_speech, sound)
    head = 500 if extension == "mka" else 8000
    path.write_bytes(path.read_bytes()[:head] + _noise(40000))
    _fails(path, BadMediaError)


def test_video_without_sound(tmp_path: Path) -> None:
    path = tmp_path / "mute.mp4"
    write_media(path, picture_seconds=1)
    _fails(path, NoAudioError)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    missing = _fails(tmp_path / "gone.mp3", MediaAccessError)
    assert isinstance(missing, MediaAccessError)
    assert missing.missing
    folder = tmp_path / "folder.mp3"
    folder.mkdir()
    assert "folder" in _fails(folder, MediaAccessError).title


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_refused_instead_of_waited_on(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    _fails(pipe, MediaAccessError)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_file_without_permission(speech_wav: Path, tmp_path: Path) -> None:
    path = tmp_path / "private.wav"
    path.write_bytes(speech_wav.read_bytes())
    path.chmod(0)
    with unprivileged(), pytest.raises(MediaAccessError, match="permission"):
        probe(path)


def _timed(tmp_path: Path, times: list[float]) -> Decoded:
    write_timed(tmp_path / "timed.mka", times)
    return decode(tmp_path / "timed.mka", tmp_path / "out.wav")


def _steps(begin: float, count: int) -> list[float]:
    return [begin + index / 10 for index in range(count)]


def test_a_gap_becomes_silence(tmp_path: Path) -> None:
    found = _timed(tmp_path, _steps(0, 10) + _steps(3, 10))
    samples = wav_samples(tmp_path / "out.wav")
    assert found.samples == 4 * 16000
    assert not samples[16000:48000].any()
    assert samples[48000:].any()
    assert found.warnings == ("1 gap in the audio filled with 2.0 s of silence",)


def test_a_small_gap_is_left_alone(tmp_path: Path) -> None:
    assert _timed(tmp_path, _steps(0, 10) + _steps(1.08, 10)).samples == 2 * 16000


def test_a_clock_set_back_makes_no_silence(long_speech: Clip, tmp_path: Path) -> None:
    late, early = tmp_path / "late.ts", tmp_path / "early.ts"
    write_media(late, long_speech.first(4), replace(MP2, begin=20.0))
    write_media(early, long_speech.first(4), MP2)
    late.write_bytes(late.read_bytes() + early.read_bytes())
    found = decode(late, tmp_path / "out.wav")
    assert found.samples == pytest.approx(8 * 16000, rel=0.05)
    assert any("timestamps jump" in warning for warning in found.warnings)


def test_sound_that_begins_later_than_the_picture(
    speech: Clip, speech_wav: Path, tmp_path: Path
) -> None:
    path = tmp_path / "late.mkv"
    write_media(path, speech, replace(FLAC, begin=2.0), picture_seconds=6)
    found = decode(path, tmp_path / "out.wav")
    plain = decode(speech_wav, tmp_path / "plain.wav")
    assert found.samples == pytest.approx(plain.samples + 2 * 16000, abs=160)
    assert not wav_samples(tmp_path / "out.wav")[:32000].any()
    assert found.warnings == ()


def test_a_bomb_is_refused_by_its_name_and_leaves_nothing(tmp_path: Path) -> None:
    path, wav = tmp_path / "bomb.flac", tmp_path / "out.wav"
    write_media(path, silence(600), FLAC)
    assert path.stat().st_size < 200_000
    with pytest.raises(BadMediaError, match=r"bomb\.flac has more than 0\.0 hours"):
        decode_to_wav(path, wav, lambda _: None, lambda: False, DecodeOptions(1 << 20))
    assert not wav.exists()
