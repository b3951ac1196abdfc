import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from fwtui.audio.decode import DecodeCancelled
from fwtui.audio.features import LazyFeatures
from fwtui.audio.signal import FloatArray
from tests.audio.making import Sound, make_noise

TOLERANCE = 1e-6


def _array(part: FloatArray | LazyFeatures) -> FloatArray:
    assert isinstance(part, np.ndarray)
    return part


@pytest.mark.parametrize("mels", [80, 128])
@pytest.mark.parametrize(
    "length",
    [
        0,
        1,
        2,
        39,
        40,
        41,
        150,
        159,
        160,
        161,
        199,
        200,
        201,
        399,
        400,
        401,
        16000,
        90_001,
        1_600_003,
    ],
)
def test_windows_are_those_of_whole_file_features(mels: int, length: int) -> None:
    sound, extractor = make_noise(length), FeatureExtractor(feature_size=mels)
    whole = extractor(sound.samples)
    lazy = LazyFeatures(sound, extractor)
    assert (lazy.shape, lazy.ndim, lazy.dtype) == (whole.shape, whole.ndim, whole.dtype)
    count = whole.shape[1]
    for start, stop in ((0, 3000), (count // 3, count // 3 + 3000), (count // 2, count // 2 + 7),
                        (count - 1, count), (count, count + 5), (-4, count)):  # fmt: skip
        window = lazy[:, start:stop]
        assert isinstance(window, np.ndarray)
        assert (window.shape, window.dtype) == (whole[:, start:stop].shape, whole.dtype)
        assert np.abs(window - whole[:, start:stop]).max(initial=0.0) <= TOLERANCE
        assert np.array_equal(_array(lazy[..., start:stop]), window)
    assert np.array_equal(lazy.window(1, 50), _array(lazy[:, 1:50]))


def test_the_loudest_value_comes_from_the_whole_signal(noise: Sound) -> None:
    noise.samples[-5000:] *= 4
    extractor = FeatureExtractor()
    whole = extractor(noise.samples)
    lazy = LazyFeatures(noise, extractor)
    assert lazy.loudest is None
    loudest = lazy.scan_loudest(lambda: False)
    assert (np.float32(loudest) + 4) / 4 == pytest.approx(float(whole.max()), abs=TOLERANCE)
    again = LazyFeatures(noise, extractor, loudest)
    assert np.abs(again.window(0, 100) - whole[:, :100]).max() <= TOLERANCE


def test_long_slices_stay_lazy() -> None:
    sound, extractor = Sound(np.zeros(16000 * 700, np.float32)), FeatureExtractor()
    sound.samples[:] = np.tile(make_noise(16000).samples, 700)
    lazy = LazyFeatures(sound, extractor)
    rest = lazy[..., 2000:]
    assert isinstance(rest, LazyFeatures)
    assert rest.shape == (80, lazy.shape[1] - 2000)
    assert np.array_equal(rest.window(100, 3100), lazy.window(2100, 5100))
    assert np.array_equal(_array(rest[..., -10:]), _array(lazy[..., -10:]))


def test_scanning_can_be_cancelled(noise: Sound) -> None:
    with pytest.raises(DecodeCancelled):
        LazyFeatures(noise, FeatureExtractor()).scan_loudest(lambda: True)


def test_only_windows_can_be_asked_for(noise: Sound) -> None:
    lazy = LazyFeatures(noise, FeatureExtractor())
    with pytest.raises(IndexError):
        lazy[1:2, 0:10]
    with pytest.raises(IndexError):
        lazy[:, 0:10:2]
