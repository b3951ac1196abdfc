"""How large a model's weights are, from its file if it is here, else from what is known."""

import os
from collections.abc import Mapping

from fwtui.core.settings import ModelSettings
from fwtui.errors import ModelError
from fwtui.models.cache import locate
from fwtui.models.catalogue import MODELS, known

KNOWN = {model.name: model.megabytes for model in MODELS}
"""MB of model.bin (float16) of the published conversions."""


def weights_size(settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> float | None:
    """MB of the model's weights as stored; None for a model that is not here and not known."""
    try:
        return (locate(settings, environ) / "model.bin").stat().st_size / 2**20
    except (ModelError, OSError):
        model = known(settings.model)
        return None if model is None else float(model.megabytes)
