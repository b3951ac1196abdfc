"""Reads a session from the disk: its snapshot, then its journal."""

import mmap
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.disk.files import open_regular, own_error
from fwtui.errors import SessionTooNewError, StorageError
from fwtui.sessions.journal import (
    FORMAT,
    Damage,
    JobChangedRecord,
    JobsAddedRecord,
    JournalHeader,
    Replayed,
    Scan,
    SettingsRecord,
    scan,
)
from fwtui.sessions.replay import (
    JournalLines,
    ProgressIndex,
    SessionContent,
    drop_after_gaps,
    interrupt,
)
from fwtui.sessions.session_files import SessionFiles
from fwtui.sessions.snapshot import (
    Snapshot,
    UnreadableError,
    decode_snapshot,
    is_unchanged,
    salvaged_snapshot,
)

LARGEST_SNAPSHOT = 1 << 29  # bytes; a hundred thousand files need 40 MB

_NO_JOURNAL = Scan(None, 0, Damage.NONE)
_OWN_PAGES = 2**20  # bytes
# A reader without the lock may see a snapshot and the journal of the next compaction.
_TRIES = 3


# Identity, length and time of the last change of the snapshot and of the journal.
Stamp = tuple[tuple[int, int, int] | None, ...]


def stamp_of(paths: SessionFiles) -> Stamp:
    """What is different after any change of the session; raises StorageError."""
    return tuple(_stat(path) for path in (paths.snapshot, paths.journal))


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise own_error(error, path, "read") from error
    return found.st_ino, found.st_size, found.st_mtime_ns


class Loaded(msgspec.Struct, frozen=True):
    """A session as it is on the disk, and the state of its journal.

    `problems`: what is damaged, as sentences; it counts as far as it can be read.
    `snapshot_damaged`: its file is not what was written.
    """

    content: SessionContent
    progress: ProgressIndex
    generation: int
    journal: Scan
    is_legacy: bool
    stamp: Stamp
    problems: tuple[str, ...] = ()
    snapshot_damaged: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be lost with the session: it is intact, and there is nothing."""
        return self.content.is_empty and not self.problems

    def interrupt(self) -> None:
        """Let running jobs wait again: no process works on them now."""
        view, files = self.content.view, self.progress.files
        for job in tuple(view.jobs.values()):
            waiting = interrupt(job, files.get(job.id))
            if waiting is not job:
                view.put(waiting)


def load(paths: SessionFiles) -> Loaded:
    """Read a session, with or without a journal.

    Of a damaged snapshot and a damaged journal, what is intact counts. Raises UnreadableError if
    that is nothing, SessionTooNewError, StorageError.
    """
    for _ in range(_TRIES):
        stamp = stamp_of(paths)
        snapshot = read_snapshot(paths)
        loaded = _replay(snapshot, paths, stamp)
        header = loaded.journal.header
        if header is None or header.generation <= snapshot.generation:
            break
    return loaded


def read_snapshot(paths: SessionFiles) -> Snapshot:
    """Read the session file alone, as far as it can be read.

    Raises SessionTooNewError, or StorageError, also for settings that this version refuses.
    """
    path = paths.snapshot
    try:
        modified = datetime.fromtimestamp(path.stat().st_mtime)
        data = _content(path)
    except FileNotFoundError as error:
        raise StorageError(f"There is no session {paths.session_id}") from error
    except OSError as error:
        raise own_error(error, path, "read") from error
    unchanged = is_unchanged(data)
    try:
        snapshot = decode_snapshot(data, paths.session_id, modified)
    except UnreadableError as error:
        return _salvaged(data, paths, modified, str(error.__cause__ or ""))
    except StorageError:  # newer, or with settings or folders that this version refuses
        if unchanged is not False:
            raise
        return _salvaged(data, paths, modified, "")
    if unchanged is not False:
        return snapshot
    if snapshot.is_legacy:
        return _salvaged(data, paths, modified, "")
    problem = f"its file {path} was changed or damaged: check its files and settings"
    return msgspec.structs.replace(snapshot, problem=problem)


def _salvaged(
    data: bytes | memoryview, paths: SessionFiles, modified: datetime, reason: str
) -> Snapshot:
    snapshot = salvaged_snapshot(data, paths.session_id, modified)
    if snapshot.content.is_empty:
        detail = f" ({reason})" if reason else ""
        problem = f"its session file is damaged{detail}; what is in its journal is used"
        return msgspec.structs.replace(snapshot, problem=problem)
    return snapshot


def _content(path: Path) -> bytes | memoryview:
    """The file's bytes, in pages that return to the system when they are freed.

    Tens of MB for a long queue, which the C library would not return.
    """
    with open_regular(path, LARGEST_SNAPSHOT) as file:
        size = os.fstat(file.fileno()).st_size
        if size < _OWN_PAGES:
            return file.read()
        pages = memoryview(mmap.mmap(-1, size))
        read = 0
        while read < size and (more := file.readinto(pages[read:])):
            read += more
        return pages[:read]


class _Replay:
    """Adds the records of a journal to a snapshot. Implements `journal.Reader`."""

    def __init__(self, snapshot: Snapshot, paths: SessionFiles) -> None:
        self.snapshot = snapshot
        self.paths = paths
        self.progress = ProgressIndex()
        self.has_settings = snapshot.has_settings
        self.synced = self._applies_from = snapshot.journal_end
        self._may_miss_jobs = False

    def accepts(self, header: JournalHeader) -> bool:
        if header.version > FORMAT:
            raise SessionTooNewError(
                f"Session {self.paths.session_id} was written by a newer fwtui",
                "Resume it with that one.",
            )
        snapshot = self.snapshot
        if header.session_id not in {snapshot.written_id, self.paths.session_id}:
            return bool(snapshot.problem) and not snapshot.written_id
        if not snapshot.problem and header.generation < snapshot.generation:
            # Its changes are in the snapshot already; its progress still counts.
            self._applies_from, self.synced = sys.maxsize, 0
        elif not snapshot.problem and header.generation > snapshot.generation:
            # An old snapshot was put back: it may lack jobs.
            self._applies_from, self.synced, self._may_miss_jobs = 0, 0, True
        return True

    def apply(self, record: Replayed, offset: int) -> None:
        self.progress.apply(record, offset)
        content = self.snapshot.content
        if offset < self._applies_from:
            return
        if isinstance(record, SettingsRecord):
            try:
                content.apply(record)
            except StorageError:
                if not self.snapshot.problem:
                    raise
                return
            self.has_settings = True
        elif (
            isinstance(record, JobChangedRecord)
            and self._may_miss_jobs
            and record.job.id not in content.view.jobs
        ):
            content.apply(JobsAddedRecord((record.job,)))
        else:
            content.apply(record)

    def gap(self) -> None:
        self.progress.seal()


def _replay(snapshot: Snapshot, paths: SessionFiles, stamp: Stamp) -> Loaded:
    replay = _Replay(snapshot, paths)
    try:
        found = scan(paths.journal, replay)
    except FileNotFoundError:
        found = None
    except OSError as error:
        raise own_error(error, paths.journal, "read") from error
    content, progress = snapshot.content, replay.progress
    if not replay.has_settings or (snapshot.problem and content.is_empty):
        raise UnreadableError(f"Session {paths.session_id} cannot be read: {snapshot.problem}")
    progress.files = progress.unfinished(content.view.jobs)
    if found is not None and found.damage is Damage.CORRUPT:
        drop_after_gaps(JournalLines(paths.journal), progress)
    loaded = Loaded(
        content,
        progress,
        max(snapshot.generation, found.header.generation if found and found.header else 0),
        found or _NO_JOURNAL,
        snapshot.is_legacy,
        stamp,
        tuple(_problems(snapshot, paths, found)),
        snapshot_damaged=bool(snapshot.problem),
    )
    if loaded.problems and content.is_empty:
        raise UnreadableError(loaded.problems[0])
    return loaded


def _problems(snapshot: Snapshot, paths: SessionFiles, found: Scan | None) -> Iterator[str]:
    session = f"Session {paths.session_id}"
    if snapshot.problem:
        yield f"{session}: {snapshot.problem}"
    if found is None:
        if snapshot.journal_end and snapshot.content.view.counts.unfinished:
            yield f"{session} has no journal: its unfinished files start from their beginning"
    elif found.is_stranger:
        yield f"{session}: its journal belongs to another session, and is not used"
    elif found.damage is Damage.CORRUPT:
        yield f"{session}: its journal is damaged, and counts as far as it can be read"
    elif found.header and found.header.generation > snapshot.generation and not snapshot.problem:
        yield f"{session}: its file is older than its journal; check its files before you resume it"
