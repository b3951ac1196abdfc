"""What reaches the runner's inbox beside commands: from engine children, from clocks."""

from pathlib import Path

from msgspec import Struct

from fwtui.batch.discovery import LookedUp, LookedUpAll
from fwtui.core.commands import AnyCommand
from fwtui.core.events import MemoryReading
from fwtui.core.failure import Failure
from fwtui.core.job import JobId
from fwtui.engine.client import EngineClient, EngineExit
from fwtui.engine.protocol import AnyReply
from fwtui.watch.folder import News


class EngineSaid(Struct, frozen=True):
    """A reply, and which child it came from."""

    client: EngineClient
    reply: AnyReply


class EngineGone(Struct, frozen=True):
    """A child was drained and reaped."""

    client: EngineClient
    exit: EngineExit


class LinkEnded(Struct, frozen=True):
    """A download has ended: with a file, with a failure, or because it was stopped (None)."""

    job: JobId
    outcome: Path | Failure | None


EngineMessage = EngineSaid | EngineGone
SlotMessage = EngineMessage | LinkEnded


class StillSkipping(Struct, frozen=True):
    """Many files in a row need no work; there may be more of them. Commands come in between."""


class Overdue(Struct, frozen=True):
    """A cancelled job may not have ended in time."""

    job: JobId


class Unused(Struct, frozen=True):
    """The model was kept for another batch, and none has come since batch number `after`."""

    after: int


class LengthFound(Struct, frozen=True):
    """A waiting file was looked at; None: it could not be measured, which its turn will tell."""

    job: JobId
    seconds: float | None


class Sampled(Struct, frozen=True):
    """A memory reading is there."""

    reading: MemoryReading


class Settled(Struct, frozen=True):
    """What was to be done to a watched file after its transcript is done, or cannot be done.

    `identity` is that of the file it was done to, as `str`; `place` is where that is now, None if
    it was left as it is. Both paths as `path_to_text`.
    """

    job: JobId
    path: str
    identity: str
    place: str | None


class Cleared(Struct, frozen=True):
    """What the batch waits for is over."""


# What threads put there.
Posted = SlotMessage | LookedUp | LookedUpAll | Cleared | News
Clock = LengthFound | Overdue | StillSkipping | Unused | Sampled
Message = AnyCommand | Posted | Clock | Settled
