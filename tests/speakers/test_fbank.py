"""Features as Kaldi's: values that kaldi-native-fbank gave for the same sound (to 3e-4)."""

import numpy as np
import numpy.typing as npt
import pytest

from fwtui.speakers.fbank import BINS, fbank


def sound(seconds: float) -> npt.NDArray[np.float32]:
    """Noise and a tone, the same each time."""
    time = np.arange(round(seconds * 16000)) / 16000
    noise = np.random.default_rng(7).normal(0, 0.01, time.size)
    return (0.2 * np.sin(2 * np.pi * 440 * time) + noise).astype(np.float32)


@pytest.mark.parametrize(
    ("frame", "bands"),
    [
        (0, [-11.8171, -1.9923, -5.7922, -3.0933, -1.7273]),
        (17, [-11.5388, -2.11, -4.4701, -3.6208, -1.8551]),
        (47, [-11.7583, -2.0109, -5.3859, -3.7567, -1.1368]),
    ],
)
def test_values_are_those_of_kaldi(frame: int, bands: list[float]) -> None:
    assert fbank(sound(0.5))[frame, ::16] == pytest.approx(bands, abs=3e-4)


@pytest.mark.parametrize(
    ("samples", "frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (8000, 48)]
)
def test_only_whole_frames_count(samples: int, frames: int) -> None:
    assert fbank(sound(0.5)[:samples]).shape == (frames, BINS)


def test_digital_silence_has_finite_features() -> None:
    assert np.isfinite(fbank(np.zeros(16000, np.float32))).all()
