"""The level of decoded audio: silence, channels that cancel each other out, normalisation."""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.filter import Graph

from fwtui.audio.wav import SAMPLE_RATE, WavWriter

Samples = npt.NDArray[np.int16]

FULL_SCALE = 32768
# -60 dB: the noise of a microphone that is switched on is louder.
DEAD_PEAK = FULL_SCALE / 1000
# Channels that are this much alike, but the wrong way round, cancel each other out to a large part
# when they are mixed; of those that are weaker than the loudest one by more, little is lost.
_REVERSED = -0.6
_WEAK = 0.1
# Power of the mix, compared with what channels that have nothing in common would make: -10 dB.
_CANCELLED = 0.1
# More channels are not compared with each other.
_MOST_COMPARED = 8
_PIECE = SAMPLE_RATE // 2  # samples that are compared at once
_FADE = SAMPLE_RATE // 100  # samples from one mix to the other
_EVERY = 8  # one of so many samples is enough to measure a channel
# What makes the samples of a format those of 16 bits.
_SCALES = {
    "u8": 256.0,
    "s16": 1.0,
    "s32": 1 / 65536,
    "flt": 32768.0,
    "dbl": 32768.0,
}
# Evens out the volume over some seconds, by up to 30 dB; every sample stays at its time.
_NORMALISE = "f=500:g=15:m=30"


def decibels(peak: int) -> str:
    """A peak for people: `-72 dB`."""
    return f"{20 * math.log10(peak / FULL_SCALE):.0f} dB" if peak else "silence"


def heard(frame: AudioFrame, mixed: Samples) -> tuple[Samples, int]:
    """The mix of a frame at 16 kHz, mixed by power where its channels cancel each other out.

    Also how many samples were replaced.
    """
    count = frame.layout.nb_channels
    scale = _SCALES.get(frame.format.name.removesuffix("p"))
    pieces = -(-mixed.size // _PIECE)
    if count < 2 or not pieces or scale is None:
        return mixed, 0
    found = planes(frame)
    offset = 128 if frame.format.name.startswith("u8") else 0

    def measured(index: int) -> npt.NDArray[np.float32]:
        return np.asarray((found[index][::_EVERY].astype(np.float32) - offset) * scale)

    powers = np.stack([_powers(measured(index), pieces) for index in range(count)])
    loudest = np.sort(powers.sum(axis=1).argsort(kind="stable")[-_MOST_COMPARED:])
    lost = _powers(mixed.astype(np.float32), pieces) < _CANCELLED * powers.sum(axis=0) / count**2
    lost |= _reversed([measured(index) for index in loudest], powers[loudest])
    lost &= powers.max(axis=0) > DEAD_PEAK**2 / 2
    if not lost.any():
        return mixed, 0
    alone = [resampled(found[index], frame, mixed.size).astype(np.float32) for index in loudest]
    # What is above the range of 16 kHz is lost in any case.
    lost &= np.max([_powers(one, pieces) for one in alone], axis=0) > DEAD_PEAK**2 / 2
    replaced = np.repeat(lost, _lengths(mixed.size, pieces))
    fade = min(_FADE, replaced.size)
    share = np.convolve(replaced, np.full(fade, 1 / fade), "same").astype(np.float32)
    both = mixed * (1 - share) + _mixed_by_power(alone) * share
    return np.clip(np.rint(both), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16), int(replaced.sum())


def readable(frame: AudioFrame) -> AudioFrame:
    """The frame in a sample format that numpy knows."""
    if frame.format.name.removesuffix("p") in _SCALES:
        return frame
    converter = AudioResampler(format="fltp", layout=frame.layout, rate=frame.sample_rate)
    return converter.resample(frame)[0]


def planes(frame: AudioFrame) -> npt.NDArray[Any]:
    """The samples of a frame, a row for each channel."""
    data = frame.to_ndarray()
    return data if frame.format.is_planar else data.reshape(-1, frame.layout.nb_channels).T


def _reversed(
    channels: Sequence[npt.NDArray[np.float32]], powers: npt.NDArray[np.float32]
) -> npt.NDArray[np.bool_]:
    """The pieces in which two channels have the same sound, but one of them reversed."""
    count = powers.shape[1]
    loudest = powers.max(axis=0)
    found = np.zeros(count, np.bool_)
    for one, other in combinations(range(len(channels)), 2):
        common = _means(channels[one] * channels[other], count)
        alike = common / np.maximum(np.sqrt(powers[one] * powers[other]), 1e-9)
        least = np.minimum(powers[one], powers[other])
        found |= (alike < _REVERSED) & (least > _WEAK * loudest)
    return found


def _mixed_by_power(channels: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """The channels, each in another phase: the same sound in two of them never cancels itself."""
    mixed = np.zeros(channels[0].size // 2 + 1, np.complex64)
    for number, channel in enumerate(channels):
        mixed += np.fft.rfft(channel) * np.exp(1j * np.pi * number / len(channels))
    found = np.fft.irfft(mixed, channels[0].size) / math.sqrt(len(channels))
    return np.asarray(found, np.float32)


def resampled(channel: npt.NDArray[Any], frame: AudioFrame, size: int) -> Samples:
    """A channel of the frame at 16 kHz, in `size` samples."""
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    parts = [
        part.to_ndarray().reshape(-1)
        for source in (mono(channel, frame), None)
        for part in resampler.resample(source)
    ]
    found = np.concatenate(parts).astype(np.int16)[:size]
    return np.pad(found, (0, size - found.size))


def mono(channel: npt.NDArray[Any], frame: AudioFrame) -> AudioFrame:
    """A frame of one channel of another frame."""
    samples = np.ascontiguousarray(channel).reshape(1, -1)
    alone = AudioFrame.from_ndarray(samples, format=frame.format.name, layout="mono")
    alone.sample_rate = frame.sample_rate
    return alone


def _lengths(size: int, pieces: int) -> npt.NDArray[np.int64]:
    """The lengths of as many pieces."""
    return np.diff(np.arange(pieces + 1) * size // pieces)


def _powers(samples: npt.NDArray[np.float32], pieces: int) -> npt.NDArray[np.float32]:
    """The mean power of as many pieces; there is at least a sample for each."""
    return _means(samples * samples, pieces)


def _means(values: npt.NDArray[np.float32], pieces: int) -> npt.NDArray[np.float32]:
    """The mean of as many pieces."""
    lengths = _lengths(values.size, pieces)
    starts = np.cumsum(lengths) - lengths
    sums = np.add.reduceat(values, starts)
    return np.asarray(sums / np.maximum(lengths, 1), np.float32)


def _peak(samples: Samples) -> int:
    return max(int(samples.max()), -int(samples.min())) if samples.size else 0


class LevelWriter:
    """Passes samples to a WAV writer, and measures them; with `normalise`, evens out the volume.

    `peaks`: the loudest sample of each channel; `samples`: how many were passed on.
    """

    def __init__(self, writer: WavWriter, *, normalise: bool = False, channels: int = 1) -> None:
        self.peaks = [0] * channels
        self.samples = 0
        self._writer = writer
        self._evened = [_Evened() for _ in self.peaks] if normalise else []

    @property
    def peak(self) -> int:
        """The loudest sample."""
        return max(self.peaks)

    def write(self, samples: Samples) -> None:
        """Append samples: an array, or one for each channel."""
        each = samples.reshape(len(self.peaks), -1)
        self.peaks = [max(peak, _peak(one)) for peak, one in zip(self.peaks, each, strict=True)]
        if not self._evened:
            self._writer.write(each)
        elif each.size:
            for evened, one in zip(self._evened, each, strict=True):
                evened.push(one, self.samples)
            self._pass_on()
        self.samples += each.shape[1]

    def write_silence(self, count: int) -> None:
        """Append `count` samples of silence."""
        if not self._evened:
            self._writer.write_silence(count)
            self.samples += count
            return
        for done in range(0, count, SAMPLE_RATE):
            size = min(SAMPLE_RATE, count - done)
            self.write(np.zeros((len(self.peaks), size), np.int16))

    def finish(self) -> None:
        """Write what the normalisation still holds."""
        if self._evened and self.samples:
            for evened in self._evened:
                evened.finish()
            self._pass_on()
            self._writer.write_silence(max(0, self.samples - self._writer.samples))

    def _pass_on(self) -> None:
        """Write what all channels have."""
        count = min(evened.waiting.size for evened in self._evened)
        if count:
            self._writer.write(np.stack([evened.take(count) for evened in self._evened]))


class _Evened:
    """A channel with an even volume; `waiting`: what has not been taken yet."""

    def __init__(self) -> None:
        self.waiting = np.zeros(0, np.int16)
        self._graph = _normaliser()

    def push(self, samples: Samples, at: int) -> None:
        """Add samples that begin at sample `at`."""
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        frame.pts = at
        self._graph.push(frame)
        self._pull()

    def finish(self) -> None:
        """No more samples will come."""
        self._graph.push(None)
        self._pull()

    def take(self, count: int) -> Samples:
        """The first `count` samples that are waiting."""
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken

    def _pull(self) -> None:
        self.waiting = np.concatenate((self.waiting, *self._pulled()))

    def _pulled(self) -> Iterator[Samples]:
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if isinstance(frame, AudioFrame):
                yield frame.to_ndarray().reshape(-1).astype(np.int16)


def _normaliser() -> Graph:
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=SAMPLE_RATE, format="s16", layout="mono", time_base=Fraction(1, SAMPLE_RATE)
    )
    nodes = (
        source,
        graph.add("dynaudnorm", _NORMALISE),
        graph.add("aformat", f"sample_fmts=s16:channel_layouts=mono:sample_rates={SAMPLE_RATE}"),
        graph.add("abuffersink"),
    )
    for before, after in pairwise(nodes):
        before.link_to(after)
    graph.configure()
    return graph
