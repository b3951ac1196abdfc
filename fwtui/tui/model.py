"""What the screens show: the batch as its events add up. No Textual in here."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import zip_longest

from msgspec import Struct, field
from msgspec.structs import replace

from fwtui.core.events import (
    AddingChanged,
    AnyEvent,
    BatchFinished,
    BatchProgress,
    BatchSnapshot,
    EngineChanged,
    EngineInfo,
    Forecast,
    HookFailed,
    JobChanged,
    JobProgress,
    JobsAdded,
    JobsRemoved,
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
)
from fwtui.core.failure import Failure
from fwtui.core.job import Completed, Job, JobId, Pending, Processing
from fwtui.core.segment import Segment, Transcript
from fwtui.core.settings import Settings
from fwtui.core.speakers import Turn
from fwtui.core.text import natural
from fwtui.core.view import BatchView, JobCounts, Shares
from fwtui.core.watched_folder import FolderStatus
from fwtui.tui.formatting import base_name

MAX_POINTS = 512
LOG_LINES = 10_000
MEMORY_SAMPLES = 600
# Finished files whose transcripts stay in memory; others are read again when they are opened.
KEPT_TRANSCRIPTS = 8


def casefolded_names(paths: list[str]) -> list[str]:
    """The file names of paths, case-folded; all at once, since there may be 100,000."""
    text = "\n" + "\n".join(paths)
    if not text.count("\n") == text.count("\n/") == len(paths):
        return [base_name(path).casefold() for path in paths]
    folder = paths[0].rpartition("/")[0]
    text = text.replace(f"\n{folder}/", "\n")[1:].casefold()
    names = text.split("\n")
    return names if "/" not in text else [name[name.rfind("/") + 1 :] for name in names]


def nul_joined(names: list[str]) -> str:
    """The names as one text with NULs between them: it takes a third of the memory."""
    text = "\0".join(names)
    if text.count("\0") >= len(names) > 0:  # only a name that no file can have has one itself
        text = "\0".join([name.replace("\0", " ") for name in names])
    return text


class MemoryCurve:
    """The highest value in each of at most `most` equal spans of time, however long it takes."""

    def __init__(self, most: int = MAX_POINTS) -> None:
        self.step = 1.0
        self.values: list[float] = []
        self._most = most

    def add(self, seconds: float, value: float) -> None:
        """Add a value at `seconds` after the start; times do not go back."""
        index = self._index(seconds)
        while index >= self._most:
            pairs = zip_longest(self.values[::2], self.values[1::2], fillvalue=0.0)
            self.values = [max(pair) for pair in pairs]
            self.step *= 2
            index = self._index(seconds)
        missing = index + 1 - len(self.values)
        if missing > 0:
            # Not measured in between: the value before is held.
            before = self.values[-1] if self.values else value
            self.values += [*[before] * (missing - 1), value]
        else:
            self.values[-1] = max(self.values[-1], value)

    def _index(self, seconds: float) -> int:
        return max(0, len(self.values) - 1, int(seconds / self.step))

    @property
    def seconds(self) -> float:
        """The time that it covers."""
        return len(self.values) * self.step


class BatchHistory:
    """When the batch began and ended, and its memory meanwhile; `now` is the clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.began: datetime | None = None
        self._reset()

    def _reset(self) -> None:
        self.ended: datetime | None = None
        self.peak = 0.0
        self.memory = MemoryCurve()

    def phase_changed(self, before: Phase, phase: Phase) -> None:
        """Note when the batch leaves and enters the idle phase."""
        if before is Phase.IDLE and phase is not Phase.IDLE:
            self._reset()
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
        """The memory over time."""
        step = self.memory.step
        return tuple(MemoryPoint(at * step, rss) for at, rss in enumerate(self.memory.values))


def shown(segment: Segment) -> Segment:
    """What the screen shows of a segment: not its tokens, which are half of its memory."""
    return replace(segment, tokens=()) if segment.tokens else segment


class LiveTranscript(Struct):
    """The segments of one file, as far as they have been received.

    `whole`: none is missing before them; `generation` changes when they are replaced. `source` is
    the output file that they were read from, if they were. `turns` and `labels` are those of a
    `Transcript`. `outdated`: what is here will be replaced, not continued.
    """

    segments: list[Segment] = field(default_factory=list)
    language: str = ""
    whole: bool = False
    generation: int = 0
    source: str = ""
    turns: tuple[Turn, ...] = ()
    labels: dict[int, str] = field(default_factory=dict)
    outdated: bool = False

    def extend(self, segments: Iterable[Segment]) -> None:
        """Append what is new; segments come in order and their ids rise."""
        last = self.segments[-1].id if self.segments else -1
        self.segments.extend(shown(segment) for segment in segments if segment.id > last)

    def complete(self, stored: Transcript) -> None:
        """Put the stored segments in front of those received meanwhile."""
        received, self.outdated = () if self.outdated else self.segments, False
        self.segments = list(map(shown, stored.segments))
        self.language, self.source = self.language or stored.language, stored.source
        self.turns, self.labels = stored.turns, stored.labels
        self.whole = True
        self.generation += 1
        self.extend(received)

    def outdate(self) -> None:
        """Let it be read again; until then it stays."""
        self.whole, self.outdated = False, True

    def restart(self) -> None:
        """Drop all segments: the file is transcribed from its beginning."""
        self.segments = []
        self.turns, self.labels = (), {}
        self.whole, self.outdated = True, False
        self.generation += 1


class Changes(Struct):
    """What changed since the last drain, so that only that is drawn again."""

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
        """Whether nothing but the progress of some files changed."""
        return self == Changes(jobs=self.jobs)


class BatchModel:
    """A batch's view and its live figures. `fold` takes an event in and notes what it changed.

    `now` is the clock of its history; `attached`: it belongs to another process.
    """

    def __init__(self, now: Callable[[], datetime] = datetime.now) -> None:
        self.history = BatchHistory(now)
        self.attached = False
        self.running: dict[JobId, datetime] = {}  # since when they are as they are
        self.progress: dict[JobId, JobProgress] = {}
        self.requested: dict[JobId, str] = {}  # what the user has asked for, until it happens
        self.transcripts: OrderedDict[JobId, LiveTranscript] = OrderedDict()
        self.batch: BatchProgress | None = None
        self.engines: dict[int, EngineInfo] = {}
        self._loading: set[int] = set()
        self.memory: MemoryReading | None = None
        self.memory_history: deque[float] = deque(maxlen=MEMORY_SAMPLES)
        self.log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self.log_count = 0
        self.finished: BatchFinished | None = None
        self.forecast: Forecast | None = None
        self.changes = Changes(everything=True)
        # Path and track of transcripts that the user has marked as checked in the history.
        self.checked: frozenset[tuple[str, int]] = frozenset()
        self._view = BatchView()
        self._order: list[JobId] | None = None
        self._names: str | None = None  # of all files, `nul_joined`
        self._by_name: dict[bool, list[JobId]] = {}  # by whether the last are first

    def set_checked(self, files: frozenset[tuple[str, int]]) -> None:
        """Show these files, by path and track, as checked."""
        changed, self.checked = self.checked ^ files, files
        if changed:
            jobs = self.jobs.values()
            self.changes.jobs.update(job.id for job in jobs if (job.path, job.track) in changed)

    @property
    def session_id(self) -> str:
        """The session of the batch."""
        return self._view.session_id

    @property
    def settings(self) -> Settings:
        """The settings of the batch."""
        return self._view.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._view.settings = settings

    @property
    def phase(self) -> Phase:
        """What the batch does."""
        return self._view.phase

    @property
    def folders(self) -> tuple[FolderStatus, ...]:
        """The watched folders."""
        return self._view.folders

    @property
    def adding(self) -> AddingChanged:
        """Whether files are being looked for."""
        return self._view.adding

    @property
    def jobs(self) -> Mapping[JobId, Job]:
        """The files by id, in the order of the queue."""
        return self._view.jobs

    @property
    def counts(self) -> JobCounts:
        """Files by state."""
        return self._view.counts

    @property
    def order(self) -> list[JobId]:
        """The ids in the order of the queue; the same list as long as no file comes or goes."""
        if self._order is None:
            self._order = list(self._view.jobs)
        return self._order

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        changes, self.changes = self.changes, Changes()
        return changes

    @property
    def live(self) -> JobId | None:
        """The file whose transcript comes in now: the first that is being transcribed."""
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
        """Whether a model is being loaded and none is ready."""
        return bool(self._loading) and not self.engines

    @property
    def is_working(self) -> bool:
        """Whether quitting would interrupt a file, or a watch."""
        running = self.phase in {Phase.RUNNING, Phase.PAUSING} and self.counts.unfinished > 0
        return running or self.phase is Phase.WATCHING

    @property
    def shares(self) -> Shares:
        """The parts of the batch."""
        return self._view.shares

    def request(self, ids: Iterable[JobId]) -> tuple[JobId, ...]:
        """Mark the files that the user cancels or skips now, until that happens; returns them."""
        marked = []
        for job_id in ids:
            job = self.jobs[job_id]
            if not job.is_finished and job_id not in self.requested:
                running = isinstance(job.state, Processing) and not job.state.preparing
                self.requested[job_id] = "cancelling" if running else "skipping"
                marked.append(job_id)
        self.changes.jobs.update(marked)
        return tuple(marked)

    # Events.

    def fold(self, event: AnyEvent) -> None:
        """Take one event into account."""
        match event:
            case JobProgress():
                if event.id in self.running:
                    self._view.apply(event)
                    self.progress[event.id] = event
                    self.changes.jobs.add(event.id)
            case JobChanged() | JobsAdded() | JobsRemoved():
                self._fold_jobs(event)
            case SegmentsFound() | SegmentsReset():
                self._fold_segments(event)
            case LogLine():
                self.fold_log([event])
            case BatchSnapshot():
                self._replace(event)
            case Recap():
                self._recap(event)
            case MemorySampled():
                self._fold_memory(event.reading)
            case MemoryAlert():
                self.changes.alert = event
            case HookFailed():
                self.changes.hook = event
            case _:
                self._fold_batch(event)
                self.changes.header = True

    def _fold_batch(self, event: AnyEvent) -> None:
        before, jobs = self.phase, self.jobs
        self._view.apply(event)
        if self.jobs is not jobs:  # they are in another order
            self._order = self._names = None
            self.changes.order = True
        match event:
            case BatchProgress():
                self.batch = event
            case PhaseChanged():
                self.history.phase_changed(before, event.phase)
                if self.memory is not None:  # a short batch may have no sample of its own
                    self.history.sample(self.memory)
                self.changes.waits_for = event.failure
            case AddingChanged():
                self.changes.order |= not self.jobs  # the empty table says it, too
            case EngineChanged():
                self._engine_changed(event)
            case BatchFinished():
                self.finished = self.changes.finished = event
            case Forecast():
                self.forecast = self.changes.forecast = event
            case _:  # all that changed is in the view
                pass

    def _fold_jobs(self, event: JobChanged | JobsAdded | JobsRemoved) -> None:
        match event:
            case JobChanged(job=job):
                before = self.jobs.get(job.id)
                self._view.apply(event)
                if before is not None:
                    self._job_changed(before, job)
                return
            case JobsAdded(jobs=jobs):
                new = [job for job in jobs if job.id not in self.jobs]
                self._view.apply(event)
                self._added(new)
            case JobsRemoved(ids=ids):
                self._view.apply(event)
                self._removed(set(ids))
        self.changes.order = self.changes.header = True

    def _job_changed(self, before: Job, job: Job) -> None:
        if job.path != before.path:
            self._names = None
            self._by_name.clear()
        self.running.pop(job.id, None)
        self._note_running(job)
        if type(job.state) is not type(before.state):
            self.requested.pop(job.id, None)
        if isinstance(job.state, Processing):
            fresh = isinstance(before.state, Pending) and before.state.done_seconds == 0
            if fresh and job.id not in self.transcripts:
                self.transcript(job.id).whole = True
        else:
            self.progress.pop(job.id, None)
        if _speakers(job) != _speakers(before) and job.id in self.transcripts:
            self.transcripts[job.id].outdate()
        self.changes.jobs.add(job.id)
        self.changes.transcripts.add(job.id)
        self.changes.header = True

    def _note_running(self, job: Job) -> None:
        if isinstance(job.state, Processing):
            self.running[job.id] = self.history.now()

    def _added(self, new: list[Job]) -> None:
        self._by_name.clear()
        if self._order is not None:
            self._order += [job.id for job in new]
        if self._names is not None and new:
            self._names += "\0" + nul_joined(casefolded_names([job.path for job in new]))
        for job in new:
            self._note_running(job)

    def _removed(self, ids: set[JobId]) -> None:
        for job_id in ids:
            self.running.pop(job_id, None)
            self.progress.pop(job_id, None)
            self.requested.pop(job_id, None)
            self.transcripts.pop(job_id, None)
        self._order = self._names = None
        for way, ordered in self._by_name.items():
            self._by_name[way] = [job_id for job_id in ordered if job_id not in ids]

    def _replace(self, snapshot: BatchSnapshot) -> None:
        self._view.apply(snapshot)
        self._order = self._names = None
        self._by_name.clear()
        self.engines = {info.slot: info for info in snapshot.engines}
        self._loading = set()
        self.progress, self.requested = {}, {}
        self.transcripts.clear()
        self.batch = self.finished = self.forecast = None
        self.history = BatchHistory(self.history.now)
        self.history.phase_changed(Phase.IDLE, snapshot.phase)
        self.running = {}
        for job in snapshot.jobs:
            self._note_running(job)
        if snapshot.memory is not None:
            self._fold_memory(snapshot.memory)
        self.changes.everything = True

    def _recap(self, event: Recap) -> None:
        self._view.apply(event)
        self.progress = {each.id: each for each in event.progress if each.id in self.running}
        self.batch, self.finished = event.batch, event.finished
        self._loading = set(event.loading)
        self.memory_history = deque(event.rss, maxlen=MEMORY_SAMPLES)
        self.log.extend(event.log)
        self.log_count += len(event.log)
        self.changes.everything = True

    def _fold_segments(self, event: SegmentsFound | SegmentsReset) -> None:
        if event.id not in self.jobs:
            return
        transcript = self.transcript(event.id)
        if isinstance(event, SegmentsFound):
            transcript.extend(event.segments)
            transcript.language = event.language
        else:
            transcript.restart()
        self.changes.transcripts.add(event.id)

    def _engine_changed(self, event: EngineChanged) -> None:
        self.engines.pop(event.slot, None)
        self._loading.discard(event.slot)
        if event.info is not None:
            self.engines[event.slot] = event.info
        elif event.loading:
            self._loading.add(event.slot)
        self.changes.memory = True

    def _fold_memory(self, reading: MemoryReading) -> None:
        self.memory = reading
        self.memory_history.append(reading.rss)
        self.history.sample(reading)
        self.changes.memory = True

    def fold_log(self, lines: list[LogLine]) -> None:
        """Take lines of the log in, all at once."""
        self.log.extend(lines)
        self.log_count += len(lines)
        self.changes.log += len(lines)

    # Transcripts.

    def transcript(self, job_id: JobId) -> LiveTranscript:
        """The transcript of a file; one that was not received yet is empty and not whole."""
        transcript = self.transcripts.get(job_id)
        if transcript is None:
            transcript = self.transcripts[job_id] = LiveTranscript()
            self._drop_transcripts()
        else:
            self.transcripts.move_to_end(job_id)
        return transcript

    def _drop_transcripts(self) -> None:
        spare = len(self.transcripts) - len(self.running) - KEPT_TRANSCRIPTS
        for job_id in list(self.transcripts):
            if spare <= 0:
                return
            if job_id not in self.running:
                del self.transcripts[job_id]
                spare -= 1

    # Names, for filtering and sorting.

    def jobs_of(self, ids: list[JobId]) -> Iterable[Job]:
        """The jobs of these ids; quickest for the whole queue (`order`)."""
        return self.jobs.values() if ids is self.order else map(self.jobs.__getitem__, ids)

    def names_of(self, ids: list[JobId]) -> list[str]:
        """Case-folded names of these files; those of the whole queue (`order`) are remembered."""
        if ids is not self.order or not ids:
            return casefolded_names([job.path for job in self.jobs_of(ids)])
        if self._names is None:
            self._names = nul_joined(casefolded_names([job.path for job in self.jobs_of(ids)]))
        return self._names.split("\0")

    def by_name(self, *, reverse: bool = False) -> list[JobId]:
        """The whole queue in natural order of names, remembered: `part 2` before `part 10`.

        `reverse`: the last first; equal names keep their order in the queue.
        """
        found = self._by_name.get(reverse)
        if found is None:
            names = natural(self.names_of(self.order))
            indexes = sorted(range(len(names)), key=names.__getitem__, reverse=reverse)
            found = self._by_name[reverse] = [self.order[index] for index in indexes]
        return found


def _speakers(job: Job) -> object:
    """What is known of the speakers of a file."""
    found = job.state.speakers if isinstance(job.state, Completed) else ()
    return found, job.speaker_names
