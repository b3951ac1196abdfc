"""Log-mel features, computed lazily per window; equal to faster-whisper's whole-file features."""

from collections.abc import Callable
from copy import copy
from types import EllipsisType

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor

from fwtui.audio.decode import DecodeCancelled
from fwtui.audio.signal import FloatArray, SampleSource, is_silent

# faster-whisper appends this much silence (samples).
_PADDING = 160
# BLAS multiplies small matrices in another order, which changes the last bit: compute at least
# this many frames wherever whole-file features would have.
_MIN_FRAMES = 512
_SCAN_FRAMES = 3000
# A slice longer than this (5 minutes, 15 MB) stays lazy.
_MAX_FRAMES = 30_000
_FOUR = np.float32(4.0)

Slice = tuple["slice | EllipsisType", slice]


class LazyFeatures:
    """Stands in for the array `extractor(whole signal)`, of shape (mels, frames of 10 ms).

    `features[:, a:b]` and `features[..., a:b]` are float32 arrays; slices over 5 minutes are
    LazyFeatures again. `loudest` is the signal's highest log-mel value, which all windows are
    clamped by: pass the one found earlier, or call `scan_loudest` once; otherwise the first
    window that is read scans the signal.
    """

    ndim = 2
    dtype = np.dtype(np.float32)

    def __init__(
        self, source: SampleSource, extractor: FeatureExtractor, loudest: float | None = None
    ) -> None:
        self._source = source
        self._hop: int = extractor.hop_length
        self._n_fft: int = extractor.n_fft
        self._filters: FloatArray = extractor.mel_filters
        self._window: FloatArray = np.hanning(self._n_fft + 1)[:-1].astype(np.float32)
        self._frames = (len(source) + _PADDING) // self._hop
        self._loudest = loudest
        self._range = range(self._frames)

    @property
    def shape(self) -> tuple[int, int]:
        """(mels, frames)."""
        return self._filters.shape[0], len(self._range)

    @property
    def loudest(self) -> float | None:
        """The highest log-mel value of the whole signal, once it is known."""
        return self._loudest

    def __getitem__(self, key: Slice) -> "FloatArray | LazyFeatures":
        rows, frames = key
        if not (rows is Ellipsis or rows == slice(None)):
            raise IndexError("LazyFeatures supports only all mel rows")
        part = self._range[frames]
        if part.step != 1:
            raise IndexError("LazyFeatures supports only consecutive frames")
        if len(part) <= _MAX_FRAMES:
            return self._clamped(part.start, part.stop)
        self.scan_loudest()  # once for all views
        view = copy(self)
        view._range = part
        return view

    def window(self, start: int, stop: int) -> FloatArray:
        """Frames [start, stop), clipped to the signal."""
        part = self._range[start:stop]
        return self._clamped(part.start, part.stop)

    def is_silent(self, start: int, stop: int) -> bool:
        """Whether frames [start, stop) are digital silence."""
        part = self._range[start:stop]
        return is_silent(self._source, part.start * self._hop, part.stop * self._hop)

    def scan_loudest(self, cancelled: Callable[[], bool] = lambda: False) -> float:
        """The highest log-mel value of the whole signal; reads all of it once, in blocks.

        Raises DecodeCancelled.
        """
        if self._loudest is None:
            highest = -np.inf
            for start in range(0, self._frames, _SCAN_FRAMES):
                if cancelled():
                    raise DecodeCancelled
                stop = min(start + _SCAN_FRAMES, self._frames)
                highest = max(highest, float(self._log_mel(start, stop).max()))
            self._loudest = highest
        return self._loudest

    def _clamped(self, start: int, stop: int) -> FloatArray:
        if stop <= start:
            return np.zeros((self.shape[0], 0), np.float32)
        floor = np.float32(self.scan_loudest()) - np.float32(8.0)
        values: FloatArray = (np.maximum(self._log_mel(start, stop), floor) + _FOUR) / _FOUR
        return values

    def _log_mel(self, start: int, stop: int) -> FloatArray:
        """Unclamped log-mel of frames [start, stop) of the whole signal."""
        first = max(0, min(start, stop - _MIN_FRAMES))
        last = min(self._frames, max(stop, first + _MIN_FRAMES))
        # From here on: the operations of FeatureExtractor, in its order and memory layout.
        half = self._n_fft // 2
        signal = self._samples(first * self._hop - half, (last - 1) * self._hop + half)
        framed = np.lib.stride_tricks.sliding_window_view(signal, self._n_fft)[:: self._hop]
        spectrum = np.fft.rfft(framed * self._window, n=self._n_fft, axis=-1).T
        power = np.abs(spectrum.astype(np.complex64)) ** 2
        values: FloatArray = np.log10(np.clip(self._filters @ power, a_min=1e-10, a_max=None))
        return values[:, start - first : stop - first]

    def _samples(self, start: int, stop: int) -> FloatArray:
        """Samples [start, stop) of the signal with its reflected beginning and silent end."""
        mirrored = self._source.read(1, 1 - start)[::-1] if start < 0 else np.zeros(0, np.float32)
        missing = max(0, -start) - mirrored.size
        samples = self._source.read(max(0, start), stop)
        # The padding is longer than what reflection takes from the end: all beyond it is silence.
        silence = stop - max(0, start) - samples.size
        return np.concatenate(
            (np.zeros(missing, np.float32), mirrored, samples, np.zeros(silence, np.float32))
        )
