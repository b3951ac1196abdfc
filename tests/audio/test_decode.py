import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fwtui.audio.decode import DecodeCancelled, decode_to_wav
from fwtui.errors import DiskFullError, StorageError
from tests.audio.encoding import (
    AAC,
    FLAC,
    MP2,
    MP3,
    OPUS,
    VORBIS,
    WAV,
    Clip,
    Sound,
    silence,
    write_media,
)
from tests.audio.making import decode, wav_samples
from tests.whisper_audio import decode_audio


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("mono.wav", WAV),
        ("8k.wav", replace(WAV, rate=8000)),
        ("16k.wav", replace(WAV, rate=16000)),
        ("44k.wav", replace(WAV, rate=44100, layout="stereo")),
        ("48k.flac", replace(FLAC, rate=48000, layout="stereo")),
        ("surround.flac", replace(FLAC, rate=48000, layout="5.1")),
        ("stereo.mp3", replace(MP3, rate=44100, layout="stereo")),
        ("a.ogg", VORBIS),
        ("a.opus", OPUS),
        ("a.m4a", replace(AAC, rate=44100)),
        ("a.wma", Sound("wmav2", rate=44100, bit_rate=64_000)),
        ("a.aac", AAC),
        ("a.mka", AAC),
        ("a.webm", OPUS),
        ("a.ts", MP2),
        ("video.mp4", AAC),
        ("video.mkv", VORBIS),
    ],
)
def test_the_samples_are_those_of_faster_whisper(
    name: str, sound: Sound, speech: Clip, tmp_path: Path
) -> None:
    source = tmp_path / name
    write_media(source, speech, sound, picture_seconds=3 * name.startswith("video"))
    found = decode(source, tmp_path / "out.wav")
    samples = wav_samples(tmp_path / "out.wav")
    assert np.array_equal(samples.astype(np.float32) / 32768.0, decode_audio(source))
    assert (found.samples, found.warnings) == (samples.size, ())


def test_a_file_longer_than_one_block_is_the_same_too(long_mp3: Path, tmp_path: Path) -> None:
    decode(long_mp3, tmp_path / "out.wav")
    samples = wav_samples(tmp_path / "out.wav").astype(np.float32) / 32768.0
    assert samples.size > 450_000
    assert np.array_equal(samples, decode_audio(long_mp3))


def test_parameters_may_change_in_the_middle(speech: Clip, tmp_path: Path) -> None:
    parts = tmp_path / "low.mp3", tmp_path / "high.mp3"
    write_media(parts[0], speech, MP3, options={"write_xing": "0"})
    stereo = replace(MP3, rate=44100, layout="stereo")
    write_media(parts[1], speech, stereo, options={"write_xing": "0"})
    lengths = [decode(part, tmp_path / "part.wav").samples for part in parts]
    both = tmp_path / "both.mp3"
    both.write_bytes(parts[0].read_bytes() + parts[1].read_bytes())
    found = decode(both, tmp_path / "out.wav")
    assert found.samples == pytest.approx(sum(lengths), abs=16000 * 0.3)


def test_odd_names_are_only_names(speech_wav: Path, tmp_path: Path) -> None:
    for name in (b"concat:a|b.wav", b"-i %d [red].wav", b"caf\xe9.wav", b"pipe:0"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.write_bytes(speech_wav.read_bytes())
        assert decode(path, tmp_path / "out.wav").samples > 16000


def test_cancelling_leaves_no_file(long_mp3: Path, tmp_path: Path) -> None:
    wav = tmp_path / "out.wav"
    asked = iter(range(1000))
    with pytest.raises(DecodeCancelled):
        decode_to_wav(long_mp3, wav, lambda _: None, lambda: next(asked) == 20)
    assert next(asked) == 21
    assert not wav.exists()


def test_progress_is_rare_and_grows(long_mp3: Path, tmp_path: Path) -> None:
    seen: list[float] = []
    decode_to_wav(long_mp3, tmp_path / "out.wav", seen.append, lambda: False)
    assert 1 <= len(seen) < 40
    assert seen == sorted(seen)


def test_the_file_is_private(speech_wav: Path, tmp_path: Path) -> None:
    decode(speech_wav, tmp_path / "out.wav")
    if os.name == "posix":
        assert (tmp_path / "out.wav").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_said_with_folder_and_size(long_mp3: Path, tmp_path: Path) -> None:
    wav = tmp_path / "out.wav"
    wav.symlink_to("/dev/full")
    with pytest.raises(DiskFullError) as caught:
        decode(long_mp3, wav)
    assert str(tmp_path) in caught.value.title
    needed = caught.value.needed
    assert "96" in str(needed)
    assert caught.value.hint.startswith(f"{needed / 2**20:.0f} MB are needed there")
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert not wav.is_symlink()


def test_a_missing_folder_is_a_storage_error(speech_wav: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        decode(speech_wav, tmp_path / "none" / "out.wav")


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    peaks = []
    for minutes in (5, 60):
        source = tmp_path / f"{minutes}.flac"
        write_media(source, silence(minutes * 60, rate=8000), FLAC)
        peaks.append(_peak_kb(source, tmp_path / "out.wav"))
    assert peaks[1] - peaks[0] < 16_000


def _peak_kb(source: Path, wav: Path) -> int:
    pytest.importorskip("resource", reason="peak memory is told by POSIX systems")
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from fwtui.audio.decode import decode_to_wav\n"
        "from fwtui.memory.cleanup import peak_rss\n"
        "decode_to_wav(Path(sys.argv[1]), Path(sys.argv[2]), lambda s: None, lambda: False)\n"
        "print(round(peak_rss() * 1024))\n"
    )
    command = [sys.executable, "-c", script, str(source), str(wav)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
