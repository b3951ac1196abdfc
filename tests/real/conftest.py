"""Where the real models and recordings are; without them, the tests of this folder are skipped."""

import os
from pathlib import Path

import pytest

from tests.optional import Optional

# Read before each test gets an environment of its own.
_MODELS = os.environ.get("FWTUI_REAL_MODELS", "")
_MEDIA = os.environ.get("FWTUI_REAL_MEDIA", "")
_SPEAKERS = os.environ.get("FWTUI_REAL_SPEAKERS", "")


def _inside(folder: str, name: str, needs: Optional = Optional.WHISPER) -> Path:
    path = Path(folder) / name
    if not folder or not path.exists():
        pytest.skip(needs.reason)
    return path


@pytest.fixture
def models() -> Path:
    """The folder with the models `base` and `tiny.en`."""
    return _inside(_MODELS, "base").parent


@pytest.fixture
def base() -> Path:
    """The folder of OpenAI's multilingual model `base`."""
    return _inside(_MODELS, "base")


@pytest.fixture
def tiny_en() -> Path:
    """The folder of OpenAI's English-only model `tiny.en`."""
    return _inside(_MODELS, "tiny.en")


@pytest.fixture
def voices() -> Path:
    """The folder of the models that tell speakers apart; it lies beside the recordings."""
    return _inside(_MEDIA, "../models/segmentation-3.0.onnx").parent


@pytest.fixture
def recordings() -> Path:
    """The folder of the recordings."""
    return _inside(_MEDIA, "jfk.flac").parent


@pytest.fixture
def speaker_models() -> Path:
    """The folder of the two models that tell speakers apart."""
    return _inside(_SPEAKERS, "segmentation-3.0.onnx", Optional.SPEAKERS).parent


@pytest.fixture
def meetings(recordings: Path) -> Path:
    """The RTTM file that says who speaks when in some of the recordings."""
    return _inside(str(recordings), "meetings.rttm", Optional.SPEAKERS)
