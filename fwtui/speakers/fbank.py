"""Log-mel filter banks as Kaldi computes them, which models of voices are trained on.

Equal to kaldi-native-fbank's, without dither, to 3e-4.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from fwtui.audio.signal import FloatArray
from fwtui.audio.wav import SAMPLE_RATE

BINS = 80
SIZE, SHIFT = 400, 160  # samples: frames of 25 ms, every 10 ms
_FFT = 512
_LOWEST, _HIGHEST = 20.0, 8000.0  # Hz
_PREEMPHASIS = np.float32(0.97)
_FLOOR = np.float32(1.1920929e-07)  # of a band's power: the epsilon of a float


def fbank(samples: FloatArray) -> FloatArray:
    """(frames, 80) of samples in [-1, 1); less than 25 ms have no frame."""
    if samples.size < SIZE:
        return np.zeros((0, BINS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, SIZE)[::SHIFT]
    frames = frames - frames.mean(1, keepdims=True)
    before = np.concatenate((frames[:, :1], frames[:, :-1]), 1)
    frames = (frames - _PREEMPHASIS * before) * _povey_window()
    power = np.abs(np.fft.rfft(frames, _FFT)).astype(np.float32) ** 2
    values: FloatArray = np.log(np.maximum(power @ _banks(), _FLOOR))
    return values


def _mel(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = 1127.0 * np.log(1.0 + hertz / 700.0)
    return values


@cache
def _povey_window() -> FloatArray:
    """Kaldi's own window: a Hann window to the power of 0.85."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / (SIZE - 1))
    return (hann**0.85).astype(np.float32)


@cache
def _banks() -> FloatArray:
    """(frequencies, 80): the weight of each frequency in each band, triangles on the mel scale."""
    lowest, highest = _mel(np.array([_LOWEST, _HIGHEST]))
    edges = np.linspace(lowest, highest, BINS + 2)
    mel = _mel(np.arange(_FFT // 2) * SAMPLE_RATE / _FFT)[None]
    left, centre, right = (edges[first : first + BINS, None] for first in range(3))
    up, down = (mel - left) / (centre - left), (right - mel) / (right - centre)
    weights = np.pad(np.maximum(0.0, np.minimum(up, down)), ((0, 0), (0, 1)))
    return np.ascontiguousarray(weights.T.astype(np.float32))
