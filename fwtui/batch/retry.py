"""Retry: the out-of-memory ladder, and whether a failed file is retried. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from fwtui.core.channels import channel_name
from fwtui.core.decoding import batch_size, with_less_memory
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.session import FilePlan
from fwtui.core.settings import DecodingSettings, ModelSettings, Settings
from fwtui.core.text import clock

RECENT_FILES = 3
# Failures that any other file would meet on that device, too.
NO_GPU = frozenset({FailureKind.LIBRARY_MISSING, FailureKind.CUDA_UNAVAILABLE})
# Compute types that CTranslate2 supports on any CPU.
_CPU_TYPES = frozenset({"default", "auto", "int8", "int8_float32", "float32"})
DEATHS_AT_ONE_WINDOW = 2
DEATHS_PER_FILE = 20
# Chunks skipped before a file of which nothing was transcribed is given up.
SKIPPED_IN_VAIN = 2
# Files of which nothing was transcribed, before the engine is given up that never did anything.
FILES_IN_VAIN = 2
# Windows after which an earlier failure counts no more.
PROGRESS_WINDOWS = 3
# Files started with less memory, before one is tried as the user wants it.
LOWERED_FILES = 10
STALLS_PER_FILE = 3
DECODINGS_PER_FILE = 3


class Rung(msgspec.Struct, frozen=True):
    """One step of the out-of-memory ladder; `remedy` describes it to the user."""

    model: ModelSettings
    decoding: DecodingSettings
    remedy: str


def ladder(settings: Settings, device: str) -> tuple[Rung, ...]:
    """All rungs for a file, from the user's settings down to the smallest that `on_oom` allows.

    `device` is what the engine runs on ("cpu" or "cuda"), or "auto" before that is known.
    """
    rung = Rung(settings.model, settings.engine_decoding, "")
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
    narrow, remedy = with_less_memory(rungs[-1].decoding)
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
    """Whether a batch whose GPUs cannot be used may continue without them."""
    on_gpu = settings.model.device != "cpu"
    return failure.kind in NO_GPU and on_gpu and settings.batch.cpu_fallback


def without_gpu(model: ModelSettings) -> ModelSettings:
    """The same model on the CPU, with a compute type that any CPU supports."""
    compute = model.compute_type if model.compute_type in _CPU_TYPES else "int8"
    return replace(model, device="cpu", compute_type=compute)


def first_rung(recent: Sequence[int]) -> int:
    """The rung that the next file starts on, given the rungs that the last files ended on.

    It starts lower only if the last three files all needed a lower rung.
    """
    last = tuple(recent)[-RECENT_FILES:]
    if len(last) < RECENT_FILES or min(last) <= 1:
        return 0
    return min(last)


class FailedAttempt(msgspec.Struct, frozen=True):
    """What is known when an attempt at a file fails.

    `rung` is the present one of `rungs`. `deaths_here` counts engine deaths at the same window,
    this one included; `deaths` all of the file's, `stalls` those by stalling, `changes` of its
    scratch file. `started`: the first
    window was reached; `shared`: other files may be the cause; `loaded`: the model was loaded.
    `progress` counts the windows since the file's last failure, `skipped` those that were skipped
    so far; `transcribed`: there are others.
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
    changes: int = 0
    progress: int = 0
    transcribed: bool = True
    skipped: int = 0


class Retry(msgspec.Struct, frozen=True):
    """Retry on this rung; `skip_window`: without the window that kills the engine.

    `alone`: with no other file in the engine, so that none can be the cause next time.
    """

    rung: int
    skip_window: bool = False
    alone: bool = True


class GiveUp(msgspec.Struct, frozen=True):
    """Fail the file with this failure."""

    failure: Failure


def decide(attempt: FailedAttempt) -> Retry | GiveUp:
    """Whether and how a file is retried."""
    failure = attempt.failure
    match failure.kind:
        case FailureKind.OUT_OF_MEMORY if attempt.progress >= PROGRESS_WINDOWS:
            return Retry(min(1, attempt.rungs - 1))  # it was killed, but not by what it does
        case FailureKind.OUT_OF_MEMORY:
            return _next_rung(attempt, failure.title)
        case _ if attempt.rung and not attempt.loaded:
            return _next_rung(attempt, f"retrying with less memory failed: {failure.title}")
        case FailureKind.ENGINE_DIED:
            if attempt.shared:
                return Retry(attempt.rung)
            if attempt.deaths >= DEATHS_PER_FILE:
                return GiveUp(failure)
            if attempt.deaths_here < DEATHS_AT_ONE_WINDOW:
                return Retry(attempt.rung)
            if not attempt.transcribed and attempt.skipped >= SKIPPED_IN_VAIN:
                return GiveUp(replace(NOTHING_TRANSCRIBED, detail=failure.detail))
            if attempt.started:
                return Retry(attempt.rung, skip_window=True)
            return GiveUp(failure)
        case FailureKind.SCRATCH_CHANGED:
            if attempt.shared or attempt.changes < DECODINGS_PER_FILE:
                return Retry(attempt.rung, alone=attempt.shared)
            return GiveUp(replace(failure, title=f"{failure.title}, {attempt.changes} times"))
        case FailureKind.STALLED:
            if attempt.stalls < STALLS_PER_FILE:
                return Retry(attempt.rung)
            return GiveUp(replace(failure, title=f"{failure.title}, {attempt.stalls} times"))
        case _:
            return GiveUp(failure)


def _next_rung(attempt: FailedAttempt, why: str) -> Retry | GiveUp:
    """One rung lower; at the end of the ladder the file fails for lack of memory."""
    if attempt.rung + 1 < attempt.rungs:
        # Files that share batches share what a batch needs, so they step down together.
        return Retry(attempt.rung + 1, alone=not attempt.shared)
    if attempt.shared:
        return Retry(attempt.rung)
    title = f"Failed (Memory Error): {why}"
    return GiveUp(replace(attempt.failure, kind=FailureKind.OUT_OF_MEMORY, title=title))


NOTHING_TRANSCRIBED = Failure(
    FailureKind.ENGINE_UNUSABLE,
    "Nothing was transcribed: the engine crashed on every chunk",
    "try compute type float32, and --device cpu; details are in the log",
)
CANNOT_WORK = Failure(
    FailureKind.ENGINE_UNUSABLE,
    "The engine crashes on the first chunk of every file",
    "try compute type float32, and --device cpu; details are in the log",
)


SKIP_CHUNK = "this chunk skipped"  # the remedy of an attempt


def skipped_chunk(progress: float, plan: FilePlan) -> str:
    """The warning about a window that killed the engine, at this progress of the file."""
    channel, seconds = plan.place(progress)
    where = "" if channel is None else f" of the {channel_name(channel, plan.recorded)}"
    return f"the chunk at {clock(seconds)}{where} was skipped: the engine crashed on it twice"
