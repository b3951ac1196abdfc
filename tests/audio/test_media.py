import os
from dataclasses import replace
from pathlib import Path

import av
import pytest

from fwtui.audio.media import fingerprint, probe
from fwtui.errors import BadMediaError, MediaAccessError, NoAudioError
from tests.audio.encoding import AAC, FLAC, VORBIS, Clip, write_media, write_song


def test_a_sound_file(speech_wav: Path) -> None:
    info = probe(speech_wav)
    assert info.duration == pytest.approx(3.0, abs=1.0)
    assert (info.container, info.codec) == ("wav", "pcm_s16le")
    assert (info.sample_rate, info.channels, info.has_video) == (22050, 1, False)
    assert info.size == speech_wav.stat().st_size


def test_a_video_file_has_the_length_of_its_sound(speech: Clip, tmp_path: Path) -> None:
    for name, sound in (("a.mp4", replace(AAC, layout="stereo")), ("a.mkv", VORBIS)):
        path = tmp_path / name
        write_media(path, speech, sound, picture_seconds=9)
        info = probe(path)
        assert info.has_video
        assert info.channels == 2
        assert info.duration == pytest.approx(speech.seconds, abs=0.1)


def test_a_cover_picture_is_no_video(speech: Clip, tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    write_song(song, speech)
    with av.open(str(song)) as container:
        assert container.streams.video
    assert not probe(song).has_video


def test_a_wav_of_unknown_length(speech_wav: Path, tmp_path: Path) -> None:
    data = bytearray(speech_wav.read_bytes())
    size = data.index(b"data") + 4
    data[4:8] = data[size : size + 4] = b"\xff\xff\xff\xff"
    path = tmp_path / "stream.wav"
    path.write_bytes(data)
    assert 0 <= probe(path).duration < 10


def test_tags_in_an_unknown_encoding_do_not_matter(speech: Clip, tmp_path: Path) -> None:
    path = tmp_path / "tagged.mka"
    write_media(path, speech, FLAC, tags={"title": "x" * 9, "DURATION": "00:00:09.5"})
    assert probe(path).duration == pytest.approx(speech.seconds, abs=0.1)
    data = path.read_bytes()
    for tag in (b"x" * 9, b"DURATION", b"00:00:03"):
        assert tag in data
        path.write_bytes(data.replace(tag, b"\xe9\xff" + tag[2:]))
        assert probe(path).duration == pytest.approx(speech.seconds, abs=0.1)


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp3")
    with pytest.raises(MediaAccessError) as caught:
        probe(path)
    assert caught.value.missing
    assert caught.value.title == "File not found: caf\\udce9.mp3"
    path.write_bytes(b"")
    with pytest.raises(BadMediaError, match="Empty file"):
        probe(path)
    path.write_bytes(b"nothing that sounds" * 100)
    with pytest.raises(BadMediaError, match="Not a media file"):
        probe(path)


def test_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "mute.mkv"
    write_media(path, picture_seconds=1)
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
