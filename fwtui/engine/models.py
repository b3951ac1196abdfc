"""Loads a faster-whisper model from its folder, in the engine process.

Nothing is downloaded here: see `fwtui.models`.
"""

import inspect
import json
import time
from pathlib import Path

from faster_whisper import WhisperModel
from faster_whisper.feature_extractor import FeatureExtractor

from fwtui.core.settings import ModelSettings
from fwtui.memory.pages import small_pages
from fwtui.models.cache import locate


def feature_extractor(folder: Path) -> FeatureExtractor:
    """The feature extractor of the model in this folder, without loading the model."""
    config = folder / "preprocessor_config.json"
    known = inspect.signature(FeatureExtractor.__init__).parameters
    values = json.loads(config.read_bytes()) if config.is_file() else {}
    return FeatureExtractor(**{key: value for key, value in values.items() if key in known})


def load_model(settings: ModelSettings, folder: Path | None = None) -> tuple[WhisperModel, float]:
    """Load the model; returns it and the seconds that took. `folder`: if it is already known.

    Raises:
        ModelError: see `locate`.
        RuntimeError: CTranslate2 cannot load it (out of memory, no GPU, unknown compute type).

    """
    began = time.monotonic()
    # MKL packs each weight into a buffer that is mostly empty if the model is small.
    with small_pages():
        model = WhisperModel(
            str(folder or locate(settings)),
            device=settings.device,
            device_index=settings.device_indexes[0],
            compute_type=settings.compute_type,
            cpu_threads=settings.threads,
        )
    return model, time.monotonic() - began
