"""What to do when a file fails: pure decisions, no I/O."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from fwtui.core.decoding import batch_size, narrowed
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.settings import DecodingSettings, ModelSettings, Settings

RECENT_FILES = 3
NO_GPU = frozenset({FailureKind.LIBRARY_MISSING, FailureKind.CUDA_UNAVAILABLE})
"""Kinds that any file would meet again on that device."""
# What CTranslate2 can compute with on any CPU.
_CPU_TYPES = frozenset({"default", "auto", "int8", "int8_float32", "float32"})
DEATHS_AT_ONE_PLACE = 2
DEATHS_PER_FILE = 20
STALLS_PER_FILE = 3


class Rung(msgspec.Struct, frozen=True):
    """One step of the out-of-memory ladder: what to run with, and how to tell the user."""

    model: ModelSettings
    decoding: DecodingSettings
    remedy: str


def ladder(settings: Settings, device: str) -> tuple[Rung, ...]:
    """All steps for a file, from the user's settings down to the smallest that `on_oom` allows.

    `device` is where the engine really runs ("cpu" or "cuda"), or "auto" before that is known.
    """
    rung = Rung(settings.model, settings.decoding, "")
    rungs = [rung, replace(rung, remedy="a fresh engine")]
    match settings.memory.on_oom:
        case "fail":
            return tuple(rungs[:1])
        case "retry":
            return tuple(rungs)
        case "degrade":
            pass
    size = batch_size(settings.decoding, device)
    while size > 1:
        size //= 2
        fewer = replace(rungs[-1].decoding, batch_size=size)
        rungs.append(replace(rungs[-1], decoding=fewer, remedy=f"batch size {size}"))
    narrow, remedy = narrowed(rungs[-1].decoding)
    if remedy:
        rungs.append(replace(rungs[-1], decoding=narrow, remedy=remedy))
    compute: Literal["int8", "int8_float16"] = "int8_float16" if device == "cuda" else "int8"
    if settings.model.compute_type not in {"int8", compute}:
        model = replace(settings.model, compute_type=compute)
        rungs.append(replace(rungs[-1], model=model, remedy=f"compute type {compute}"))
    if device != "cpu" and settings.batch.cpu_fallback:
        model = replace(settings.model, device="cpu", compute_type="int8")
        rungs.append(replace(rungs[-1], model=model, remedy="the CPU"))
    return tuple(rungs)


def may_fall_back_to_cpu(failure: Failure, settings: Settings) -> bool:
    """Whether a batch whose GPUs cannot be used may go on without them."""
    on_gpu = settings.model.device != "cpu"
    return failure.kind in NO_GPU and on_gpu and settings.batch.cpu_fallback


def without_gpu(model: ModelSettings) -> ModelSettings:
    """The same model on the CPU, with weights that it can compute with."""
    compute = model.compute_type if model.compute_type in _CPU_TYPES else "int8"
    return replace(model, device="cpu", compute_type=compute)


def first_rung(recent: Sequence[int]) -> int:
    """Where the next file starts on the ladder, by the rungs that the last files ended on.

    Only when the last three all needed a smaller step does the next one start there at once.
    """
    last = tuple(recent)[-RECENT_FILES:]
    if len(last) < RECENT_FILES or min(last) <= 1:
        return 0
    return min(last)


class Trouble(msgspec.Struct, frozen=True):
    """What is known when a file failed: where it stands and what it has been through.

    `deaths_here` counts engine deaths at the same place, this one included; `deaths` all of them,
    `stalls` those that stalled; `started` says whether its first window was reached; `shared`,
    that other files may as well be the reason; `loaded`, whether this engine's model was loaded.
    """

    failure: Failure
    rung: int
    rungs: int
    deaths_here: int = 0
    deaths: int = 0
    started: bool = False
    shared: bool = False
    loaded: bool = True
    stalls: int = 0


class Retry(msgspec.Struct, frozen=True):
    """Try again on this rung; `skip_window` leaves the window that kills the engine out.

    `alone`: with no other file in the engine, so that none can be the reason the next time.
    """

    rung: int
    skip_window: bool = False
    alone: bool = True


class GiveUp(msgspec.Struct, frozen=True):
    """The file fails with this."""

    failure: Failure


def decide(trouble: Trouble) -> Retry | GiveUp:
    """Whether and how a file is tried again."""
    failure = trouble.failure
    match failure.kind:
        case FailureKind.OUT_OF_MEMORY:
            return _next_rung(trouble, failure.title)
        case _ if trouble.rung and not trouble.loaded:
            return _next_rung(trouble, f"a smaller step could not begin: {failure.title}")
        case FailureKind.ENGINE_DIED:
            if trouble.shared:
                return Retry(trouble.rung)
            if trouble.deaths >= DEATHS_PER_FILE:
                return GiveUp(failure)
            if trouble.deaths_here < DEATHS_AT_ONE_PLACE:
                return Retry(trouble.rung)
            if trouble.started:
                return Retry(trouble.rung, skip_window=True)
            return GiveUp(failure)
        case FailureKind.STALLED:
            if trouble.stalls < STALLS_PER_FILE:
                return Retry(trouble.rung)
            return GiveUp(replace(failure, title=f"{failure.title}, {trouble.stalls} times"))
        case _:
            return GiveUp(failure)


def _next_rung(trouble: Trouble, why: str) -> Retry | GiveUp:
    """One step smaller; at the end of the ladder the file fails for want of memory."""
    if trouble.rung + 1 < trouble.rungs:
        # Files that share batches share what a batch needs, so they step down together.
        return Retry(trouble.rung + 1, alone=not trouble.shared)
    if trouble.shared:
        return Retry(trouble.rung)
    title = f"Failed (Memory Error): {why}"
    return GiveUp(replace(trouble.failure, kind=FailureKind.OUT_OF_MEMORY, title=title))


LEAVE_OUT = "leaving this window out"  # the remedy of an attempt


def left_out(seconds: float) -> str:
    """The warning about a window that killed the engine, at `seconds` of the file."""
    return f"the window at {seconds:.0f} s is left out: the engine died there twice"
