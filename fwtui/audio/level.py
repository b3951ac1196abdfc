"""The level of decoded audio: silence, channels that cancel each other out, normalisation."""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
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
# Power of the mix, compared with the loudest channel: -20 dB. Of many channels, each counts less.
_CANCELLED, _CANCELLED_MANY = 0.01, 0.001
_PIECE = SAMPLE_RATE // 2  # samples that are compared at once
_EVERY = 8  # one of so many samples is enough to measure a channel
# What makes the samples of a format those of 16 bits.
_SCALES = {
    "u8": 256.0,
    "s16": 1.0,
    "s32": 1 / 65536,
    "s64": 2.0**-48,
    "flt": 32768.0,
    "dbl": 32768.0,
}
# Evens out the volume over some seconds, by up to 30 dB; every sample stays at its time.
_NORMALISE = "f=500:g=15:m=30"


def decibels(peak: int) -> str:
    """A peak for people: `-72 dB`."""
    return f"{20 * math.log10(peak / FULL_SCALE):.0f} dB" if peak else "silence"


def heard(frame: AudioFrame, mixed: Samples) -> tuple[Samples, int]:
    """The mix of a frame at 16 kHz, with the loudest channel where the mix is silent beside it.

    Also how many samples were replaced.
    """
    count = frame.layout.nb_channels
    scale = _SCALES.get(frame.format.name.removesuffix("p"))
    pieces = -(-mixed.size // _PIECE)
    if count < 2 or not pieces or scale is None:
        return mixed, 0
    data = frame.to_ndarray()
    planes = data if frame.format.is_planar else data.reshape(-1, count).T
    offset = 128 if frame.format.name.startswith("u8") else 0
    powers = np.stack([_powers((plane[::_EVERY].astype(np.float32) - offset) * scale, pieces)
                       for plane in planes])  # fmt: skip
    loudest = powers.max(axis=0)
    share = _CANCELLED if count == 2 else _CANCELLED_MANY
    mix = _powers(mixed.astype(np.float32), pieces)
    lost = (mix < share * loudest) & (loudest > DEAD_PEAK**2 / 2)
    if not lost.any():
        return mixed, 0
    channel = planes[int(powers[:, lost].sum(axis=1).argmax())]
    alone = _resampled(channel, frame, mixed.size)
    # What is above the range of 16 kHz is lost in any case.
    lost &= mix < share * _powers(alone.astype(np.float32), pieces)
    replaced = np.repeat(lost, _lengths(mixed.size, pieces))
    return np.where(replaced, alone, mixed), int(replaced.sum())


def _resampled(channel: npt.NDArray[Any], frame: AudioFrame, size: int) -> Samples:
    """A channel of the frame at 16 kHz, in `size` samples."""
    samples = np.ascontiguousarray(channel).reshape(1, -1)
    alone = AudioFrame.from_ndarray(samples, format=frame.format.name, layout="mono")
    alone.sample_rate = frame.sample_rate
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    parts = [
        part.to_ndarray().reshape(-1)
        for source in (alone, None)
        for part in resampler.resample(source)
    ]
    found = np.concatenate(parts).astype(np.int16)[:size]
    return np.pad(found, (0, size - found.size))


def _lengths(size: int, pieces: int) -> npt.NDArray[np.int64]:
    """The lengths of as many pieces."""
    return np.diff(np.arange(pieces + 1) * size // pieces)


def _powers(samples: npt.NDArray[np.float32], pieces: int) -> npt.NDArray[np.float32]:
    """The mean power of as many pieces; there is at least a sample for each."""
    lengths = _lengths(samples.size, pieces)
    starts = np.cumsum(lengths) - lengths
    sums = np.add.reduceat(samples * samples, starts)
    return np.asarray(sums / np.maximum(lengths, 1), np.float32)


def _peak(samples: Samples) -> int:
    return max(int(samples.max()), -int(samples.min())) if samples.size else 0


class LevelWriter:
    """Passes samples to a WAV writer, and measures them; with `normalise`, evens out the volume.

    `peak`: the loudest sample; `samples`: how many were passed on.
    """

    def __init__(self, writer: WavWriter, *, normalise: bool = False) -> None:
        self.peak = 0
        self.samples = 0
        self._writer = writer
        self._graph = _normaliser() if normalise else None

    def write(self, samples: Samples) -> None:
        """Append samples."""
        self.peak = max(self.peak, _peak(samples))
        self.samples += samples.size
        if self._graph is None:
            self._writer.write(samples)
        elif samples.size:
            self._normalise(samples)

    def write_silence(self, count: int) -> None:
        """Append `count` samples of silence."""
        if self._graph is None:
            self._writer.write_silence(count)
            self.samples += count
            return
        for done in range(0, count, SAMPLE_RATE):
            self.write(np.zeros(min(SAMPLE_RATE, count - done), np.int16))

    def finish(self) -> None:
        """Write what the normalisation still holds."""
        if self._graph is not None and self.samples:
            self._graph.push(None)
            for part in self._pulled():
                self._writer.write(part)
            self._writer.write_silence(max(0, self.samples - self._writer.samples))

    def _normalise(self, samples: Samples) -> None:
        assert self._graph is not None
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        frame.pts = self.samples - samples.size
        self._graph.push(frame)
        for part in self._pulled():
            self._writer.write(part)

    def _pulled(self) -> Iterator[Samples]:
        assert self._graph is not None
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
