"""What a session's records add up to.

Two independent sums. The *roster* (queue, settings, scratch files) is the snapshot plus the
records of the journal that goes with it. The *progress* inside files is the sum of a journal's
records alone, whatever the snapshot says: this is what makes a crash in the middle of a
compaction harmless.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from fwtui.core.job import WAITING, Completed, Job, JobId, Pending, Processing
from fwtui.core.segment import Segment
from fwtui.core.session import Resume, Session, Spoken
from fwtui.core.settings import Settings
from fwtui.core.table import JobTable
from fwtui.core.watched_folder import WatchedFolder
from fwtui.disk.files import storage_error
from fwtui.errors import StorageError
from fwtui.sessions.journal import (
    Begun,
    Forgotten,
    JobsAdded,
    JobSet,
    JobsRemoved,
    Record,
    Reordered,
    Replayed,
    SettingsSet,
    TempAdded,
    TempDropped,
    Window,
    WindowMark,
    record_of,
)
from fwtui.sessions.settings_codec import settings_from


@dataclass(slots=True)
class Roster:
    """Who is in the session. Jobs are in the order of the queue."""

    session_id: str
    created_at: datetime
    settings: Settings
    jobs: JobTable = field(default_factory=JobTable)
    temps: dict[str, None] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    file_extra: dict[JobId, dict[str, Any]] = field(default_factory=dict)
    settings_extra: dict[str, Any] = field(default_factory=dict)
    folders: tuple[WatchedFolder, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be lost with it."""
        return not self.jobs and not self.folders

    def take(self, jobs: Iterable[Job]) -> None:
        """Put in new jobs, or newer selves of jobs; of what many have in common there is one."""
        for job in jobs:
            lean = job.called(job.stem)
            root = sys.intern(job.root)
            state = WAITING if job.state == WAITING else job.state
            is_shared = root is job.root and state is job.state
            self.jobs[job.id] = lean if is_shared else replace(lean, root=root, state=state)

    def apply(self, record: Replayed | Window) -> None:
        """Take a record into account; one about an unknown job changes nothing."""
        match record:
            case JobsAdded(jobs=jobs):
                self.take(jobs)
            case JobSet(job=job) if job.id in self.jobs:
                self.take([job])
            case JobsRemoved(ids=ids):
                for job_id in ids:
                    self.jobs.pop(job_id, None)
                    self.file_extra.pop(job_id, None)
            case Reordered(order=order):
                self.jobs.arrange(order)
            case SettingsSet(settings=settings):
                self.settings, self.settings_extra = settings_from(settings)
            case TempAdded(path=path):
                self.temps[path] = None
            case TempDropped(path=path):
                self.temps.pop(path, None)
            case _:
                pass


@dataclass(slots=True)
class Progress:
    """How far a file is: where in the journal its plan and windows are, and the seconds done."""

    plan: int
    language: str
    windows: "array[int]" = field(default_factory=lambda: array("q"))
    seconds: float = 0.0


class ProgressBook:
    """The progress of all files that have any."""

    def __init__(self) -> None:
        self.files: dict[JobId, Progress] = {}

    def apply(self, record: Replayed | Window, offset: int) -> None:
        """Take the record at `offset` of the journal into account."""
        match record:
            case Begun(job=job_id, plan=plan):
                self.files[job_id] = Progress(offset, plan.language)
            case Window(job=job_id, result=result) | WindowMark(job=job_id, result=result):
                if progress := self.files.get(job_id):
                    progress.windows.append(offset)
                    progress.seconds = result.seconds
            case Forgotten(job=job_id):
                self.files.pop(job_id, None)
            case JobsAdded(jobs=jobs):
                self._drop(job.id for job in jobs)
            case JobsRemoved(ids=ids):
                self._drop(ids)
            case _:
                pass

    def _drop(self, ids: Iterable[JobId]) -> None:
        for job_id in ids:
            self.files.pop(job_id, None)

    def unfinished(self, jobs: Mapping[JobId, Job]) -> dict[JobId, Progress]:
        """The progress that a resume may use: not of jobs that are completed or gone."""
        return {
            job_id: progress
            for job_id, progress in self.files.items()
            if job_id in jobs and not isinstance(jobs[job_id].state, Completed)
        }


def interrupt(job: Job, progress: Progress | None) -> Job:
    """The job as it is after its fwtui is gone: running ones wait again, with what is done."""
    if not isinstance(job.state, Pending | Processing):
        return job
    state = Pending(progress.seconds if progress else 0.0)
    return job if job.state == state else replace(job, state=state)


_Record = TypeVar("_Record", bound=Record)


class Lines(Protocol):
    """Something that lines can be read from by offset. Raises StorageError."""

    def lines(self, offsets: Iterable[int]) -> Iterator[bytes]:
        """The lines at these offsets, in this order."""


class JournalLines:
    """The lines of a journal that is not open."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self, offsets: Iterable[int]) -> Iterator[bytes]:
        """The lines at these offsets, in this order. Raises StorageError."""
        try:
            with self._path.open("rb") as file:
                for offset in offsets:
                    file.seek(offset)
                    yield file.readline()
        except OSError as error:
            raise storage_error(error, self._path, "read") from error


def resume_of(source: Lines, progress: Progress) -> Resume:
    """Where a file goes on. Raises StorageError."""
    (plan,) = _read(source, (progress.plan,), Begun)
    if not progress.windows:
        return Resume(plan.plan)
    (last,) = _read(source, progress.windows[-1:], Window)
    return Resume(plan.plan, last.result.state, last.result.seconds)


def segments_of(source: Lines, progress: Progress) -> tuple[Segment, ...]:
    """The segments of a file so far. Raises StorageError."""
    windows = _read(source, progress.windows, Window)
    return tuple(segment for window in windows for segment in window.result.segments)


def left_out_of(source: Lines, progress: Progress) -> tuple[float, ...]:
    """Where windows of a file were left out: seconds. Raises StorageError."""
    found = []
    begin = 0.0
    for window in _read(source, progress.windows, Window):
        if window.result.skipped:
            found.append(begin)
        begin = window.result.seconds
    return tuple(found)


def spoken_of(source: Lines, progress: Progress) -> tuple[Spoken, ...]:
    """The languages heard in a file. Raises StorageError."""
    windows = _read(source, progress.windows, Window)
    return tuple(spoken for window in windows for spoken in window.result.spoken)


def records_of(source: Lines, progress: Progress) -> tuple[Begun | Window, ...]:
    """All that the journal has about a file, up to the first record that is damaged."""
    found: list[Begun | Window] = []
    for line in source.lines((progress.plan, *progress.windows)):
        record = record_of(line)
        if not isinstance(record, Begun | Window):
            break
        found.append(record)
    return tuple(found)


def _read(source: Lines, offsets: Iterable[int], kind: type[_Record]) -> Iterator[_Record]:
    for line in source.lines(offsets):
        record = record_of(line)
        if not isinstance(record, kind):
            raise StorageError(
                "A journal was damaged while it was in use",
                "Check the disk, then resume the session again.",
            )
        yield record


def assemble(roster: Roster, book: ProgressBook, source: Lines) -> Session:
    """The session as the rest of the program sees it. Raises StorageError."""
    unfinished = book.unfinished(roster.jobs)
    resumable: dict[JobId, Resume] = {
        job_id: resume_of(source, progress) for job_id, progress in unfinished.items()
    }
    return Session(
        roster.session_id,
        roster.created_at,
        roster.settings,
        tuple(roster.jobs.values()),
        tuple(roster.temps),
        resumable,
        dict(roster.extra),
        roster.folders,
    )
