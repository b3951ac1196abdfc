"""What a session's records add up to.

Two independent sums. The *content* (queue, settings, scratch files) is the snapshot plus the
records of the journal that goes with it. The *progress* inside files is the sum of a journal's
records alone, whatever the snapshot says: this is what makes a crash in the middle of a
compaction harmless.
"""

import sys
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from fwtui.core.events import DurableChange, JobChanged, JobsAdded, JobsRemoved
from fwtui.core.finding import Finding
from fwtui.core.job import WAITING, Completed, Job, JobId, Pending, Processing
from fwtui.core.segment import Segment
from fwtui.core.session import ResumePoint, Session, Spoken, asked_in
from fwtui.core.view import BatchView
from fwtui.core.voices import SpeakerGroup, SpeakerTurns
from fwtui.core.watched_folder import WatchedFolder
from fwtui.disk.files import open_regular, storage_error
from fwtui.errors import StorageError
from fwtui.sessions.journal import (
    AnyRecord,
    JobsAddedRecord,
    JobsRemovedRecord,
    PlanRecord,
    Record,
    Replayed,
    ResetRecord,
    ScratchAddedRecord,
    ScratchRemovedRecord,
    SettingsRecord,
    SpeakerGroupMark,
    SpeakerGroupRecord,
    TurnsMark,
    TurnsRecord,
    WindowMark,
    WindowRecord,
    change_of_record,
    record_of,
)
from fwtui.sessions.settings_codec import settings_from


def compacted(jobs: Iterable[Job]) -> Iterator[Job]:
    """The jobs as they are kept in memory: what many have in common is there once."""
    for job in jobs:
        job = job.with_stem(job.stem)  # noqa: PLW2901
        root = sys.intern(job.root)
        state = WAITING if job.state == WAITING else job.state
        is_shared = root is job.root and state is job.state
        yield job if is_shared else replace(job, root=root, state=state)


@dataclass(slots=True)
class SessionContent:
    """What a session remembers, but for the progress inside files.

    `temps` are its scratch files. The `extra` fields keep keys that this version does not know:
    of the session, of its files and of its settings.
    """

    session_id: str
    created_at: datetime
    view: BatchView
    temps: dict[str, None] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    file_extra: dict[JobId, dict[str, Any]] = field(default_factory=dict)
    settings_extra: dict[str, Any] = field(default_factory=dict)
    folders: tuple[WatchedFolder, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be lost with it."""
        return not (self.view.jobs or self.folders or asked_in(self.extra))

    @property
    def inputs(self) -> Collection[str]:
        """The paths of its media files, if there are scratch files to compare them with."""
        return {job.path for job in self.view.jobs.values()} if self.temps else ()

    def apply(self, record: Replayed | AnyRecord) -> None:
        """Apply a record of the journal; one about an unknown job changes nothing."""
        match record:
            case SettingsRecord(settings=settings):
                self.view.settings, self.settings_extra = settings_from(settings)
            case ScratchAddedRecord(path=path):
                self.temps[path] = None
            case ScratchRemovedRecord(path=path):
                self.temps.pop(path, None)
            case _:
                change = change_of_record(record)
                if change is not None:
                    self.apply_change(_with_compacted_jobs(change))

    def apply_change(self, change: DurableChange) -> None:
        """Apply a change of the batch."""
        self.view.apply(change)
        if isinstance(change, JobsRemoved):
            for job_id in change.ids:
                self.file_extra.pop(job_id, None)


def _with_compacted_jobs(change: DurableChange) -> DurableChange:
    match change:
        case JobsAdded(jobs=jobs):
            return JobsAdded(tuple(compacted(jobs)))
        case JobChanged(job=job):
            (job,) = compacted([job])
            return JobChanged(job)
        case _:
            return change


@dataclass(slots=True)
class FileProgress:
    """Progress inside a file: seconds done, and where its records are in the journal.

    `groups` are those of its voices.
    """

    plan: int
    language: str
    windows: "array[int]" = field(default_factory=lambda: array("q"))
    seconds: float = 0.0
    groups: "array[int]" = field(default_factory=lambda: array("q"))

    def add_group(self, index: int, offset: int) -> None:
        """Note a group of voices; one behind a lost one does not count."""
        if index <= len(self.groups):
            del self.groups[index:]
            self.groups.append(offset)


class ProgressIndex:
    """The progress inside files, by job, of those that have any.

    `turns`: where the speakers of files are, completed ones included.
    """

    def __init__(self) -> None:
        self.files: dict[JobId, FileProgress] = {}
        self.turns: dict[JobId, int] = {}
        self._sealed: set[JobId] = set()

    def seal(self) -> None:
        """Accept no more windows of the present files: some of them may have been lost."""
        self._sealed |= self.files.keys()

    def apply(self, record: Replayed | AnyRecord, offset: int) -> None:
        """Apply the record at `offset` of the journal."""
        match record:
            case PlanRecord(job=job_id, plan=plan):
                self.files[job_id] = FileProgress(offset, plan.language)
                self.turns.pop(job_id, None)
                self._sealed.discard(job_id)
            case WindowRecord(job=job_id, result=result) | WindowMark(job=job_id, result=result):
                progress = self.files.get(job_id)
                if progress and job_id not in self._sealed:
                    progress.windows.append(offset)
                    progress.seconds = result.seconds
            case (
                SpeakerGroupRecord(job=job_id, group=group)
                | SpeakerGroupMark(job=job_id, group=group)
            ):
                progress = self.files.get(job_id)
                if progress and job_id not in self._sealed:
                    progress.add_group(group.index, offset)
            case TurnsRecord(job=job_id) | TurnsMark(job=job_id):
                if job_id not in self._sealed:
                    self.turns[job_id] = offset
            case ResetRecord(job=job_id):
                self._drop((job_id,))
            case JobsAddedRecord(jobs=jobs):
                self._drop(job.id for job in jobs)
            case JobsRemovedRecord(ids=ids):
                self._drop(ids)
            case _:
                pass

    def _drop(self, ids: Iterable[JobId]) -> None:
        for job_id in ids:
            self.files.pop(job_id, None)
            self.turns.pop(job_id, None)

    def unfinished(self, jobs: Mapping[JobId, Job]) -> dict[JobId, FileProgress]:
        """The progress that a resume may use: not of jobs that are completed or gone."""
        return {
            job_id: progress
            for job_id, progress in self.files.items()
            if job_id in jobs and not isinstance(jobs[job_id].state, Completed)
        }


def interrupt(job: Job, progress: FileProgress | None) -> Job:
    """The job as it is after its fwtui ended: a running one waits again and keeps its progress."""
    if not isinstance(job.state, Pending | Processing):
        return job
    state = Pending(progress.seconds if progress else 0.0)
    return job if job.state == state else replace(job, state=state)


def drop_after_gaps(source: "LineSource", progress: ProgressIndex) -> None:
    """Of a damaged journal, keep the windows of each file up to the first that is missing.

    Raises StorageError.
    """
    for file in progress.files.values():
        count, good = 0, 0
        for window in _read(source, file.windows, WindowRecord):
            result = window.result
            if result.state.segments - len(result.segments) != count:
                break
            count, good = result.state.segments, good + 1
            file.seconds = result.seconds
        if not good:
            file.seconds = 0.0
        del file.windows[good:]


_Record = TypeVar("_Record", bound=Record)


class LineSource(Protocol):
    """A journal whose lines can be read by offset. Raises StorageError."""

    def lines(self, offsets: Iterable[int]) -> Iterator[bytes]:
        """The lines at these offsets, in this order."""


class JournalLines:
    """The lines of a journal that is not open."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self, offsets: Iterable[int]) -> Iterator[bytes]:
        """The lines at these offsets, in this order. Raises StorageError."""
        try:
            with open_regular(self._path) as file:
                for offset in offsets:
                    file.seek(offset)
                    yield file.readline()
        except OSError as error:
            raise storage_error(error, self._path, "read") from error


def resume_of(source: LineSource, progress: FileProgress) -> ResumePoint:
    """Where a file resumes. Raises StorageError."""
    (plan,) = _read(source, (progress.plan,), PlanRecord)
    if not progress.windows:
        return ResumePoint(plan.plan)
    (last,) = _read(source, progress.windows[-1:], WindowRecord)
    return ResumePoint(plan.plan, last.result.state, last.result.seconds)


def segments_of(source: LineSource, progress: FileProgress) -> tuple[Segment, ...]:
    """The segments of a file so far. Raises StorageError."""
    return segments_at(source, progress.windows)


def segments_at(source: LineSource, offsets: Iterable[int]) -> tuple[Segment, ...]:
    """The segments of the windows at these offsets. Raises StorageError."""
    windows = _read(source, offsets, WindowRecord)
    return tuple(segment for window in windows for segment in window.result.segments)


def skipped_windows_of(source: LineSource, progress: FileProgress) -> tuple[float, ...]:
    """Where windows of a file were skipped, in seconds. Raises StorageError."""
    found = []
    begin = 0.0
    for window in _read(source, progress.windows, WindowRecord):
        if window.result.skipped:
            found.append(begin)
        begin = window.result.seconds
    return tuple(found)


def has_transcribed(source: LineSource, progress: FileProgress) -> bool:
    """Whether the model has transcribed any window of a file. Raises StorageError."""
    windows = _read(source, progress.windows, WindowRecord)
    return any(not window.result.skipped and not window.result.silent for window in windows)


def spoken_of(source: LineSource, progress: FileProgress) -> tuple[Spoken, ...]:
    """The languages detected in a file. Raises StorageError."""
    windows = _read(source, progress.windows, WindowRecord)
    return tuple(spoken for window in windows for spoken in window.result.spoken)


def findings_of(source: LineSource, progress: FileProgress) -> tuple[Finding, ...]:
    """What the engine marked in a file. Raises StorageError."""
    windows = _read(source, progress.windows, WindowRecord)
    return tuple(finding for window in windows for finding in window.result.findings)


def groups_at(source: LineSource, offsets: Iterable[int]) -> tuple[SpeakerGroup, ...]:
    """The voices in the records at these offsets. Raises StorageError."""
    return tuple(record.group for record in _read(source, offsets, SpeakerGroupRecord))


def turns_at(source: LineSource, offset: int) -> SpeakerTurns:
    """Who speaks when in a file. Raises StorageError."""
    (record,) = _read(source, (offset,), TurnsRecord)
    return record.speakers


_OfFile = PlanRecord | WindowRecord | SpeakerGroupRecord


def records_of(source: LineSource, progress: FileProgress) -> tuple[_OfFile, ...]:
    """All that the journal has about a file, up to the first record that is damaged."""
    found: list[_OfFile] = []
    for line in source.lines((progress.plan, *progress.windows, *progress.groups)):
        record = record_of(line)
        if not isinstance(record, _OfFile):
            break
        found.append(record)
    return tuple(found)


def _read(source: LineSource, offsets: Iterable[int], kind: type[_Record]) -> Iterator[_Record]:
    for line in source.lines(offsets):
        record = record_of(line)
        if not isinstance(record, kind):
            raise StorageError(
                "A journal was damaged while it was in use",
                "Check the disk, then resume the session again.",
            )
        yield record


def session_of(content: SessionContent, progress: ProgressIndex, source: LineSource) -> Session:
    """The session as the rest of the program sees it. Raises StorageError."""
    jobs = content.view.jobs
    unfinished = progress.unfinished(jobs)
    return Session(
        content.session_id,
        content.created_at,
        content.view.settings,
        tuple(jobs.values()),
        tuple(content.temps),
        {job_id: resume_of(source, found) for job_id, found in unfinished.items()},
        dict(content.extra),
        content.folders,
    )
