import os
from pathlib import Path

import pytest

from fwtui.audio.probe import fingerprint, probe
from fwtui.errors import BadMediaError, MediaAccessError, NoAudioError
from tests.audio.making import ffmpeg


def test_a_sound_file(speech_wav: Path) -> None:
    info = probe(speech_wav)
    assert info.duration == pytest.approx(3.0, abs=1.0)
    assert (info.container, info.codec) == ("wav", "pcm_s16le")
    assert (info.sample_rate, info.channels, info.has_video) == (22050, 1, False)
    assert info.size == speech_wav.stat().st_size


def test_a_video_file_has_the_length_of_its_sound(speech_wav: Path, tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv"):
        path = tmp_path / name
        ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64:r=10:d=9", "-i", speech_wav, "-ac", "2", path)
        info = probe(path)
        assert info.has_video
        assert info.channels == 2
        assert info.duration == pytest.approx(probe(speech_wav).duration, abs=0.1)


def test_a_cover_picture_is_no_video(speech_wav: Path, tmp_path: Path) -> None:
    cover, song = tmp_path / "cover.png", tmp_path / "song.mp3"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64", "-frames:v", "1", cover)
    ffmpeg("-i", speech_wav, "-i", cover, "-map", "0", "-map", "1",
           "-disposition:v", "attached_pic", song)  # fmt: skip
    assert not probe(song).has_video


def test_a_wav_of_unknown_length(speech_wav: Path, tmp_path: Path) -> None:
    data = bytearray(speech_wav.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path = tmp_path / "stream.wav"
    path.write_bytes(data)
    assert 0 <= probe(path).duration < 10


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp3")
    with pytest.raises(MediaAccessError) as caught:
        probe(path)
    assert caught.value.missing
    assert caught.value.title == "caf\N{REPLACEMENT CHARACTER}.mp3 is not there"
    path.write_bytes(b"")
    with pytest.raises(BadMediaError, match="empty"):
        probe(path)
    path.write_bytes(b"nothing that sounds" * 100)
    with pytest.raises(BadMediaError, match="not a media file"):
        probe(path)


def test_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "mute.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64:r=10:d=1", path)
    with pytest.raises(NoAudioError):
        probe(path)


def test_a_fingerprint_sees_size_beginning_and_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    seen = set()
    for data in (b"", b"a", b"b", bytes(300_000), bytes(300_001), b"x" + bytes(299_999),
                 bytes(299_999) + b"x"):  # fmt: skip
        path.write_bytes(data)
        seen.add(fingerprint(path).digest)
        assert fingerprint(path).digest in seen
    assert len(seen) == 7
    with pytest.raises(MediaAccessError):
        fingerprint(tmp_path / "gone")
    with pytest.raises(MediaAccessError):
        fingerprint(tmp_path)
