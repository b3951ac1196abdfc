"""What reaches the runner's inbox beside commands: from engine children, from clocks."""

from collections.abc import Callable
from dataclasses import dataclass

from fwtui.core.events import EngineInfo, MemoryReading
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import JobId
from fwtui.core.settings import ModelSettings
from fwtui.engine.client import EngineClient, EngineExit
from fwtui.engine.protocol import AnyReply, Fatal, Ready
from fwtui.errors import EngineError


@dataclass(frozen=True)
class EngineSaid:
    """A reply, and which child it came from."""

    client: EngineClient
    reply: AnyReply


@dataclass(frozen=True)
class EngineGone:
    """A child was drained and reaped."""

    client: EngineClient
    exit: EngineExit


SlotMessage = EngineSaid | EngineGone


@dataclass(frozen=True)
class StillSkipping:
    """Many files in a row need no work; there may be more of them. Commands come in between."""


@dataclass(frozen=True)
class Overdue:
    """A cancelled job may not have ended in time."""

    job: JobId


@dataclass(frozen=True)
class Unused:
    """The model was kept for another batch, and none has come since batch number `after`."""

    after: int


@dataclass(frozen=True)
class LengthFound:
    """A waiting file was looked at; None: it could not be measured, which its turn will tell."""

    job: JobId
    seconds: float | None


@dataclass(frozen=True)
class Sampled:
    """A memory reading is there."""

    reading: MemoryReading


@dataclass(frozen=True)
class Settled:
    """What was to be done to a watched file after its transcript is done, or cannot be done.

    `identity` is that of the file it was done to, as `str`; `place` is where that is now, None if
    it was left as it is. Both paths as `path_to_text`.
    """

    job: JobId
    path: str
    identity: str
    place: str | None


def pump(client: EngineClient, post: Callable[[SlotMessage], None]) -> None:
    """Reader thread: post everything the child says, then its end."""
    try:
        for reply in client.replies():
            post(EngineSaid(client, reply))
    except EngineError as error:
        detail = str(error.__cause__)
        failure = Failure(FailureKind.ENGINE_DIED, error.title, error.hint, detail)
        post(EngineSaid(client, Fatal(failure)))
        client.kill()
    post(EngineGone(client, client.wait()))


def engine_info(slot: int, model: ModelSettings, ready: Ready) -> EngineInfo:
    """What is told of a loaded engine."""
    return EngineInfo(
        slot=slot,
        model=model.model,
        device=ready.device,
        compute_type=ready.compute_type,
        load_seconds=ready.load_seconds,
        pid=ready.pid,
    )


def loaded_line(info: EngineInfo) -> str:
    """The line for the log."""
    where = f"{info.device}, {info.compute_type}"
    return f"Model {info.model} loaded in {info.load_seconds:.1f} s ({where})"
