"""Helpers that make sound files and look into the decoded ones."""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from fwtui.audio.decode import Decoded, DecodeOptions, decode_to_wav
from fwtui.audio.signal import FloatArray
from fwtui.audio.tracks import TrackChoice


@dataclass
class Sound:
    """A sample source in memory."""

    samples: FloatArray

    def __len__(self) -> int:
        return int(self.samples.size)

    def read(self, start: int, stop: int) -> FloatArray:
        return self.samples[max(0, start) : max(0, stop)].copy()


def make_noise(samples: int) -> Sound:
    """Noise that swells and fades, the same every time."""
    values = np.random.default_rng(samples).standard_normal(samples)
    return Sound((values * np.abs(np.sin(np.arange(samples) / 9000)) * 0.2).astype(np.float32))


def decode(path: Path, wav: Path) -> Decoded:
    return decode_to_wav(path, wav, lambda _: None, lambda: False)


def wav_samples(path: Path) -> npt.NDArray[np.int16]:
    with wave.open(str(path)) as wav:
        assert (wav.getnchannels(), wav.getframerate(), wav.getsampwidth()) == (1, 16000, 2)
        return np.frombuffer(wav.readframes(wav.getnframes()), np.int16)


def write_timed(path: Path, times: Sequence[float], step: float = 0.1) -> None:
    """A Matroska file with tones of `step` seconds that claim to begin at `times`."""
    rate = 16000
    count = round(rate * step)
    tone = (np.sin(np.arange(count) / 5) * 8000).astype(np.int16).reshape(1, -1)
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        for time in times:
            packet = av.Packet(tone.tobytes())
            packet.stream = stream
            packet.time_base = Fraction(1, 1000)
            packet.pts = packet.dts = round(time * 1000)
            container.mux_one(packet)


def decode_track(path: Path, wav: Path, choice: TrackChoice) -> Decoded:
    return decode_to_wav(path, wav, lambda _: None, lambda: False, DecodeOptions(choice=choice))
