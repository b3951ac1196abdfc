"""Forecast of the memory that a batch needs, from the model's shape or earlier measurements.

Estimates are rough and err on the high side; measurements on this machine replace them. The length
of a file does not matter: only windows of it are ever in memory.
"""

import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
from msgspec.structs import replace

from fwtui.core.decoding import batch_size, with_less_memory
from fwtui.core.events import Forecast, GpuReading, MemoryReading
from fwtui.core.settings import ComputeType, ModelSettings, Settings
from fwtui.errors import ModelError
from fwtui.models.cache import locate
from fwtui.models.catalogue import MODELS, find_in_catalogue, megabytes

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


# MB of an engine without a model: Python, its libraries, the audio and features of some windows;
# and what CUDA adds, in RAM and on the GPU.
_PROCESS = 180.0
_SPEAKERS = 160.0  # both models for speakers, and what they work with (measured)
_CUDA_RAM = 900.0
_CUDA_GPU = 400.0
_FRAMES = 1500  # of an encoded window
_TOKENS = 448  # the longest text of a window
_MB = 2**20
_SCRATCH = 32000 / _MB  # decoded audio, MB a second: 16 kHz, 16 bits
# Share of the memory that must stay free for everything else on the machine.
_SPARE = 0.05


class _Shape(msgspec.Struct, frozen=True):
    """Millions of weights, decoder layers, width and attention heads."""

    weights: float
    layers: int
    width: int
    heads: int


_SHAPES = (
    _Shape(39, 4, 384, 6),
    _Shape(74, 6, 512, 8),
    _Shape(244, 12, 768, 12),
    _Shape(769, 24, 1024, 16),
    _Shape(809, 4, 1280, 20),
    _Shape(1550, 32, 1280, 20),
)
_BYTES: dict[ComputeType, float] = {
    "int8": 1.1,
    "int8_float16": 1.1,
    "int8_bfloat16": 1.1,
    "int8_float32": 1.1,
    "int16": 2.1,
    "float16": 2.0,
    "bfloat16": 2.0,
    "float32": 4.2,
}


class Needs(msgspec.Struct, frozen=True):
    """Memory that one engine needs, in MB; `gpu` is None on the CPU."""

    ram: float
    gpu: float | None = None


_NOTHING = Needs(0.0)


def device_of(settings: Settings, gpus: tuple[GpuReading, ...]) -> Literal["cpu", "cuda"]:
    """The kind of device that the engine will run on."""
    match settings.model.device:
        case "cpu":
            return "cpu"
        case "cuda":
            return "cuda"
        case _:
            return "cuda" if gpus else "cpu"


def estimate(settings: Settings, stored: float, device: Literal["cpu", "cuda"]) -> Needs:
    """Estimate of what an engine needs for a model of `stored` MB in float16."""
    weights = stored * _MB / 2e6
    shape = min(_SHAPES, key=lambda shape: abs(shape.weights - weights))
    floats = 2 if device == "cuda" and "32" not in settings.model.compute_type else 4
    batch, decoding = batch_size(settings.decoding, device), settings.decoding
    texts = max(batch * decoding.beam_size, decoding.attempts)
    encoded = shape.layers * _FRAMES * shape.width * 2 * max(batch, decoding.attempts)
    generated = shape.layers * _TOKENS * shape.width * 2 * texts
    encoding = (shape.heads * _FRAMES**2 + 6 * _FRAMES * shape.width) * batch
    working = (encoded + generated + encoding) * floats / _MB
    model = weights * 1e6 / _MB * _weight_bytes(settings.model.compute_type, device)
    process = _PROCESS + (_SPEAKERS if settings.speakers.diarize == "voices" else 0.0)
    if device == "cuda":
        return Needs(process + _CUDA_RAM, _CUDA_GPU + model + working)
    # On Intel's processors all weights are packed into second buffers before the first ones go.
    return Needs(process + model + max(model, working))


def _weight_bytes(compute_type: ComputeType, device: Literal["cpu", "cuda"]) -> float:
    """Bytes per weight; CPUs do not compute in float16, so such a model becomes float32 there."""
    if compute_type == "auto":
        return 1.1
    if compute_type in {"default", "float16", "bfloat16"}:
        return 2.0 if device == "cuda" else _BYTES["float32"]
    return _BYTES[compute_type]


def forecast(
    settings: Settings,
    stored: float | None,
    reading: MemoryReading,
    measured: Needs | None = None,
    engines: int = 1,
    least: Needs | None = None,
) -> Forecast | None:
    """What the batch needs and whether it fits; None if nothing is known of the model.

    `stored`: see `weights_size`; `measured`: by earlier batches with these settings; `engines`:
    how many work at the same time, each on a GPU of its own if on GPUs; `least`: what was not
    enough in earlier batches.
    """
    if stored is None and measured is None:
        return None
    made = _compared(settings, stored, reading, measured, engines, least or _NOTHING)
    if made.fits or stored is None:
        return made
    for remedy, values, smaller in _smaller(settings, stored, device_of(settings, reading.gpus)):
        size = float(KNOWN[smaller.model.model]) if "model.model" in values else stored
        if _compared(smaller, size, reading, None, engines).fits:
            return replace(made, proposal=values, remedy=remedy)
    return made


def _compared(
    settings: Settings,
    stored: float | None,
    reading: MemoryReading,
    measured: Needs | None,
    engines: int,
    least: Needs = _NOTHING,
) -> Forecast:
    device = device_of(settings, reading.gpus)
    needs = measured or estimate(settings, stored or 0.0, device)
    gpu = None if needs.gpu is None else max(needs.gpu, least.gpu or 0.0)
    needs = Needs(max(needs.ram, least.ram), gpu)
    ram = needs.ram * engines
    free = reading.available + reading.engines
    fits = ram <= free - _SPARE * reading.capacity
    gpu_free = _gpu_free(settings, reading.gpus) if needs.gpu is not None else None
    if needs.gpu is not None and gpu_free is not None:
        fits = fits and needs.gpu <= gpu_free
    return Forecast(
        needs=ram,
        free=free,
        gpu_needs=needs.gpu,
        gpu_free=gpu_free,
        measured=measured is not None,
        fits=fits,
    )


def _gpu_free(settings: Settings, gpus: tuple[GpuReading, ...]) -> float | None:
    """Free memory, in MB, of the GPU that has the least; None if there is no GPU."""
    wanted = settings.model.device_indexes
    mine = [gpu for gpu in gpus if gpu.index in wanted] or list(gpus[:1])
    free = [gpu.total - gpu.used + (gpu.ours or 0.0) for gpu in mine]
    return min(free) / settings.batch.workers if free else None


def _smaller(
    settings: Settings, stored: float, device: Literal["cpu", "cuda"]
) -> Iterator[tuple[str, dict[str, bool | int | float | str | None], Settings]]:
    """Remedies: settings that need less memory, with the smallest changes first."""
    values: dict[str, bool | int | float | str | None] = {}
    remedies: list[str] = []

    def step(remedy: str, key: str, value: int | str) -> None:
        nonlocal settings
        section, _, name = key.partition(".")
        changed = replace(getattr(settings, section), **{name: value})
        settings = replace(settings, **{section: changed})
        values[key] = value
        remedies.append(remedy)

    def so_far() -> tuple[str, dict[str, bool | int | float | str | None], Settings]:
        return ", ".join(remedies), dict(values), settings

    size = batch_size(settings.decoding, device)
    while size > 1:
        size //= 2
        remedies[:] = []
        step(f"batch size {size}", "decoding.batch_size", size)
        yield so_far()
    compute: ComputeType = "int8_float16" if device == "cuda" else "int8"
    if _weight_bytes(settings.model.compute_type, device) > _BYTES[compute]:
        step(f"compute type {compute}", "model.compute_type", compute)
        yield so_far()
    narrow, remedy = with_less_memory(settings.decoding)
    smaller = replace(settings, decoding=narrow)
    if estimate(smaller, stored, device) != estimate(settings, stored, device):
        settings = smaller
        values |= {"decoding.beam_size": narrow.beam_size, "decoding.best_of": narrow.best_of}
        remedies.append(remedy)
        yield so_far()
    for name in ("large-v3-turbo", "medium", "small", "base", "tiny"):
        if KNOWN[name] < stored and settings.model.model in KNOWN:
            before = remedies[:]
            step(f"model {name}", "model.model", name)
            yield so_far()
            remedies[:] = before


def describe_forecast(made: Forecast, key: str = "") -> str:
    """The forecast in one line; `key` is the one that applies the proposal, if there is a key."""
    parts = [f"{megabytes(made.needs)} of memory ({megabytes(made.free)} free)"]
    if made.gpu_needs is not None and made.gpu_free is not None:
        needed, free = megabytes(made.gpu_needs), megabytes(made.gpu_free)
        parts.append(f"{needed} of GPU memory ({free} free)")
    needs = " and ".join(parts)
    if made.measured:
        text = f"This batch needs about {needs}, as measured in earlier batches"
    else:
        text = f"This batch needs an estimated {needs}"
    if made.fits:
        return text
    if not made.remedy:
        return f"{text}; it will not fit, even with smaller settings"
    press = f"press {key} to use what fits: " if key else "it would fit with "
    return f"{text}; {press}{made.remedy}"


def describe_file_needs(made: Forecast, seconds: float) -> str:
    """What a file of this length needs while it is transcribed (0: unknown length)."""
    parts = [f"{megabytes(made.needs)} of memory"]
    if made.gpu_needs is not None:
        parts.append(f"{megabytes(made.gpu_needs)} of GPU memory")
    if (scratch := seconds * _SCRATCH) >= 1:
        parts.append(f"{megabytes(scratch)} of scratch space on disk")
    return f"about {', '.join(parts)}{'' if made.fits else ' (more than is free)'}"
