"""State of a batch as the sum of its events: the one fold for every reader. Pure."""

from collections.abc import Iterable, Mapping
from itertools import chain

import msgspec

from fwtui.core.events import (
    AddingChanged,
    AnyEvent,
    BatchSnapshot,
    FoldersChanged,
    JobChanged,
    JobsAdded,
    JobsRemoved,
    JobsReordered,
    Phase,
    PhaseChanged,
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


class JobCounts(msgspec.Struct):
    """Files by state, and seconds of their audio, updated in constant time.

    `done_seconds` and `known_seconds` (of `measured` files) do not count files that failed or were
    cancelled or skipped; the lengths of `unmeasured` files are not known yet. `to_check` of the
    completed files have warnings or findings.
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

    def _count(self, job: Job, sign: int) -> None:
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

    def _measure(self, job: Job, sign: int) -> None:
        if job.duration > 0:
            self.measured += sign
            self.known_seconds += sign * job.duration
        else:
            self.unmeasured += sign


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
            case BatchSnapshot():
                self._replace(event)
            case _:
                pass

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
        return before

    def remove(self, ids: Iterable[JobId]) -> tuple[Job, ...]:
        """Remove jobs and return those that were in the queue."""
        removed = []
        for job_id in ids:
            job = self._jobs.pop(job_id, None)
            if job is not None:
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
