"""What the screens show: the events of a batch, folded into one picture. No Textual in here."""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import zip_longest

from msgspec import Struct, field

from fwtui.core.events import (
    AddingChanged,
    AnyEvent,
    BatchFinished,
    BatchProgress,
    BatchSnapshot,
    EngineChanged,
    EngineInfo,
    FoldersChanged,
    Forecast,
    HookFailed,
    JobChanged,
    JobProgress,
    JobsAdded,
    JobsRemoved,
    JobsReordered,
    Level,
    LogLine,
    MemoryAlert,
    MemoryPoint,
    MemoryReading,
    MemorySampled,
    Phase,
    PhaseChanged,
    Recap,
    SegmentsFound,
    SegmentsReset,
    SettingsChanged,
)
from fwtui.core.failure import Failure
from fwtui.core.job import Completed, Failed, Job, JobId, Pending, Processing, has_state
from fwtui.core.segment import Segment, Transcript
from fwtui.core.settings import Settings
from fwtui.core.table import JobTable
from fwtui.core.text import natural
from fwtui.core.watched_folder import FolderStatus
from fwtui.tui.formatting import base_name


def folded(paths: list[str]) -> list[str]:
    """Case-folded names; all at once, since there may be 100,000."""
    text = "\n" + "\n".join(paths)
    if not text.count("\n") == text.count("\n/") == len(paths):
        return [base_name(path).casefold() for path in paths]
    folder = paths[0].rpartition("/")[0]
    text = text.replace(f"\n{folder}/", "\n")[1:].casefold()
    names = text.split("\n")
    return names if "/" not in text else [name[name.rfind("/") + 1 :] for name in names]


def joined(names: list[str]) -> str:
    """The names as one text with NULs between them: it takes a third of the memory."""
    text = "\0".join(names)
    if text.count("\0") >= len(names) > 0:  # only a name that no file can have has one itself
        text = "\0".join([name.replace("\0", " ") for name in names])
    return text


MAX_POINTS = 512


class MemoryCurve:
    """The highest value of each of at most `most` equal spans of time, however long it takes."""

    def __init__(self, most: int = MAX_POINTS) -> None:
        self.step = 1.0
        self.values: list[float] = []
        self._most = most

    def add(self, seconds: float, value: float) -> None:
        """A value at `seconds` after the start; times do not go back."""
        index = self._index(seconds)
        while index >= self._most:
            pairs = zip_longest(self.values[::2], self.values[1::2], fillvalue=0.0)
            self.values = [max(pair) for pair in pairs]
            self.step *= 2
            index = self._index(seconds)
        missing = index + 1 - len(self.values)
        if missing > 0:
            # Nobody measured in between: it was what it was before.
            before = self.values[-1] if self.values else value
            self.values += [*[before] * (missing - 1), value]
        else:
            self.values[-1] = max(self.values[-1], value)

    def _index(self, seconds: float) -> int:
        return max(0, len(self.values) - 1, int(seconds / self.step))

    @property
    def seconds(self) -> float:
        """The time it covers."""
        return len(self.values) * self.step


class BatchHistory:
    """When the batch began and ended, and its memory meanwhile; `now` is the clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.began: datetime | None = None
        self._forget()

    def _forget(self) -> None:
        self.ended: datetime | None = None
        self.peak = 0.0
        self.memory = MemoryCurve()

    def changed(self, before: Phase, phase: Phase) -> None:
        """The batch goes from one phase to another."""
        if before is Phase.IDLE and phase is not Phase.IDLE:
            self._forget()
            self.began = self.now()
        elif phase is Phase.IDLE and self.began is not None:
            self.ended = self.now()

    def sample(self, reading: MemoryReading) -> None:
        """Keep a reading, while the batch is at work."""
        if self.began is not None and self.ended is None:
            self.memory.add((self.now() - self.began).total_seconds(), reading.rss)
            self.peak = max(self.peak, reading.peak_rss)

    @property
    def points(self) -> tuple[MemoryPoint, ...]:
        """The curve of the memory."""
        step = self.memory.step
        return tuple(MemoryPoint(at * step, rss) for at, rss in enumerate(self.memory.values))


class Counts(Struct):
    """Files by state."""

    completed: int = 0
    failed: int = 0
    to_do: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        """All files in the queue."""
        return self.completed + self.failed + self.to_do + self.other

    def add_all(self, jobs: Iterable[Job]) -> None:
        """Count these in."""
        kinds = Counter(type(job.state) for job in jobs)
        self.completed += kinds.pop(Completed, 0)
        self.failed += kinds.pop(Failed, 0)
        self.to_do += kinds.pop(Pending, 0) + kinds.pop(Processing, 0)
        self.other += kinds.total()

    def add(self, job: Job, sign: int) -> None:
        """Count a job in (`sign` 1) or out (-1)."""
        match job.state:
            case Completed():
                self.completed += sign
            case Failed():
                self.failed += sign
            case Pending() | Processing():
                self.to_do += sign
            case _:
                self.other += sign


class LiveTranscript(Struct):
    """The segments of one file, as far as they were seen here.

    `whole` says that none is missing before them; `generation` changes when they are replaced.
    `source` is the output that they were read back from, if they were.
    """

    segments: list[Segment] = field(default_factory=list)
    language: str = ""
    whole: bool = False
    generation: int = 0
    source: str = ""

    def extend(self, segments: Iterable[Segment]) -> None:
        """Append what is new; segments come in order and their ids rise."""
        last = self.segments[-1].id if self.segments else -1
        self.segments.extend(segment for segment in segments if segment.id > last)

    def complete(self, stored: Transcript) -> None:
        """Put the stored segments in front of those that came meanwhile."""
        seen = self.segments
        self.segments = list(stored.segments)
        self.language, self.source = self.language or stored.language, stored.source
        self.whole = True
        self.generation += 1
        self.extend(seen)


LOG_LINES = 10_000
MEMORY_SAMPLES = 600
# Finished files whose segments stay here; others are read again when they are looked at.
KEPT_TRANSCRIPTS = 8


class Changes(Struct):
    """What became different since the last drain, so that only that is drawn again."""

    everything: bool = False
    order: bool = False
    jobs: set[JobId] = field(default_factory=set)
    transcripts: set[JobId] = field(default_factory=set)
    header: bool = False
    log: int = 0
    memory: bool = False
    finished: BatchFinished | None = None
    waits_for: Failure | None = None
    alert: MemoryAlert | None = None
    forecast: Forecast | None = None
    hook: HookFailed | None = None

    @property
    def only_progress(self) -> bool:
        """Some files are further than they were, and that is all."""
        return self == Changes(jobs=self.jobs)


class BatchModel:
    """The batch as last heard of. `fold` takes an event in and notes what it changed.

    `now` is the clock of its history; `attached`: it belongs to another process.
    """

    def __init__(self, now: Callable[[], datetime] = datetime.now) -> None:
        self.history = BatchHistory(now)
        self.attached = False
        self.session_id = ""
        self.settings = Settings()
        self.phase = Phase.IDLE
        self.folders: tuple[FolderStatus, ...] = ()
        self.order: list[JobId] = []  # as in `jobs`
        self.adding = AddingChanged(adding=False)
        self.coming: tuple[Job, ...] = ()  # shown as long as there are no others
        self.jobs = JobTable()
        self.running: dict[JobId, datetime] = {}  # since when they are as they are
        self.progress: dict[JobId, JobProgress] = {}
        self.transcripts: OrderedDict[JobId, LiveTranscript] = OrderedDict()
        self.batch: BatchProgress | None = None
        self.engines: dict[int, EngineInfo] = {}
        self._loading: set[int] = set()
        self.memory: MemoryReading | None = None
        self.memory_history: deque[float] = deque(maxlen=MEMORY_SAMPLES)
        self.log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self.log_count = 0
        self.counts = Counts()
        self.finished: BatchFinished | None = None
        self.forecast: Forecast | None = None
        self.changes = Changes(everything=True)
        self._names: str | None = None  # of all, `joined`
        self._by_name: list[JobId] | None = None

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        changes, self.changes = self.changes, Changes()
        return changes

    @property
    def live(self) -> JobId | None:
        """The file whose words come in now: the first that the model works on."""
        preparing: JobId | None = None
        for job_id in self.running:
            job = self.jobs[job_id]
            if isinstance(job.state, Processing) and not job.state.preparing:
                return job_id
            preparing = job_id if preparing is None else preparing
        return preparing

    def waited(self, job: JobId) -> int:
        """Whole seconds that the model has worked on a file with nothing done yet; else 0."""
        since, progress = self.running.get(job), self.progress.get(job)
        if since is None or progress is None or progress.preparing or progress.speed > 0:
            return 0
        return int((self.history.now() - since).total_seconds())

    @property
    def engine(self) -> EngineInfo | None:
        """The first engine that is loaded."""
        return next(iter(self.engines.values()), None)

    @property
    def loading(self) -> bool:
        """Whether a model is being loaded and none is there."""
        return bool(self._loading) and not self.engines

    @property
    def is_working(self) -> bool:
        """Whether leaving would interrupt a file, or a watch."""
        running = self.phase in {Phase.RUNNING, Phase.PAUSING} and self.counts.to_do > 0
        return running or self.phase is Phase.WATCHING

    @property
    def seconds(self) -> tuple[float, float]:
        """Seconds of audio done and in all, as far as the lengths are known."""
        if self.batch is None:
            return 0.0, 0.0
        return self.batch.done_seconds, self.batch.total_seconds

    def fold(self, event: AnyEvent) -> None:  # noqa: C901, PLR0912, PLR0915 (one arm for each event)
        """Take one event in."""
        changes = self.changes
        match event:
            case JobProgress():
                if event.id in self.running:
                    self.progress[event.id] = event
                    changes.jobs.add(event.id)
            case SegmentsFound():
                self._segments(event)
            case JobChanged():
                self._job_changed(event.job)
            case BatchProgress():
                self.batch = event
                changes.header = True
            case MemorySampled():
                self._memory(event.reading)
            case MemoryAlert():
                changes.alert = event
            case Forecast():
                self.forecast = changes.forecast = event
                changes.header = True
            case LogLine():
                self.fold_log([event])
            case BatchSnapshot():
                self._snapshot(event)
            case Recap():
                self._recap(event)
            case AddingChanged():
                self.adding = event
                changes.header = True
                changes.order |= not self.order  # the empty table says it, too
            case JobsAdded():
                self._add(event.jobs)
            case JobsRemoved():
                self._remove(event.ids)
            case JobsReordered():
                self.jobs.arrange(event.order)
                self.order = list(self.jobs)
                self._names = None
                changes.order = True
            case SegmentsReset():
                self._reset(event.id)
            case PhaseChanged():
                self.history.changed(self.phase, event.phase)
                if self.memory is not None:  # a short batch may have no sample of its own
                    self.history.sample(self.memory)
                self.phase = event.phase
                changes.waits_for = event.failure
                changes.header = True
            case SettingsChanged():
                self.settings = event.settings
                changes.header = True
            case FoldersChanged():
                self.folders = event.folders
                changes.header = True
            case EngineChanged():
                self._engine_changed(event)
            case BatchFinished():
                self.finished = changes.finished = event
                changes.header = True
            case HookFailed():
                changes.hook = event

    def expect(self, paths: Iterable[str]) -> None:
        """These files are about to come, or, without any, none is."""
        self.coming = tuple(Job(id=-1, path=path) for path in paths)
        self.changes.order = self.changes.header = True

    def fold_log(self, lines: list[LogLine]) -> None:
        """Take lines of the log in, at once."""
        self.log.extend(lines)
        self.log_count += len(lines)
        self.changes.log += len(lines)
        if self.coming and any(line.level is Level.ERROR for line in lines):
            self.expect(())  # that may be why they do not come

    def matching(self, needle: str, within: list[JobId] | None = None) -> list[JobId]:
        """Jobs whose name holds `needle`, or that are what it says (`is:failed`), in order."""
        ids = self.order if within is None else within
        needle = needle.casefold().strip()
        if needle.startswith("is:"):
            return [job.id for job in self.jobs_of(ids) if has_state(job, needle[3:])]
        return [i for i, name in zip(ids, self.names_of(ids), strict=True) if needle in name]

    def jobs_of(self, ids: list[JobId]) -> Iterable[Job]:
        """These jobs; quickest for the whole queue (`order`)."""
        return self.jobs.values() if ids is self.order else map(self.jobs.__getitem__, ids)

    def names_of(self, ids: list[JobId]) -> list[str]:
        """Case-folded names of these files; those of the whole queue (`order`) are remembered."""
        if ids is not self.order or not ids:
            return folded([job.path for job in self.jobs_of(ids)])
        if self._names is None:
            self._names = joined(folded([job.path for job in self.jobs_of(ids)]))
        return self._names.split("\0")

    def by_name(self) -> list[JobId]:
        """The whole queue in the natural order of names, remembered: `part 2` before `part 10`."""
        if self._by_name is None:
            names = natural(self.names_of(self.order))
            places = sorted(range(len(names)), key=names.__getitem__)
            self._by_name = [self.order[place] for place in places]
        return self._by_name

    def _forget_names(self) -> None:
        self._names = self._by_name = None

    def transcript(self, job_id: JobId) -> LiveTranscript:
        """The segments of a job; an unknown job's are empty and not whole."""
        transcript = self.transcripts.get(job_id)
        if transcript is None:
            transcript = self.transcripts[job_id] = LiveTranscript()
            self._forget_transcripts()
        else:
            self.transcripts.move_to_end(job_id)
        return transcript

    def _forget_transcripts(self) -> None:
        spare = len(self.transcripts) - len(self.running) - KEPT_TRANSCRIPTS
        for job_id in list(self.transcripts):
            if spare <= 0:
                return
            if job_id not in self.running:
                del self.transcripts[job_id]
                spare -= 1

    def _engine_changed(self, event: EngineChanged) -> None:
        self.engines.pop(event.slot, None)
        self._loading.discard(event.slot)
        if event.info is not None:
            self.engines[event.slot] = event.info
        elif event.loading:
            self._loading.add(event.slot)
        self.changes.header = self.changes.memory = True

    def _snapshot(self, event: BatchSnapshot) -> None:
        self.session_id = event.session_id
        self.settings = event.settings
        self.folders = event.folders
        self.phase = event.phase
        self.engines = {info.slot: info for info in event.engines}
        self._loading = set()
        self.jobs = JobTable(event.jobs)
        self.order = [job.id for job in event.jobs]
        self.coming = () if event.jobs else self.coming
        self.adding = event.adding
        self.progress = {}
        self.transcripts.clear()
        self.batch = None
        self.finished = None
        self.forecast = None
        self.history = BatchHistory(self.history.now)
        self.history.changed(Phase.IDLE, event.phase)
        self.counts = Counts()
        self._forget_names()
        self.counts.add_all(event.jobs)
        now = self.history.now()
        self.running = {job.id: now for job in event.jobs if isinstance(job.state, Processing)}
        if event.memory is not None:
            self._memory(event.memory)
        self.changes.everything = True

    def _recap(self, event: Recap) -> None:
        self.progress = {each.id: each for each in event.progress if each.id in self.running}
        self.batch, self.finished = event.batch, event.finished
        self._loading = set(event.loading)
        self.memory_history = deque(event.rss, maxlen=MEMORY_SAMPLES)
        self.log.extend(event.log)
        self.log_count += len(event.log)
        self.changes.everything = True

    def _count(self, job: Job) -> None:
        self.counts.add(job, 1)
        if isinstance(job.state, Processing):
            self.running[job.id] = self.history.now()

    def _add(self, jobs: tuple[Job, ...]) -> None:
        self.coming = ()
        new = [job for job in jobs if job.id not in self.jobs]
        self._by_name = None
        if self._names is not None and new:
            self._names += "\0" + joined(folded([job.path for job in new]))
        for job in new:
            self.jobs[job.id] = job
            self.order.append(job.id)
            self._count(job)
        self.changes.order = self.changes.header = True

    def _remove(self, ids: tuple[JobId, ...]) -> None:
        gone = {job_id for job_id in ids if job_id in self.jobs}
        for job_id in gone:
            self.counts.add(self.jobs.pop(job_id), -1)
            self.running.pop(job_id, None)
            self.progress.pop(job_id, None)
            self.transcripts.pop(job_id, None)
        self.order = [job_id for job_id in self.order if job_id not in gone]
        self._names = None
        if self._by_name is not None:
            self._by_name = [i for i in self._by_name if i not in gone]
        self.changes.order = self.changes.header = True

    def _job_changed(self, job: Job) -> None:
        before = self.jobs.get(job.id)
        if before is None:
            return
        self.counts.add(before, -1)
        self.running.pop(job.id, None)
        self.jobs[job.id] = job
        if job.path != before.path:
            self._forget_names()
        self._count(job)
        if isinstance(job.state, Processing):
            fresh = isinstance(before.state, Pending) and before.state.done_seconds == 0
            if fresh and job.id not in self.transcripts:
                self.transcript(job.id).whole = True
        else:
            self.progress.pop(job.id, None)
        self.changes.jobs.add(job.id)
        self.changes.transcripts.add(job.id)
        self.changes.header = True

    def _segments(self, event: SegmentsFound) -> None:
        if event.id not in self.jobs:
            return
        transcript = self.transcript(event.id)
        transcript.extend(event.segments)
        transcript.language = event.language
        self.changes.transcripts.add(event.id)

    def _reset(self, job_id: JobId) -> None:
        if job_id not in self.jobs:
            return
        transcript = self.transcript(job_id)
        transcript.segments = []
        transcript.whole = True
        transcript.generation += 1
        self.changes.transcripts.add(job_id)

    def _memory(self, reading: MemoryReading) -> None:
        self.memory = reading
        self.memory_history.append(reading.rss)
        self.history.sample(reading)
        self.changes.memory = True
