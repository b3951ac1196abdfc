"""What a batch tells its user interfaces. Every event is already durable when it is sent."""

from datetime import datetime
from enum import StrEnum

import msgspec

from fwtui.core.failure import Failure
from fwtui.core.job import Job, JobId
from fwtui.core.segment import Segment
from fwtui.core.settings import Settings


class Phase(StrEnum):
    """What the batch as a whole is doing."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"


class Level(StrEnum):
    """Levels of log lines."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class MemoryReading(msgspec.Struct, frozen=True):
    """Memory at one moment, in MB (2**20 bytes): our process tree and the machine."""

    rss: float
    vms: float
    percent: float
    peak_rss: float
    system_used: float
    system_total: float
    gpus: tuple["GpuReading", ...] = ()


class GpuReading(msgspec.Struct, frozen=True):
    """One GPU: memory in MB, utilisation in percent."""

    index: int
    name: str
    used: float
    total: float
    utilisation: float


class EngineInfo(msgspec.Struct, frozen=True):
    """A loaded model: where it runs and with which compute type."""

    slot: int
    model: str
    device: str
    compute_type: str
    load_seconds: float
    pid: int


class Event(msgspec.Struct, frozen=True, tag=True):
    """The root of all events."""


class BatchSnapshot(Event, frozen=True):
    """Everything at once: the first event that a new subscriber gets."""

    session_id: str
    created_at: datetime
    settings: Settings
    phase: Phase
    jobs: tuple[Job, ...]
    engine: EngineInfo | None = None
    memory: MemoryReading | None = None


class JobsAdded(Event, frozen=True):
    """New jobs at the end of the queue."""

    jobs: tuple[Job, ...]


class JobsRemoved(Event, frozen=True):
    """Jobs that are not in the queue any more."""

    ids: tuple[JobId, ...]


class JobsReordered(Event, frozen=True):
    """The new order of the whole queue."""

    order: tuple[JobId, ...]


class JobChanged(Event, frozen=True):
    """A job's state, media or attempts changed; carries the whole job."""

    job: Job


class JobProgress(Event, frozen=True):
    """How far a job is. Seconds of audio; `speed` is x real time; `eta` seconds, None: unknown."""

    id: JobId
    done: float
    total: float
    speed: float
    eta: float | None
    preparing: bool = False


class SegmentsFound(Event, frozen=True):
    """New segments of a running job, in order; never dropped or merged."""

    id: JobId
    segments: tuple[Segment, ...]
    language: str


class SegmentsReset(Event, frozen=True):
    """The job starts over: forget the segments shown so far."""

    id: JobId


class PhaseChanged(Event, frozen=True):
    """The batch started, paused, stopped or came to its end."""

    phase: Phase


class SettingsChanged(Event, frozen=True):
    """New settings for jobs that have not started."""

    settings: Settings


class EngineChanged(Event, frozen=True):
    """The engine of a slot is there (`info`), is loading (`loading`), or is gone (neither)."""

    slot: int
    info: EngineInfo | None = None
    loading: bool = False


class BatchProgress(Event, frozen=True):
    """The whole batch: files by state, seconds of audio, ETA in seconds (None: unknown)."""

    completed: int
    failed: int
    pending: int
    total: int
    done_seconds: float
    total_seconds: float
    eta: float | None


class MemorySampled(Event, frozen=True):
    """One memory reading, about once a second."""

    reading: MemoryReading


class LogLine(Event, frozen=True):
    """A line for the log pane and the log file; `text` is data, never markup."""

    at: datetime
    level: Level
    text: str
    job: JobId | None = None


class BatchFinished(Event, frozen=True):
    """The queue is worked through or was stopped.

    `failure` says why the batch could not go on at all (no model, no disk space).
    """

    completed: int
    failed: int
    cancelled: int
    stopped: bool
    seconds: float
    report: str | None = None
    failure: Failure | None = None


class Recap(Event, frozen=True):
    """What a subscriber who comes late has missed, beside what is in the snapshot.

    The last log lines and memory readings (`rss`, MB), how far the running jobs and the batch
    are, how the batch ended if it has, and whether an engine is `loading`.
    """

    log: tuple[LogLine, ...] = ()
    rss: tuple[float, ...] = ()
    progress: tuple[JobProgress, ...] = ()
    batch: BatchProgress | None = None
    finished: BatchFinished | None = None
    loading: bool = False


AnyEvent = (
    BatchSnapshot
    | Recap
    | JobsAdded
    | JobsRemoved
    | JobsReordered
    | JobChanged
    | JobProgress
    | SegmentsFound
    | SegmentsReset
    | PhaseChanged
    | SettingsChanged
    | EngineChanged
    | BatchProgress
    | MemorySampled
    | LogLine
    | BatchFinished
)
