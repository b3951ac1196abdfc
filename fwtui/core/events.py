"""Events of a batch, for its user interfaces. Each is durable on disk before it is sent."""

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
    """Phase of the whole batch. `watching`: started, and waiting for new files."""

    IDLE = "idle"
    WATCHING = "watching"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"


# Nothing is running, and nothing is about to stop.
AT_REST = frozenset({Phase.IDLE, Phase.WATCHING})


class Level(StrEnum):
    """Levels of log lines."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class MemoryPoint(msgspec.Struct, frozen=True):
    """Highest memory use of our processes, in MB, around `seconds` after the start."""

    seconds: float
    rss: float


class MemoryReading(msgspec.Struct, frozen=True):
    """Memory at one moment, in MB: of fwtui with its child processes, and of the machine.

    `percent` is the share of `rss` in the memory of the machine, or of the container where that is
    less (`cgroup_limit`); `available` is the memory still available there. `pss` counts shared
    pages once; None where it cannot be read. `engines` is `rss` without the main process. `warn`
    and `limit` are the settings in MB.
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
        """Total memory in MB: the machine's, or the container's if that is less."""
        return min(self.system_total, self.cgroup_limit or self.system_total)


class GpuReading(msgspec.Struct, frozen=True):
    """One GPU: memory in MB, utilisation in percent, temperature in degrees Celsius.

    `ours` is the memory that fwtui uses; None where the driver does not report it.
    """

    index: int
    name: str
    used: float
    total: float
    utilisation: float
    temperature: float | None = None
    ours: float | None = None


class EngineInfo(msgspec.Struct, frozen=True):
    """A loaded model: its device, its compute type, and the slot and process that hold it."""

    slot: int
    model: str
    device: str
    compute_type: str
    load_seconds: float
    pid: int


class Event(msgspec.Struct, frozen=True, tag=True):
    """Base of all events."""


class AddingChanged(Event, frozen=True):
    """Whether files are still being searched for, and whether the batch starts after that.

    Meanwhile commands wait, except those that end work.
    """

    adding: bool
    then_starts: bool = False


class BatchSnapshot(Event, frozen=True):
    """The whole batch: the first event that a new subscriber gets."""

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
    """Jobs that were removed from the queue."""

    ids: tuple[JobId, ...]


class JobsReordered(Event, frozen=True):
    """The new order of the whole queue."""

    order: tuple[JobId, ...]


class JobChanged(Event, frozen=True):
    """A job as it is now: its state, media, attempts or name have changed."""

    job: Job


class JobProgress(Event, frozen=True):
    """Progress of a job: seconds of audio done, speed (× real time), and seconds left.

    `eta` is None if unknown. While a link is downloaded, `done` and `total` are bytes. `listening`:
    all of it is transcribed, and only its speakers are still to be told apart.
    """

    id: JobId
    done: float
    total: float
    speed: float
    eta: float | None
    preparing: bool = False
    listening: bool = False


class SegmentsFound(Event, frozen=True):
    """New segments of a running job, in order. These events are never dropped or merged."""

    id: JobId
    segments: tuple[Segment, ...]
    language: str


class SegmentsReset(Event, frozen=True):
    """A job starts from its beginning: its segments so far no longer count."""

    id: JobId


class PhaseChanged(Event, frozen=True):
    """The batch started, paused, stopped or ended.

    `failure` is the reason if it paused by itself.
    """

    phase: Phase
    failure: Failure | None = None


class SettingsChanged(Event, frozen=True):
    """New settings for jobs that have not started."""

    settings: Settings


class FoldersChanged(Event, frozen=True):
    """The watched folders and their status."""

    folders: tuple[FolderStatus, ...]


class EngineChanged(Event, frozen=True):
    """The engine of a slot is loaded (`info`), loading (`loading`), or unloaded (neither)."""

    slot: int
    info: EngineInfo | None = None
    loading: bool = False


class BatchProgress(Event, frozen=True):
    """Progress of the batch: files by state, seconds of audio, and seconds left (None: unknown).

    `share` is the progress from 0 to 1, as everywhere: all that neither waits nor runs, by audio
    where lengths are known, else by files. None: from an earlier version.
    """

    completed: int
    failed: int
    pending: int
    total: int
    done_seconds: float
    total_seconds: float
    eta: float | None
    share: float | None = None
    to_check: int = 0
    cancelled: int = 0
    skipped: int = 0


class MemorySampled(Event, frozen=True):
    """One memory reading, about once a second."""

    reading: MemoryReading


class MemoryAlert(Event, frozen=True):
    """A memory limit is exceeded (`hint` says what to do), or no longer (`text` is empty).

    `hard`: the engine is restarted, or its file retried in a smaller configuration.
    """

    text: str
    hint: str = ""
    hard: bool = False


class Forecast(Event, frozen=True):
    """Memory that the batch needs with its settings, and memory that is free, in MB.

    The `gpu` figures are None without a GPU. `measured`: the needs were measured in earlier
    batches on this machine, not estimated. If the batch does not fit, `proposal` has settings that
    fit, by `section.name`, and `remedy` describes them; both are empty if nothing would fit.
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
    """A line for the log pane and the log file; `text` is plain text."""

    at: datetime
    level: Level
    text: str
    job: JobId | None = None


class BatchFinished(Event, frozen=True):
    """The batch has ended: no files are left, or it was stopped.

    `seconds` is how long it took, `report` the path of its report. `failure` says why the batch
    could not continue (no model, no disk space). Of the `completed` files, `to_check` have warnings
    or findings. Of the `cancelled` files, `skipped` were skipped. `share` is as in `BatchProgress`.
    """

    completed: int
    failed: int
    cancelled: int
    stopped: bool
    seconds: float
    report: str | None = None
    failure: Failure | None = None
    to_check: int = 0
    skipped: int = 0
    share: float | None = None

    @property
    def is_notable(self) -> bool:
        """Whether the batch ended by itself, after work: worth a notification."""
        return self.seconds > 0 and (not self.stopped or self.failure is not None)


class HookFailed(Event, frozen=True):
    """A hook failed, for the first time or after a success.

    `hook` is the setting's name, `hint` the last line of the command's output.
    """

    hook: str
    text: str
    hint: str = ""


class Recap(Event, frozen=True):
    """What a late subscriber has missed, apart from what is in the snapshot.

    The last log lines and memory readings (`rss`, MB), the progress of the running jobs and of
    the batch, how the batch ended if it did, and the slots whose engine is `loading`.
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


def with_explicit_stems(event: AnyEvent) -> AnyEvent:
    """The event with the stems of its jobs set in any case, to be written as JSON."""
    match event:
        case BatchSnapshot(jobs=jobs) | JobsAdded(jobs=jobs):
            return replace(event, jobs=tuple(job.with_explicit_stem for job in jobs))
        case JobChanged(job=job):
            return replace(event, job=job.with_explicit_stem)
        case _:
            return event
