"""What a batch tells its user interfaces. Every event is already durable when it is sent."""

from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from fwtui.core.failure import Failure
from fwtui.core.job import Job, JobId
from fwtui.core.segment import Segment
from fwtui.core.settings import Settings
from fwtui.core.watched_folder import FolderStatus


class Phase(StrEnum):
    """What the batch as a whole is doing. Watching: started, and waiting for files to come."""

    IDLE = "idle"
    WATCHING = "watching"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"


# Nothing is being worked on, and nothing is about to end.
AT_REST = frozenset({Phase.IDLE, Phase.WATCHING})


class Level(StrEnum):
    """Levels of log lines."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class MemoryPoint(msgspec.Struct, frozen=True):
    """The most memory of our processes, in MB, around a moment `seconds` after the start."""

    seconds: float
    rss: float


class MemoryReading(msgspec.Struct, frozen=True):
    """Memory at one moment, in MB (2**20 bytes): our process tree and the machine.

    `percent` is our RSS of the machine's memory, or of the container's where that has less
    (`cgroup_limit`); `available` is what can still be had, there or in the machine. `pss` counts
    shared pages once; None where it cannot be read. `engines` is the part of `rss` that is not the
    root process's. `warn` and `limit` are the settings in MB.
    """

    rss: float
    vms: float
    percent: float
    peak_rss: float
    system_used: float
    system_total: float
    gpus: tuple["GpuReading", ...] = ()
    available: float = 0.0
    cgroup_limit: float | None = None
    pss: float | None = None
    engines: float = 0.0
    warn: float | None = None
    limit: float | None = None

    @property
    def capacity(self) -> float:
        """What there is at most: the machine's memory, or the container's if that is less."""
        return min(self.system_total, self.cgroup_limit or self.system_total)


class GpuReading(msgspec.Struct, frozen=True):
    """One GPU: memory in MB, utilisation in percent, temperature in degrees Celsius.

    `ours` is what our processes use of it, None where the driver does not say.
    """

    index: int
    name: str
    used: float
    total: float
    utilisation: float
    temperature: float | None = None
    ours: float | None = None


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


class AddingChanged(Event, frozen=True):
    """Whether files are still looked up, and whether the batch starts as soon as all are there.

    Until then commands wait, except those that end work.
    """

    adding: bool
    then_starts: bool = False


class BatchSnapshot(Event, frozen=True):
    """Everything at once: the first event that a new subscriber gets."""

    session_id: str
    created_at: datetime
    settings: Settings
    phase: Phase
    jobs: tuple[Job, ...]
    engines: tuple[EngineInfo, ...] = ()
    memory: MemoryReading | None = None
    folders: tuple[FolderStatus, ...] = ()
    adding: AddingChanged = AddingChanged(adding=False)


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
    """How far a job is. Seconds of audio; `speed` is x real time; `eta` seconds, None: unknown.

    While it is downloaded `done` and `total` are bytes.
    """

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
    """The batch started, paused, stopped or came to its end.

    `failure` is what it waits for when it paused by itself.
    """

    phase: Phase
    failure: Failure | None = None


class SettingsChanged(Event, frozen=True):
    """New settings for jobs that have not started."""

    settings: Settings


class FoldersChanged(Event, frozen=True):
    """The folders that are watched now, and how they are."""

    folders: tuple[FolderStatus, ...]


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


class MemoryAlert(Event, frozen=True):
    """A limit is exceeded (`text` says which, `hint` what to do), or not any more (no `text`).

    `hard`: the engine is replaced, or its file tried with less.
    """

    text: str
    hint: str = ""
    hard: bool = False


class Forecast(Event, frozen=True):
    """What the batch needs with its present settings, and what is free, in MB.

    `gpu` figures are None without a GPU. `measured`: the needs are those of earlier batches on
    this machine, not an estimate. When it does not fit, `proposal` has settings that do, by
    `section.name`, and `remedy` says them; both are empty when nothing would fit.
    """

    needs: float
    free: float
    gpu_needs: float | None = None
    gpu_free: float | None = None
    measured: bool = False
    fits: bool = True
    proposal: dict[str, bool | int | float | str | None] = {}
    remedy: str = ""


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

    @property
    def is_news(self) -> bool:
        """Whether it came to this by itself, after work: whoever has gone away wants to know."""
        return self.seconds > 0 and (not self.stopped or self.failure is not None)


class HookFailed(Event, frozen=True):
    """A command of the user's did not go well: the first time, or after it went well before.

    `hook` is the setting's name, `hint` the command's last words.
    """

    hook: str
    text: str
    hint: str = ""


class Recap(Event, frozen=True):
    """What a subscriber who comes late has missed, beside what is in the snapshot.

    The last log lines and memory readings (`rss`, MB), how far the running jobs and the batch
    are, how the batch ended if it has, and the slots whose engine is `loading`.
    """

    log: tuple[LogLine, ...] = ()
    rss: tuple[float, ...] = ()
    progress: tuple[JobProgress, ...] = ()
    batch: BatchProgress | None = None
    finished: BatchFinished | None = None
    loading: tuple[int, ...] = ()


AnyEvent = (
    BatchSnapshot
    | Recap
    | AddingChanged
    | JobsAdded
    | JobsRemoved
    | JobsReordered
    | JobChanged
    | JobProgress
    | SegmentsFound
    | SegmentsReset
    | PhaseChanged
    | SettingsChanged
    | FoldersChanged
    | EngineChanged
    | BatchProgress
    | MemorySampled
    | MemoryAlert
    | Forecast
    | LogLine
    | BatchFinished
    | HookFailed
)


# Changes of a batch that its session remembers.
DurableChange = (
    JobsAdded | JobsRemoved | JobsReordered | JobChanged | SettingsChanged | SegmentsReset
)


def in_full(event: AnyEvent) -> AnyEvent:
    """The event with jobs that are `in_full`."""
    match event:
        case BatchSnapshot(jobs=jobs) | JobsAdded(jobs=jobs):
            return replace(event, jobs=tuple(job.in_full for job in jobs))
        case JobChanged(job=job):
            return replace(event, job=job.in_full)
        case _:
            return event
