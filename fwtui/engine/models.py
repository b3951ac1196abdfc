"""From a model setting to a loaded faster-whisper model. Runs in the child."""

import inspect
import json
import time
from pathlib import Path

from faster_whisper import WhisperModel
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.utils import available_models, download_model

from fwtui.core.settings import ModelSettings
from fwtui.errors import ModelError

FILES_NEEDED = ("model.bin", "config.json", "tokenizer.json")


def model_folder(settings: ModelSettings) -> Path:
    """The folder of the model; downloads it when it is named and not here yet.

    Raises:
        ModelError: the folder is not a model, or the name is unknown or cannot be downloaded.

    """
    path = Path(settings.model).expanduser()
    if path.is_dir():
        missing = [name for name in FILES_NEEDED if not (path / name).is_file()]
        if missing:
            raise ModelError(
                f"{path} is not a CTranslate2 Whisper model: {', '.join(missing)} missing",
                "convert the model with ct2-transformers-converter, with tokenizer.json copied",
            )
        return path
    if settings.model not in available_models() and "/" not in settings.model:
        raise ModelError(
            f"There is no model {settings.model}",
            f"give a folder, a Hugging Face id, or one of: {', '.join(available_models())}",
        )
    if path.is_absolute() or settings.model.startswith((".", "~")):
        raise ModelError(f"The model folder {path} is not there", "check --model")
    return _cached_or_downloaded(settings)


def _cached_or_downloaded(settings: ModelSettings) -> Path:
    try:
        return Path(
            download_model(
                settings.model,
                local_files_only=settings.local_files_only,
                cache_dir=settings.model_dir,
            )
        )
    except (OSError, ValueError, RuntimeError) as error:  # the hub's own errors are of these
        raise ModelError(
            f"The model {settings.model} is not on this machine and could not be downloaded",
            "check the network and the name, or give the folder of a model with --model",
        ) from error


def feature_extractor(folder: Path) -> FeatureExtractor:
    """The extractor of the model in this folder, as `WhisperModel` makes it, without loading it."""
    config = folder / "preprocessor_config.json"
    known = inspect.signature(FeatureExtractor.__init__).parameters
    values = json.loads(config.read_bytes()) if config.is_file() else {}
    return FeatureExtractor(**{key: value for key, value in values.items() if key in known})


def load_model(settings: ModelSettings, folder: Path | None = None) -> tuple[WhisperModel, float]:
    """The model, and the seconds that loading took; `folder` if it is known already.

    Raises:
        ModelError: see `model_folder`.
        RuntimeError: CTranslate2 cannot load it (out of memory, no GPU, unknown compute type).

    """
    began = time.monotonic()
    model = WhisperModel(
        str(folder or model_folder(settings)),
        device=settings.device,
        device_index=settings.device_indexes[0],
        compute_type=settings.compute_type,
        cpu_threads=settings.threads,
    )
    return model, time.monotonic() - began
