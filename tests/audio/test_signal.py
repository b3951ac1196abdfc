import os
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
from faster_whisper.vad import collect_chunks

from fwtui.audio.signal import FloatArray, Pcm, SpeechView
from fwtui.audio.wav import HEADER_BYTES, WavWriter, wav_header
from fwtui.core.session import SpeechChunk
from fwtui.errors import StorageError
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
