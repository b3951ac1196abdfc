"""Size of a model's weights, from its file if downloaded, otherwise from the catalogue."""

import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from fwtui.core.settings import ModelSettings
from fwtui.errors import ModelError
from fwtui.models.cache import locate
from fwtui.models.catalogue import MODELS, find_in_catalogue

KNOWN = {model.name: model.megabytes for model in MODELS}
"""MB of model.bin (float16) of the published conversions."""


# Bytes per number, by CTranslate2's type ids (include/ctranslate2/types.h): float32, int8,
# int16, int32, float16, bfloat16.
_TYPE_BYTES = (4, 1, 2, 4, 2, 2)
_FLOAT16 = 2


def weights_size(settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> float | None:
    """MB of the model's weights in float16; None for an unknown model that is not downloaded."""
    try:
        file = locate(settings, environ) / "model.bin"
        return file.stat().st_size / 2**20 * _FLOAT16 / _stored_bytes(file)
    except (ModelError, OSError):
        model = find_in_catalogue(settings.model)
        return None if model is None else float(model.megabytes)


def _stored_bytes(file: Path) -> int:
    """Bytes per weight as stored, by the first matrix; those of float16 if there is none.

    The file: version, name and revision of the model, number of variables; of each its name, rank,
    lengths, type, bytes, and the bytes (CTranslate2's `model_spec.py`, `_serialize`).
    """
    with file.open("rb") as model:
        try:
            _number(model, "I")
            _skip(model, "H")
            _, variables = _number(model, "I"), _number(model, "I")
            for _ in range(variables):
                _skip(model, "H")
                rank = _number(model, "B")
                model.seek(4 * rank, os.SEEK_CUR)
                kind = _number(model, "B")
                if rank > 1:
                    return _TYPE_BYTES[kind]
                _skip(model, "I")
        except (struct.error, IndexError):  # not such a file: loading it will fail
            return _FLOAT16
    return _FLOAT16


def _number(file: BinaryIO, form: str) -> int:
    form = f"<{form}"
    number: int = struct.unpack(form, file.read(struct.calcsize(form)))[0]
    return number


def _skip(file: BinaryIO, form: str) -> None:
    """Skip a block that is preceded by its length."""
    file.seek(_number(file, form), os.SEEK_CUR)
