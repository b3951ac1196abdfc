"""Messages in the inbox of a `Batch`, beside commands."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from fwtui.batch.discovery import DiscoveryFinished, FilesFound
from fwtui.core.commands import AnyCommand
from fwtui.core.events import MemoryReading
from fwtui.core.failure import Failure
from fwtui.core.job import JobId
from fwtui.engine.client import EngineClient, EngineExit
from fwtui.engine.protocol import AnyReply
from fwtui.watch.folder import FolderMessage


class EngineReplied(Struct, frozen=True):
    """A reply, and the engine process that sent it."""

    client: EngineClient
    reply: AnyReply


class EngineExited(Struct, frozen=True):
    """An engine process has ended and its output was read to the end."""

    client: EngineClient
    exit: EngineExit


class DownloadEnded(Struct, frozen=True):
    """A download has ended: with a file, with a failure, or because it was stopped (None)."""

    job: JobId
    outcome: Path | Failure | None


EngineMessage = EngineReplied | EngineExited
WorkerMessage = EngineMessage | DownloadEnded


class SkipLimitReached(Struct, frozen=True):
    """Many files in a row were skipped, and there may be more. Commands come in between."""


class CancelOverdue(Struct, frozen=True):
    """A cancelled job should have ended by now."""

    job: JobId


class ModelIdle(Struct, frozen=True):
    """The time for which the model is kept after batch number `batch` is over."""

    batch: int


class DurationsFound(Struct, frozen=True):
    """Lengths of waiting files in seconds; None: cannot be measured."""

    found: Mapping[JobId, float | None]


class MemoryMeasured(Struct, frozen=True):
    """A memory reading."""

    reading: MemoryReading


class AfterActionDone(Struct, frozen=True):
    """A watched file was moved or tagged after its transcription, or that failed.

    `identity` is that of the file, as `str`; `moved_to` is where it is now, None if it was left as
    it is. Both paths as `path_to_text`.
    """

    job: JobId
    path: str
    identity: str
    moved_to: str | None


class DiskAvailable(Struct, frozen=True):
    """The disk that the batch waits for can be used again."""


# Posted by threads.
PostedMessage = WorkerMessage | FilesFound | DiscoveryFinished | DiskAvailable | FolderMessage
_LoopMessage = DurationsFound | CancelOverdue | SkipLimitReached | ModelIdle | MemoryMeasured
Message = AnyCommand | PostedMessage | _LoopMessage | AfterActionDone
