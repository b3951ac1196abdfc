import os
import wave
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from random import Random

import av
import numpy as np
import pytest
from faster_whisper.vad import collect_chunks

from fwtui.audio.signal import FloatArray, Pcm, SpeechView
from fwtui.audio.wav import CHECK_BYTES, HEADER_BYTES, SampleChecks, WavWriter, wav_header
from fwtui.core.session import SpeechChunk
from fwtui.errors import ScratchChangedError, StorageError
from tests.audio.making import Sound, wav_samples

VALUES = np.random.default_rng(1).integers(-32768, 32767, 50_000).astype(np.int16)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    with WavWriter(path) as writer:
        writer.write(VALUES[:20_000])
        writer.write_silence(0)
        writer.write(VALUES[20_000:])
    return path


def _float(values: np.ndarray[tuple[int], np.dtype[np.int16]]) -> FloatArray:
    return values.astype(np.float32) / np.float32(32768.0)


def test_what_is_written_is_read(wav: Path) -> None:
    assert np.array_equal(wav_samples(wav), VALUES)
    with Pcm(wav) as pcm:
        assert len(pcm) == VALUES.size
        for start, stop in (
            (0, 50_000),
            (-5, 10),
            (49_990, 60_000),
            (7, 7),
            (9, 3),
            (70_000, 80_000),
        ):
            expected = VALUES[max(0, start) : max(0, stop)]
            assert np.array_equal(pcm.read(start, stop), _float(expected))
        assert pcm.read(0, 5).dtype == np.float32


def test_threads_may_share_it_also_without_positional_reads(
    wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for portable in (False, True):
        if portable and hasattr(os, "pread"):
            monkeypatch.delattr(os, "pread")
        with Pcm(wav) as pcm, ThreadPoolExecutor(4) as pool:
            starts = range(0, 49_000, 97)
            read = pool.map(lambda start: pcm.read(start, start + 1000), starts)
            for start, values in zip(starts, read, strict=True):
                assert np.array_equal(values, _float(VALUES[start : start + 1000]))


def _written(path: Path) -> SampleChecks:
    """Pieces of every length around the blocks that are checked."""
    with WavWriter(path) as writer:
        at = 0
        for size in (1, 32_767, 32_768, 5, 70_000, 32_763, 1, 3000):
            writer.write(np.arange(at, at + size).astype(np.int16) + 1)
            at += size
    return writer.checks


def test_what_is_read_back_is_what_was_written(tmp_path: Path) -> None:
    checks = _written(tmp_path / "a.wav")
    with Pcm(tmp_path / "a.wav") as plain, Pcm(tmp_path / "a.wav", checks) as checked:
        size = len(plain)
        edges = (0, 1, 32_767, 32_768, 32_769, 65_536, 131_071, size - 1, size, size + 9)
        for start, stop in product(edges, edges):
            assert np.array_equal(plain.read(start, stop), checked.read(start, stop))


@pytest.mark.parametrize("seed", range(20))
def test_a_scratch_file_that_was_cut_or_changed_is_an_error(seed: int, tmp_path: Path) -> None:
    """Cut anywhere, blanked anywhere, a bit flipped anywhere; before it is opened, or after."""
    path, random = tmp_path / "a.wav", Random(seed)
    checks = _written(path)
    data = bytearray(path.read_bytes())
    with Pcm(path, checks) as pcm:
        whole, at = pcm.read(0, len(pcm)), random.randrange(HEADER_BYTES, len(data))
        harm = random.choice(("cut", "blank", "flip"))
        if harm == "cut":
            os.truncate(path, at)
        else:
            length = random.randrange(2, 200_000) if harm == "blank" else 1
            piece = (
                bytes(length) if harm == "blank" else bytes([data[at] ^ 1 << random.randrange(8)])
            )
            data[at : at + length] = piece[: len(data) - at]
            with path.open("r+b") as file:
                file.write(data)
        with pytest.raises(ScratchChangedError) as caught:
            pcm.read(0, len(pcm))
        assert caught.value.hint
        harmed = (at - HEADER_BYTES) // 2
        before = harmed - harmed % (CHECK_BYTES // 2)
        assert np.array_equal(pcm.read(0, before), whole[:before])
    if harm == "cut":
        with pytest.raises(ScratchChangedError):
            Pcm(path, checks)


def test_one_that_was_deleted_before_it_is_opened_is_an_error(tmp_path: Path) -> None:
    checks = _written(tmp_path / "a.wav")
    (tmp_path / "a.wav").unlink()
    with pytest.raises(ScratchChangedError, match="deleted"):
        Pcm(tmp_path / "a.wav", checks)


@pytest.mark.parametrize("data", [b"", b"RIFF", bytes(5000)])
def test_a_header_that_was_blanked_is_an_error(data: bytes, tmp_path: Path) -> None:
    checks = _written(tmp_path / "a.wav")
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(ScratchChangedError):
        Pcm(tmp_path / "a.wav", checks)


def test_a_short_read_is_not_the_end(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network share may give less than was asked for."""
    with Pcm(wav) as pcm:
        expected = pcm.read(0, 50_000)
        if hasattr(os, "pread"):
            real = os.pread
            monkeypatch.setattr(
                os, "pread", lambda file, count, at: real(file, min(count, 999), at)
            )
        assert np.array_equal(pcm.read(0, 50_000), expected)


def test_a_plain_wav_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "plain.wav"
    for channels, rate in ((1, 16000), (2, 16000), (1, 8000)):
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(VALUES.tobytes())
        if (channels, rate) == (1, 16000):
            with Pcm(path) as pcm:
                assert np.array_equal(pcm.read(0, 50_000), _float(VALUES))
        else:
            with pytest.raises(StorageError):
                Pcm(path)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"x" * 100, wav_header(0)[:50]])
def test_what_is_no_wav_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(data)
    with pytest.raises(StorageError):
        Pcm(path)


def test_silence_has_the_right_length(tmp_path: Path) -> None:
    with WavWriter(tmp_path / "a.wav") as writer:
        writer.write_silence(200_001)
    samples = wav_samples(tmp_path / "a.wav")
    assert samples.size == 200_001
    assert not samples.any()


def test_a_failing_writer_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), WavWriter(tmp_path / "a.wav"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_a_wav_of_more_than_4_gib(tmp_path: Path) -> None:
    path, count = tmp_path / "long.wav", 2_500_000_000
    path.write_bytes(wav_header(count * 2))
    os.truncate(path, HEADER_BYTES + count * 2)  # sparse: takes no room
    with Pcm(path) as pcm:
        assert len(pcm) == count
        assert pcm.read(count - 3, count + 3).tolist() == [0.0] * 3
    with av.open(str(path)) as container:
        assert container.streams.audio[0].duration == count


def test_a_speech_view_is_what_faster_whisper_concatenates() -> None:
    sound = Sound(_float(VALUES))
    bounds = [(5, 10), (10, 500), (7000, 7001), (20_000, 49_999)]
    chunks = tuple(SpeechChunk(start, end) for start, end in bounds)
    dicts = [{"start": start, "end": end} for start, end in bounds]
    expected = np.concatenate(collect_chunks(sound.samples, dicts)[0])
    view = SpeechView(sound, chunks)
    assert len(view) == expected.size
    assert np.array_equal(view.read(0, len(view)), expected)
    rng = np.random.default_rng(2)
    for start, stop in rng.integers(-50, expected.size + 50, (300, 2)).tolist():
        assert np.array_equal(view.read(start, stop), expected[max(0, start) : max(0, stop)])


def test_no_speech_is_an_empty_signal() -> None:
    view = SpeechView(Sound(_float(VALUES)), ())
    assert len(view) == 0
    assert view.read(0, 100).size == 0
