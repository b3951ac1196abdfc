"""State of a batch as the sum of its events: the one fold for every reader. Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import chain

import msgspec

from fwtui.core.events import (
    AddingChanged,
    AnyEvent,
    BatchSnapshot,
    FoldersChanged,
    JobChanged,
    JobProgress,
    JobsAdded,
    JobsRemoved,
    JobsReordered,
    Phase,
    PhaseChanged,
    Recap,
    SettingsChanged,
)
from fwtui.core.job import (
    Cancelled,
    Completed,
    Failed,
    Job,
    JobId,
    Pending,
    Processing,
    Skipped,
    needs_check,
)
from fwtui.core.settings import Settings
from fwtui.core.watched_folder import FolderStatus


class BatchPart(StrEnum):
    """What a file is for the progress of a batch; `left`: waiting or running."""

    DONE = "done"
    TO_CHECK = "to check"
    SKIPPED = "skipped"
    LEFT = "left"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Shares(msgspec.Struct, frozen=True):
    """Shares of a batch by state, which add up to 1 unless it is empty.

    `begun` is the part of waiting and running files that has a text already. Shares are of the
    audio; files of unknown length count with the mean length, and all alike if none is known.
    """

    done: float = 0.0
    to_check: float = 0.0
    skipped: float = 0.0
    cancelled: float = 0.0
    failed: float = 0.0
    begun: float = 0.0
    left: float = 0.0

    @property
    def finished(self) -> float:
        """The progress of a batch, 0 to 1, by the one measure of it: all but what is left.

        It is 1 only if no file waits or runs: all are done, failed, cancelled or skipped.
        """
        ended = self.done + self.to_check + self.skipped + self.cancelled + self.failed
        if self.begun or self.left:
            return min(0.9999, ended + self.begun)
        return 1.0 if ended else 0.0


_MICRO = 1_000_000  # whole numbers, so that adding and removing leaves no rest


class Lengths(msgspec.Struct):
    """Files, how many of them have a known length, and the sum of these in microseconds."""

    files: int = 0
    measured: int = 0
    micros: int = 0

    @property
    def unknown(self) -> int:
        """Files of unknown length."""
        return self.files - self.measured


def _no_lengths() -> dict[BatchPart, Lengths]:
    return {part: Lengths() for part in BatchPart}


class JobCounts(msgspec.Struct):
    """Files by state, and seconds of their audio, updated in constant time.

    `done_seconds` and `known_seconds` (of `measured` files) do not count files that failed or were
    cancelled or skipped; the lengths of `unmeasured` files are not known yet. `to_check` of the
    completed files have warnings or findings. `lengths` count all files, `begun_micros` the texts
    of those that wait.
    """

    completed: int = 0
    to_check: int = 0
    failed: int = 0
    waiting: int = 0
    running: int = 0
    cancelled: int = 0
    skipped: int = 0
    done_seconds: float = 0.0
    known_seconds: float = 0.0
    measured: int = 0
    unmeasured: int = 0
    lengths: dict[BatchPart, Lengths] = msgspec.field(default_factory=_no_lengths)
    begun_micros: int = 0

    @property
    def total(self) -> int:
        """All files."""
        return self.finished + self.unfinished

    @property
    def unfinished(self) -> int:
        """Files that are waiting or running."""
        return self.waiting + self.running

    @property
    def finished(self) -> int:
        """Files that are done, failed, cancelled or skipped."""
        return self.completed + self.failed + self.cancelled + self.skipped

    @property
    def total_seconds(self) -> float:
        """Seconds of audio, done or not; files of unknown length count with the mean length."""
        mean = self.known_seconds / self.measured if self.measured else 0.0
        return self.known_seconds + mean * self.unmeasured

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio of all files, whatever became of them; 0 if no length is known."""
        mean = self._mean()
        return sum(one.micros + mean * one.unknown for one in self.lengths.values()) / _MICRO

    def shares(self, running: float = 0.0) -> Shares:
        """The parts of the batch; `running` seconds of the running files have a text."""
        mean = self._mean()
        sizes = {
            part: one.micros + (mean or 1.0) * one.unknown for part, one in self.lengths.items()
        }
        whole = sum(sizes.values())
        if not whole:
            return Shares()
        left = sizes[BatchPart.LEFT]
        begun = min(left, self.begun_micros + running * _MICRO) if mean else 0.0
        sizes[BatchPart.LEFT] = left - begun
        shares = {part.name.lower(): size / whole for part, size in sizes.items()}
        return Shares(**shares, begun=begun / whole)

    def _mean(self) -> float:
        """The mean of all lengths that are known, in microseconds; 0 if there is none."""
        measured = sum(one.measured for one in self.lengths.values())
        return sum(one.micros for one in self.lengths.values()) / measured if measured else 0.0

    def add(self, job: Job) -> None:
        """Count a job in."""
        self._count(job, 1)

    def remove(self, job: Job) -> None:
        """Count a job out; it must be the same as when it was counted in."""
        self._count(job, -1)

    def add_all(self, jobs: Iterable[Job]) -> None:
        """Count many jobs in."""
        untouched = 0
        for job in jobs:
            state = job.state
            if job.media is None and type(state) is Pending and not state.done_seconds:
                untouched += 1  # most of a long queue
            else:
                self._count(job, 1)
        self.waiting += untouched
        self.unmeasured += untouched
        self.lengths[BatchPart.LEFT].files += untouched

    def _count(self, job: Job, sign: int) -> None:
        self._count_length(job, sign)
        match job.state:
            case Completed():
                self.completed += sign
                self.to_check += sign * needs_check(job.state)
                self.done_seconds += sign * job.duration
            case Pending(done_seconds=done):
                self.waiting += sign
                self.done_seconds += sign * done
            case Processing():
                self.running += sign
            case Failed():
                self.failed += sign
                return
            case Cancelled():
                self.cancelled += sign
                return
            case Skipped():
                self.skipped += sign
                return
        self._measure(job, sign)

    def _count_length(self, job: Job, sign: int) -> None:
        one, micros = self.lengths[part_of(job)], round(length_of(job) * _MICRO)
        one.files += sign
        one.measured += sign * (micros > 0)
        one.micros += sign * micros
        if isinstance(job.state, Pending):
            self.begun_micros += sign * min(micros, round(job.state.done_seconds * _MICRO))

    def _measure(self, job: Job, sign: int) -> None:
        if job.duration > 0:
            self.measured += sign
            self.known_seconds += sign * job.duration
        else:
            self.unmeasured += sign


def part_of(job: Job) -> BatchPart:
    """The part of the batch that a file belongs to."""
    match job.state:
        case Completed():
            return BatchPart.TO_CHECK if needs_check(job.state) else BatchPart.DONE
        case Pending() | Processing():
            return BatchPart.LEFT
        case Failed():
            return BatchPart.FAILED
        case Cancelled():
            return BatchPart.CANCELLED
        case Skipped():
            return BatchPart.SKIPPED


def length_of(job: Job) -> float:
    """Seconds of audio, also of a done file whose media facts were not stored; 0 if unknown."""
    if job.duration > 0:
        return job.duration
    return job.state.audio_seconds if isinstance(job.state, Completed) else 0.0


def shares_of(jobs: Iterable[Job]) -> Shares:
    """The parts of a batch that does not run."""
    counts = JobCounts()
    counts.add_all(jobs)
    return counts.shares()


class BatchView:
    """Jobs in the order of the queue, their counts, settings, phase and watched folders."""

    def __init__(self, jobs: Iterable[Job] = (), settings: Settings | None = None) -> None:
        self.session_id = ""
        self.settings = settings or Settings()
        self.phase = Phase.IDLE
        self.folders: tuple[FolderStatus, ...] = ()
        self.adding = AddingChanged(adding=False)
        self._reset(jobs)

    def _reset(self, jobs: Iterable[Job]) -> None:
        self._jobs = {job.id: job for job in jobs}
        self._running: dict[JobId, float] = {}  # seconds with a text
        self._counts = JobCounts()
        self._counts.add_all(self._jobs.values())

    @property
    def jobs(self) -> Mapping[JobId, Job]:
        """The jobs by id, in the order of the queue; another mapping after a reordering."""
        return self._jobs

    @property
    def order(self) -> tuple[JobId, ...]:
        """All ids in the order of the queue."""
        return tuple(self._jobs)

    @property
    def counts(self) -> JobCounts:
        """Files by state and seconds of audio, always up to date."""
        return self._counts

    @property
    def shares(self) -> Shares:
        """The parts of the batch, with the progress inside the running files."""
        return self._counts.shares(running_seconds(self._jobs, self._running))

    def apply(self, event: AnyEvent) -> None:
        """Apply an event; one about an unknown job changes nothing."""
        match event:
            case JobChanged(job=job):
                self.put(job)
            case JobsAdded(jobs=jobs):
                self.add(jobs)
            case JobsRemoved(ids=ids):
                self.remove(ids)
            case JobsReordered(order=order):
                self.reorder(order)
            case SettingsChanged(settings=settings):
                self.settings = settings
            case PhaseChanged(phase=phase):
                self.phase = phase
            case FoldersChanged(folders=folders):
                self.folders = folders
            case AddingChanged():
                self.adding = event
            case JobProgress():
                self._progress(event)
            case Recap(progress=progress):
                for one in progress:
                    self._progress(one)
            case BatchSnapshot():
                self._replace(event)
            case _:
                pass

    def _progress(self, progress: JobProgress) -> None:
        if progress.id in self._jobs and not progress.preparing:
            self._running[progress.id] = progress.done

    def _replace(self, snapshot: BatchSnapshot) -> None:
        self.session_id = snapshot.session_id
        self.settings = snapshot.settings
        self.phase = snapshot.phase
        self.folders = snapshot.folders
        self.adding = snapshot.adding
        self._reset(snapshot.jobs)

    def add(self, jobs: Iterable[Job]) -> None:
        """Append jobs; one that is in the queue already is replaced in its place."""
        new: dict[JobId, Job] = {}
        for job in jobs:
            if self.put(job) is None:
                new[job.id] = job
        self._jobs.update(new)
        self._counts.add_all(new.values())

    def put(self, job: Job) -> Job | None:
        """Replace a job and return what it was; None, and no change, if it is not in the queue."""
        before = self._jobs.get(job.id)
        if before is not None:
            self._counts.remove(before)
            self._counts.add(job)
            self._jobs[job.id] = job
            if not isinstance(job.state, Processing):
                self._running.pop(job.id, None)
            elif not isinstance(before.state, Processing):
                self._running[job.id] = before.text_seconds
        return before

    def remove(self, ids: Iterable[JobId]) -> tuple[Job, ...]:
        """Remove jobs and return those that were in the queue."""
        removed = []
        for job_id in ids:
            job = self._jobs.pop(job_id, None)
            if job is not None:
                self._running.pop(job_id, None)
                self._counts.remove(job)
                removed.append(job)
        return tuple(removed)

    def reorder(self, order: Iterable[JobId]) -> None:
        """Put the jobs into this order; those that are not named come last, as they were."""
        jobs = self._jobs
        self._jobs = {job_id: jobs[job_id] for job_id in self._whole(order)}

    def reordering(self, order: Iterable[JobId]) -> JobsReordered | None:
        """The change that puts the jobs into this order, as `reorder`; None if nothing moves."""
        wanted = self._whole(order)
        return JobsReordered(wanted) if wanted != self.order else None

    def _whole(self, order: Iterable[JobId]) -> tuple[JobId, ...]:
        named = dict.fromkeys(job_id for job_id in order if job_id in self._jobs)
        return tuple(chain(named, (job_id for job_id in self._jobs if job_id not in named)))


def running_seconds(jobs: Mapping[JobId, Job], done: Mapping[JobId, float]) -> float:
    """Seconds of audio with a text in running files; `done` may exceed their lengths."""
    return sum(
        max(0.0, min(seconds, jobs[job_id].duration))
        for job_id, seconds in done.items()
        if job_id in jobs and isinstance(jobs[job_id].state, Processing)
    )
