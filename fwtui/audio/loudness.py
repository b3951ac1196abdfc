"""How loud each channel of a recording is, every 20 ms; whether its channels are all the same."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fwtui.audio.level import DEAD_PEAK, FULL_SCALE, Samples
from fwtui.audio.wav import SAMPLE_RATE

FRAME_SECONDS = 0.02
FRAME_SAMPLES = round(SAMPLE_RATE * FRAME_SECONDS)
# Loudness is kept in steps of half a decibel: one byte for each channel and frame, 360 KB per hour
# of stereo. 0 is silence, 255 a square wave of full scale.
_STEPS = 2
_FULL = 255
# Channels are the same if this much of their power is, in every second and throughout, with a gain
# between them that varies by less than 3 dB. What lossy codecs add stays below it.
_SAME = 0.99
_GAIN_RANGE = 2.0  # of powers
# Seconds that are less loud (-60 dB) say nothing.
_FAINT = DEAD_PEAK**2 / 2


class ChannelLevels(NamedTuple):
    """The loudness of each channel (rows) every 20 ms, and whether all channels are the same.

    `codes` are half decibels: 255 is full scale, 0 silence.
    """

    codes: npt.NDArray[np.uint8]
    same: bool = False

    @property
    def decibels(self) -> npt.NDArray[np.float32]:
        """Loudness in dB of full scale; silence is -127.5."""
        return np.asarray((self.codes.astype(np.float32) - _FULL) / _STEPS, np.float32)


class LevelMeter:
    """Measures the loudness of channels, block by block."""

    def __init__(self, channels: int) -> None:
        self._codes: list[npt.NDArray[np.uint8]] = []
        # Of each second: the power of the first channel, then of each other one its own and what
        # both have in common.
        self._seconds: list[npt.NDArray[np.float32]] = []
        self._rest = np.zeros((channels, 0), np.int16)

    def add(self, samples: Samples) -> None:
        """Measure the next samples: a row for each channel."""
        waiting = np.concatenate((self._rest, samples), axis=1)
        whole = waiting.shape[1] // SAMPLE_RATE * SAMPLE_RATE
        for begin in range(0, whole, SAMPLE_RATE):
            self._measure(waiting[:, begin : begin + SAMPLE_RATE].astype(np.float32))
        self._rest = waiting[:, whole:].copy()

    def add_silence(self, count: int) -> None:
        """Measure `count` samples of silence."""
        for done in range(0, count, SAMPLE_RATE):
            size = min(SAMPLE_RATE, count - done)
            self.add(np.zeros((len(self._rest), size), np.int16))

    def finish(self) -> ChannelLevels:
        """What was measured."""
        if self._rest.size:
            missing = -self._rest.shape[1] % FRAME_SAMPLES
            self._measure(np.pad(self._rest, ((0, 0), (0, missing))).astype(np.float32))
        empty = np.zeros((len(self._rest), 0), np.uint8)
        return ChannelLevels(np.concatenate((empty, *self._codes), axis=1), self._is_same())

    def _measure(self, samples: npt.NDArray[np.float32]) -> None:
        power = (samples * samples).reshape(len(samples), -1, FRAME_SAMPLES).mean(axis=2)
        self._codes.append(loudness_codes(power))
        common = [samples[0] * one for one in samples[1:]]
        self._seconds.append(
            np.array([*power.mean(axis=1), *(product.mean() for product in common)], np.float32)
        )

    def _is_same(self) -> bool:
        """Whether all channels have the sound of the first one."""
        if not self._seconds:
            return False
        count = len(self._rest)
        rows = np.stack(self._seconds).astype(np.float64)
        first = rows[:, 0]
        for other, common in zip(rows[:, 1:count].T, rows[:, count:].T, strict=True):
            loud = np.maximum(first, other) > _FAINT
            if not loud.any() or not first.sum() or not other.sum():
                return False
            whole = common.sum() ** 2 / (first.sum() * other.sum())
            each = common[loud] ** 2 / np.maximum(first[loud] * other[loud], 1e-9)
            gains = other[loud] / np.maximum(first[loud], 1e-9) / (other.sum() / first.sum())
            even = (gains < _GAIN_RANGE).all() and (gains > 1 / _GAIN_RANGE).all()
            if whole < _SAME or (each < _SAME).any() or not even:
                return False
        return True


def loudness_codes(power: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Mean powers of 16-bit samples as codes of loudness."""
    decibels = 10 * np.log10(np.maximum(power, 1e-9) / FULL_SCALE**2)
    return np.asarray(np.clip(np.rint(decibels * _STEPS + _FULL), 0, _FULL), np.uint8)
