"""Reads a session from the disk: its snapshot, then its journal."""

import mmap
import os
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.disk.files import storage_error
from fwtui.errors import SessionTooNewError, StorageError
from fwtui.sessions.journal import FORMAT, Damage, JournalHeader, Replayed, Scan, scan
from fwtui.sessions.replay import ProgressIndex, SessionContent, interrupt
from fwtui.sessions.session_files import SessionFiles
from fwtui.sessions.snapshot import Snapshot, decode_snapshot

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
        raise storage_error(error, path, "read") from error
    return found.st_ino, found.st_size, found.st_mtime_ns


class Loaded(msgspec.Struct, frozen=True):
    """A session as it is on the disk, and the state of its journal."""

    content: SessionContent
    progress: ProgressIndex
    generation: int
    journal: Scan
    is_legacy: bool
    stamp: Stamp

    def interrupt(self) -> None:
        """Let running jobs wait again: no process works on them now."""
        view, files = self.content.view, self.progress.files
        for job in tuple(view.jobs.values()):
            waiting = interrupt(job, files.get(job.id))
            if waiting is not job:
                view.put(waiting)


def load(paths: SessionFiles) -> Loaded:
    """Read a session, with or without a journal.

    A damaged journal counts as far as it is intact. Raises UnreadableError for a broken snapshot,
    SessionTooNewError, StorageError.
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
    """Read the session file alone. Raises as `load`."""
    path = paths.snapshot
    try:
        modified = datetime.fromtimestamp(path.stat().st_mtime)
        data = _content(path)
    except FileNotFoundError as error:
        raise StorageError(f"There is no session {paths.session_id}") from error
    except OSError as error:
        raise storage_error(error, path, "read") from error
    return decode_snapshot(data, paths.session_id, modified)


def _content(path: Path) -> bytes | memoryview:
    """The file's bytes, in pages that return to the system when they are freed.

    Tens of MB for a long queue, which the C library would not return.
    """
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size < _OWN_PAGES:
            return file.read()
        pages = memoryview(mmap.mmap(-1, size))
        read = 0
        while read < size and (more := file.readinto(pages[read:])):
            read += more
        return pages[:read]


def _replay(snapshot: Snapshot, paths: SessionFiles, stamp: Stamp) -> Loaded:
    progress = ProgressIndex()

    def apply(header: JournalHeader, record: Replayed, offset: int) -> None:
        _check(header, paths)
        progress.apply(record, offset)
        # An older journal's records are in the snapshot already, except for the progress.
        if header.generation >= snapshot.generation:
            snapshot.content.apply(record)

    try:
        found = scan(paths.journal, apply)
    except FileNotFoundError:
        found = _NO_JOURNAL
    except OSError as error:
        raise storage_error(error, paths.journal, "read") from error
    if found.header is not None:
        _check(found.header, paths)
    progress.files = progress.unfinished(snapshot.content.view.jobs)
    return Loaded(snapshot.content, progress, snapshot.generation, found, snapshot.is_legacy, stamp)


def _check(header: JournalHeader, paths: SessionFiles) -> None:
    if header.version > FORMAT:
        raise SessionTooNewError(
            f"Session {paths.session_id} was written by a newer fwtui", "Resume it with that one."
        )
