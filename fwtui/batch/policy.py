"""What to do when a file fails: pure decisions, no I/O."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.settings import DecodingSettings, ModelSettings, Settings

RECENT_FILES = 3
DEATHS_AT_ONE_PLACE = 2
DEATHS_PER_FILE = 20
STALLS_PER_FILE = 3


class Rung(msgspec.Struct, frozen=True):
    """One step of the out-of-memory ladder: what to run with, and how to tell the user."""

    model: ModelSettings
    decoding: DecodingSettings
    remedy: str


def ladder(settings: Settings, device: str) -> tuple[Rung, ...]:
    """All steps for a file, from the user's settings down to the smallest.

    `device` is where the engine really runs ("cpu" or "cuda"), or "auto" before that is known.
    """
    rung = Rung(settings.model, settings.decoding, "")
    rungs = [rung, replace(rung, remedy="a fresh engine")]
    if settings.decoding.beam_size > 1:
        smaller = replace(settings.decoding, beam_size=1)
        rungs.append(replace(rungs[-1], decoding=smaller, remedy="beam size 1"))
    compute: Literal["int8", "int8_float16"] = "int8_float16" if device == "cuda" else "int8"
    if settings.model.compute_type not in {"int8", compute}:
        model = replace(settings.model, compute_type=compute)
        rungs.append(replace(rungs[-1], model=model, remedy=f"compute type {compute}"))
    if device != "cpu" and settings.batch.cpu_fallback:
        model = replace(settings.model, device="cpu", compute_type="int8")
        rungs.append(replace(rungs[-1], model=model, remedy="the CPU"))
    return tuple(rungs)


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
    `stalls` those that stalled; `started` says whether its first window was reached.
    """

    failure: Failure
    rung: int
    rungs: int
    deaths_here: int = 0
    deaths: int = 0
    started: bool = False
    stalls: int = 0


class Retry(msgspec.Struct, frozen=True):
    """Try again on this rung; `skip_window` leaves the window that kills the engine out."""

    rung: int
    skip_window: bool = False


class GiveUp(msgspec.Struct, frozen=True):
    """The file fails with this."""

    failure: Failure


def decide(trouble: Trouble) -> Retry | GiveUp:
    """Whether and how a file is tried again."""
    failure = trouble.failure
    match failure.kind:
        case FailureKind.OUT_OF_MEMORY:
            if trouble.rung + 1 < trouble.rungs:
                return Retry(trouble.rung + 1)
            return GiveUp(replace(failure, title=f"Failed (Memory Error): {failure.title}"))
        case FailureKind.ENGINE_DIED:
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
