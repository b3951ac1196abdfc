"""Decoded audio, read by position: a scratch WAV, and the speech in it as one signal."""

import os
import threading
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from fwtui.audio.wav import (
    CHECK_BYTES,
    SAMPLE_BYTES,
    SampleChecks,
    find_samples,
    scratch_changed,
)
from fwtui.core.session import SpeechChunk

FloatArray = npt.NDArray[np.float32]

# No louder: digital silence, with the rounding errors of codecs and of conversions (-84 dB).
SILENT_PEAK = 2 / 32768


class SampleSource(Protocol):
    """A mono signal at 16 kHz that can be read anywhere."""

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def read(self, start: int, stop: int) -> FloatArray:
        """Samples [start, stop) in [-1, 1), clipped to the signal."""
        ...


class Pcm:
    """The samples of a 16 kHz 16-bit WAV, read by position; threads may share it.

    `read` is for one channel; `channel` gives each of several. With `checks`, all that is read is
    compared with what was written. Raises OSError if the file cannot be read, ScratchChangedError
    if it was deleted, cut or changed, or is no such WAV.
    """

    def __init__(self, wav: Path, checks: SampleChecks | None = None, channels: int = 1) -> None:
        self._wav = wav
        try:
            self._file = wav.open("rb", buffering=0)
        except FileNotFoundError as error:
            raise scratch_changed("it was deleted") from error
        self._lock = threading.Lock()
        self._checks = checks
        try:
            data = find_samples(self._file, os.fstat(self._file.fileno()).st_size)
            if data.channels != channels:
                raise scratch_changed("it has another number of channels")
            if checks is not None and data.samples != checks.samples:
                raise scratch_changed("its length is another one")
        except BaseException:
            self._file.close()
            raise
        self._offset = data.offset
        self._samples = data.samples
        self.channels = data.channels
        self._bytes = data.channels * SAMPLE_BYTES

    def __len__(self) -> int:
        return self._samples

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, start: int, stop: int) -> FloatArray:
        """Samples [start, stop) as float32 in [-1, 1), clipped to the signal."""
        return self.read_channel(0, start, stop)

    def read_channel(self, index: int, start: int, stop: int) -> FloatArray:
        """Samples [start, stop) of a channel, as `read`."""
        start, stop = _clip(start, stop, self._samples)
        data = self._data(start * self._bytes, stop * self._bytes)
        samples = np.frombuffer(data, "<i2")[index :: self.channels]
        # The division is faster-whisper's, bit for bit.
        return samples.astype(np.float32) / np.float32(32768.0)

    def channel(self, index: int) -> "SampleSource":
        """One of the channels, from 0."""
        return self if self.channels == 1 else ChannelOf(self, index)

    def reopened(self) -> "Pcm":
        """The same samples, for a reader with an end of its own."""
        return Pcm(self._wav, self._checks, self.channels)

    def close(self) -> None:
        """Close the file; the WAV stays."""
        self._file.close()

    def _data(self, start: int, stop: int) -> bytes | memoryview:
        """The bytes [start, stop) of the samples. Raises ScratchChangedError."""
        if self._checks is None:
            return self._whole(start, stop)
        first = start // CHECK_BYTES
        last = min(-(-stop // CHECK_BYTES) * CHECK_BYTES, self._samples * self._bytes)
        blocks = memoryview(self._whole(first * CHECK_BYTES, max(last, start)))
        for at in range(0, len(blocks), CHECK_BYTES):
            block = first + at // CHECK_BYTES
            if not self._checks.agrees(block, blocks[at : at + CHECK_BYTES]):
                raise scratch_changed("it has other samples")
        return blocks[start - first * CHECK_BYTES : stop - first * CHECK_BYTES]

    def _whole(self, start: int, stop: int) -> bytes:
        """As `_data`, unchecked; a read may be short, but only the end of the file is its end."""
        parts = []
        while start < stop:
            part = self._read_bytes(stop - start, self._offset + start)
            if not part:
                raise scratch_changed("it was cut off")
            parts.append(part)
            start += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read_bytes(self, count: int, offset: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), count, offset)
        with self._lock:  # Windows has no positional read
            self._file.seek(offset)
            return self._file.read(count)


@dataclass(frozen=True)
class ChannelOf:
    """One channel of a WAV with several."""

    pcm: Pcm
    index: int

    def __len__(self) -> int:
        return len(self.pcm)

    def read(self, start: int, stop: int) -> FloatArray:
        """Samples [start, stop), as `Pcm.read`."""
        return self.pcm.read_channel(self.index, start, stop)


class Muted:
    """A signal with silence in the marked frames, of `frame` samples each."""

    def __init__(self, source: SampleSource, marked: npt.NDArray[np.bool_], frame: int) -> None:
        self._source = source
        self._gains = np.where(marked, 0.0, 1.0).astype(np.float32)
        self._frame = frame

    def __len__(self) -> int:
        return len(self._source)

    def read(self, start: int, stop: int) -> FloatArray:
        """Samples [start, stop), as those of the source; silence is faded in and out."""
        start, stop = _clip(start, stop, len(self))
        samples = self._source.read(start, stop)
        first, last = start // self._frame, -(-stop // self._frame) + 1
        gains = self._gains[max(0, first - 1) : last]
        if not gains.size or gains.all():
            return samples
        # From the middle of one frame to that of the next.
        middles = (np.arange(max(0, first - 1), max(0, first - 1) + gains.size) + 0.5) * self._frame
        shares = np.interp(np.arange(start, stop), middles, gains).astype(np.float32)
        return np.asarray(samples * shares, np.float32)


class SpeechView:
    """The speech chunks of a signal as one signal without the pauses, read lazily.

    Equal to concatenating the chunks, which is what faster-whisper does with VAD on.
    """

    def __init__(self, source: SampleSource, chunks: tuple[SpeechChunk, ...]) -> None:
        self._source = source
        self._chunks = chunks
        self._ends = tuple(accumulate(chunk.end - chunk.start for chunk in chunks))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def read(self, start: int, stop: int) -> FloatArray:
        """Samples [start, stop) of the joined speech, clipped to its length."""
        start, stop = _clip(start, stop, len(self))
        pieces: list[FloatArray] = []
        index = bisect_right(self._ends, start)
        while start < stop:
            chunk, end = self._chunks[index], self._ends[index]
            shift = chunk.end - end  # from the joined signal's positions to the source's
            pieces.append(self._source.read(start + shift, min(stop, end) + shift))
            start, index = end, index + 1
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def is_silent(source: SampleSource, start: int, stop: int) -> bool:
    """Whether samples [start, stop) are digital silence."""
    samples = source.read(start, stop)
    return not samples.size or float(np.abs(samples).max()) <= SILENT_PEAK


def _clip(start: int, stop: int, length: int) -> tuple[int, int]:
    start = min(max(start, 0), length)
    return start, min(max(stop, start), length)
