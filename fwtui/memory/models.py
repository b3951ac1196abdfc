"""How large a model's weights are, from its file if it is here, else from what is known."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from fwtui.core.settings import ModelSettings

# MB of model.bin (float16) of the published conversions.
KNOWN = {
    "tiny": 75,
    "base": 145,
    "small": 484,
    "medium": 1528,
    "large-v1": 3087,
    "large-v2": 3087,
    "large-v3": 3087,
    "large-v3-turbo": 1618,
    "distil-small.en": 332,
    "distil-medium.en": 789,
    "distil-large-v2": 1513,
    "distil-large-v3": 1513,
    "distil-large-v3.5": 1513,
}
_ALIASES = {"large": "large-v3", "turbo": "large-v3-turbo"}


def weights_size(settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> float | None:
    """MB of the model's weights as stored; None for a model that is not here and not known."""
    for folder in _folders(settings, environ):
        try:
            return (folder / "model.bin").stat().st_size / 2**20
        except OSError:
            continue
    name = _ALIASES.get(settings.model, settings.model)
    size = KNOWN.get(name, KNOWN.get(name.removesuffix(".en")))
    return None if size is None else float(size)


def _folders(settings: ModelSettings, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where the model may be: its own folder, or Hugging Face's cache."""
    yield Path(settings.model).expanduser()
    home = Path(environ.get("HF_HOME") or "~/.cache/huggingface")
    cache = Path(settings.model_dir or environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    name = _ALIASES.get(settings.model, settings.model)
    if "/" in name:
        owner, _, name = name.partition("/")
        pattern = f"models--{owner}--{name}"
    elif name.startswith("distil-"):
        pattern = f"models--*--faster-distil-whisper-{name.removeprefix('distil-')}"
    else:
        pattern = f"models--*--faster-whisper-{name}"
    if not any(character in name for character in "*?["):
        yield from cache.glob(f"{pattern}/snapshots/*")
