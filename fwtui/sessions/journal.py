"""Format of the journal: its records, lines, and the open file.

A line is `["<crc32 of the record, 8 hex digits>",{record}]`. A record is a tagged struct; times
are seconds. Reading never raises: it stops at the first line that is not intact.
"""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec.structs import astuple

from fwtui.core.events import (
    DurableChange,
    JobChanged,
    JobsAdded,
    JobsRemoved,
    JobsReordered,
    SegmentsReset,
)
from fwtui.core.job import Job, JobId
from fwtui.core.session import FilePlan, WindowResult, WindowState
from fwtui.core.voices import SpeakerGroup, SpeakerTurns
from fwtui.disk.codec import UNREADABLE, encode_checked, framed, unframed
from fwtui.disk.files import APPEND, FileSystem, open_regular, storage_error, write_all

FORMAT = 2
"""The highest version that can be read. The first had no speakers; without any, it is written."""


class Record(msgspec.Struct, frozen=True):
    """Base of all records. Their tags and fields are the format on disk: never change them."""


class JournalHeader(Record, frozen=True, tag="header"):
    """First line: the session of the journal, and the generation of its snapshot."""

    session_id: str
    generation: int
    version: int = 1


class JobsAddedRecord(Record, frozen=True, tag="added"):
    """New jobs at the end of the queue."""

    jobs: tuple[Job, ...]


class JobChangedRecord(Record, frozen=True, tag="job"):
    """A job as it is now."""

    job: Job


class JobsRemovedRecord(Record, frozen=True, tag="removed"):
    """Jobs removed from the queue, with their progress."""

    ids: tuple[JobId, ...]


class JobsReorderedRecord(Record, frozen=True, tag="order"):
    """The new order of the whole queue."""

    order: tuple[JobId, ...]


class SettingsRecord(Record, frozen=True, tag="settings"):
    """New settings, as plain data: other versions may know other keys."""

    settings: dict[str, Any]


class PlanRecord(Record, frozen=True, tag="begun"):
    """A file starts from its beginning; earlier windows of it no longer count."""

    job: JobId
    plan: FilePlan


class WindowRecord(Record, frozen=True, tag="window"):
    """A finished window of a file."""

    job: JobId
    result: WindowResult


class SpeakerGroupRecord(Record, frozen=True, tag="voices"):
    """Voices heard in some windows of a file."""

    job: JobId
    group: SpeakerGroup


class TurnsRecord(Record, frozen=True, tag="turns"):
    """Who speaks when in a file. Kept when the file is completed."""

    job: JobId
    speakers: SpeakerTurns


class ResetRecord(Record, frozen=True, tag="forgotten"):
    """The progress inside a file no longer counts."""

    job: JobId


class ScratchAddedRecord(Record, frozen=True, tag="temp"):
    """A scratch file is about to be created."""

    path: str


class ScratchRemovedRecord(Record, frozen=True, tag="temp_gone"):
    """A scratch file is deleted."""

    path: str


class ResultMark(msgspec.Struct, frozen=True):
    """A `WindowResult` without its segments."""

    state: WindowState
    seconds: float


class WindowMark(Record, frozen=True, tag="window"):
    """A `WindowRecord` without its segments: all that a replay needs."""

    job: JobId
    result: ResultMark


class GroupMark(msgspec.Struct, frozen=True):
    """A `SpeakerGroup` without its voices."""

    index: int


class SpeakerGroupMark(Record, frozen=True, tag="voices"):
    """A `SpeakerGroupRecord` without its voices: all that a replay needs."""

    job: JobId
    group: GroupMark


class TurnsMark(Record, frozen=True, tag="turns"):
    """A `TurnsRecord` without its turns: all that a replay needs."""

    job: JobId


_Plain = (
    JournalHeader
    | JobsAddedRecord
    | JobChangedRecord
    | JobsRemovedRecord
    | JobsReorderedRecord
    | SettingsRecord
    | PlanRecord
    | ResetRecord
    | ScratchAddedRecord
    | ScratchRemovedRecord
)
AnyRecord = _Plain | WindowRecord | SpeakerGroupRecord | TurnsRecord
Replayed = _Plain | WindowMark | SpeakerGroupMark | TurnsMark

# The changes of a batch that a session remembers, with their records; the fields correspond by
# position. Settings are not among them: their record is plain data.
_RECORDS: dict[type[DurableChange], type[AnyRecord]] = {
    JobsAdded: JobsAddedRecord,
    JobsRemoved: JobsRemovedRecord,
    JobsReordered: JobsReorderedRecord,
    JobChanged: JobChangedRecord,
    SegmentsReset: ResetRecord,
}
_CHANGES: dict[type, type[DurableChange]] = {record: change for change, record in _RECORDS.items()}

_records: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)
_replayed: msgspec.json.Decoder[Replayed] = msgspec.json.Decoder(Replayed)


class Damage(StrEnum):
    """Damage of a journal."""

    NONE = "none"
    TORN = "torn"  # the last line is incomplete: a write that was never acknowledged
    CORRUPT = "corrupt"  # anything else, caused outside fwtui


class Scan(msgspec.Struct, frozen=True):
    """Result of reading a journal. `end` is the length in bytes of its intact beginning.

    `is_stranger`: it belongs to another session, and nothing of it counts.
    """

    header: JournalHeader | None
    end: int
    damage: Damage
    is_stranger: bool = False


def record_of_change(change: DurableChange) -> AnyRecord:
    """The record of a change, settings excepted."""
    return _RECORDS[type(change)](*astuple(change))


def change_of_record(record: Replayed | AnyRecord) -> DurableChange | None:
    """The change that a record stands for; None if it is not one of jobs."""
    kind = _CHANGES.get(type(record))
    return None if kind is None else kind(*astuple(record))


def encode_line(record: AnyRecord) -> bytes:
    """The record's line, with the stems of its jobs set in any case."""
    match record:
        case JobsAddedRecord(jobs=jobs):
            record = JobsAddedRecord(tuple(job.with_explicit_stem for job in jobs))
        case JobChangedRecord(job=job):
            record = JobChangedRecord(job.with_explicit_stem)
        case _:
            pass
    return framed(encode_checked(record, _records))


def record_of(line: bytes) -> AnyRecord | None:
    """The record of a line, or None if the line is not intact."""
    record: AnyRecord | None = _decode(line, _records)
    return record


def mark_of(line: bytes) -> Replayed | None:
    """As `record_of`, but without segments."""
    record: Replayed | None = _decode(line, _replayed)
    return record


def _decode(line: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    body = unframed(line)
    if body is None:
        return None
    try:
        return decoder.decode(body)
    except UNREADABLE:
        return None


# A longer line cannot be one of ours: the largest are orders of a hundred thousand files (1 MB).
LONGEST_LINE = 1 << 24


class Reader(Protocol):
    """What is told the records of a journal.

    `synced`: the first bytes of the journal that were on the disk when the snapshot was written.
    """

    synced: int

    def accepts(self, header: JournalHeader) -> bool:
        """Whether the journal belongs to the session; otherwise reading ends."""

    def apply(self, record: Replayed, offset: int) -> None:
        """Apply the record of the line at `offset`."""

    def gap(self) -> None:
        """Lines before the next record were damaged and are not known."""


def scan(path: Path, reader: Reader) -> Scan:
    """Read the journal.

    A damaged line in its synced part is a gap, and reading continues after it. Behind that, it may
    be a write that was cut off, and nothing after it counts. Raises OSError; a journal that is not
    there is FileNotFoundError.
    """
    header: JournalHeader | None = None
    offset = 0
    first_damage: int | None = None
    begins_anew = False  # a line begins where the synced part ends
    with open_regular(path) as file:
        while line := file.readline(LONGEST_LINE):
            begins_anew |= offset == reader.synced
            record = mark_of(line)
            is_first = offset == 0
            if isinstance(record, JournalHeader) and is_first:
                if not reader.accepts(record):
                    return Scan(record, 0, Damage.CORRUPT, is_stranger=True)
                header = record
            elif record is not None and not isinstance(record, JournalHeader) and not is_first:
                reader.apply(record, offset)
            elif offset < reader.synced:
                first_damage = offset if first_damage is None else first_damage
                reader.gap()
            else:
                torn = header is not None and first_damage is None and not file.read(1)
                first_damage = offset if first_damage is None else first_damage
                return Scan(header, first_damage, Damage.TORN if torn else Damage.CORRUPT)
            offset += len(line)
    is_whole = begins_anew or reader.synced in {0, offset}
    if first_damage is None and header is not None and is_whole:
        return Scan(header, offset, Damage.NONE)
    return Scan(header, offset if first_damage is None else first_damage, Damage.CORRUPT)


class JournalFile:
    """A journal open for appending. Not thread-safe: the store has the lock."""

    def __init__(self, path: Path, length: int, files: FileSystem) -> None:
        """Open a journal whose first `length` bytes are intact; the rest will be cut off.

        Raises StorageError.
        """
        self._path = path
        self._length = length
        self._files = files
        self._descriptor: int | None = None
        try:
            self._torn = os.fstat(self._open()).st_size != length
            self._device = path.parent.stat().st_dev  # an overlay gives its files another one
        except OSError as error:
            raise storage_error(error, path, "open") from error

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = self._files.open(self._path, APPEND)
        return self._descriptor

    @property
    def length(self) -> int:
        """Bytes of intact records."""
        return self._length

    def append(self, records: Sequence[AnyRecord]) -> list[int]:
        """Append records; see `append_lines`."""
        return self.append_lines([encode_line(record) for record in records])

    def append_lines(self, lines: Sequence[bytes]) -> list[int]:
        """Write the lines at once and wait until they are on the disk; returns their offsets.

        If that fails, the file is cut back to what it was: now, or before the next append. After
        a crash meanwhile, some of them may be there, from the first on.
        Raises DiskFullError or StorageError.
        """
        try:
            self._cut()
            self._torn = True
            write_all(self._files, self._open(), b"".join(lines))
            self._files.fsync(self._open())
        except OSError as error:
            self._cut_if_possible()
            raise storage_error(error, self._path, "write", sum(map(len, lines))) from error
        self._torn = False
        *offsets, self._length = accumulate(map(len, lines), initial=self._length)
        return offsets

    def _cut(self) -> None:
        if self._torn:
            self._files.truncate(self._open(), self._length)
            self._files.fsync(self._open())
            self._torn = False

    def _cut_if_possible(self) -> None:
        try:
            self._cut()
        except OSError:
            self._torn = True

    def lines(self, offsets: Iterable[int]) -> Iterator[bytes]:
        """The lines at these offsets. Raises StorageError."""
        try:
            # Through our descriptor, not the path: after a failed compaction they can differ.
            with os.fdopen(os.dup(self._open()), "rb") as file:
                for offset in offsets:
                    file.seek(offset)
                    yield file.readline()
        except OSError as error:
            raise storage_error(error, self._path, "read") from error

    def is_at_its_place(self) -> bool:
        """Whether the file still has its name: not deleted, and not replaced by another one."""
        try:
            return os.path.samestat(os.fstat(self._open()), self._path.stat())
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # the next write says what is wrong

    def is_on_device_of(self, folder: Path) -> bool:
        """Whether the folder is on the file's disk, and not where that was mounted."""
        return self._device == folder.stat().st_dev

    def allow_replacement(self) -> None:
        """Allow another file to be renamed to this one's name."""
        # POSIX allows it always, and the records stay readable through the descriptor.
        if sys.platform == "win32":
            self.close()

    def close(self) -> None:
        """Close the file; all records are on the disk already."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with contextlib.suppress(OSError):
            self._files.close(descriptor)
