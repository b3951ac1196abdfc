"""Plans, windows and whole sessions out of a journal, by offset."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from fwtui.core.job import JobId
from fwtui.core.segment import Segment
from fwtui.core.session import Resume, Session, Spoken
from fwtui.errors import StorageError
from fwtui.sessions.journal import Begun, Record, Window, record_of
from fwtui.sessions.replay import Progress, ProgressBook, Roster
from fwtui.storage.faults import storage_error

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
