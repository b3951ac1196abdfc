"""All stored sessions: ours, and those of the earlier desktop program."""

import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fwtui.core.disk_errors import DiskErrorKind, kind_of
from fwtui.core.events import JobChanged, SettingsChanged
from fwtui.core.job import JobId
from fwtui.core.segment import Segment
from fwtui.core.session import Session
from fwtui.disk.files import FILES, FileSystem, folder_error, read_regular, storage_error
from fwtui.disk.lock import Holder, SessionLock, holder_of, was_deleting
from fwtui.errors import StorageError
from fwtui.sessions.delete import (
    ADOPTED_FROM,
    LEGACY_FOLDER,
    DeletedFiles,
    adopted_original,
    erase,
    erase_legacy,
    is_scratch,
    move_away,
)
from fwtui.sessions.load import Loaded, load
from fwtui.sessions.remap import remap_session
from fwtui.sessions.replay import (
    JournalLines,
    ProgressIndex,
    SessionContent,
    segments_of,
    session_of,
)
from fwtui.sessions.session_files import SessionFiles
from fwtui.sessions.snapshot import UnreadableError, decode_snapshot
from fwtui.sessions.store import SessionStore

# Everybody can write to the temporary folder: a file there must not be read without limit.
_LARGEST_LEGACY = 64 << 20
# An empty session has settings and watched folders only. Longer ones need not be read to see that
# they are not empty.
_LARGEST_EMPTY = 1 << 20


class StoredSession(msgspec.Struct, frozen=True):
    """A session on the disk. `legacy_file` is its file if the earlier program wrote it.

    `in_use`: the process that holds it; such a session can only be inspected. `modified` is local
    time. `loaded` is its content as it was read, so that opening it need not read it again.
    `problems`: what of it is damaged, as sentences. `hidden`: the user does not want it offered.
    """

    session: Session
    in_use: Holder | None
    modified: datetime
    legacy_file: Path | None = None
    loaded: Loaded | None = None
    problems: tuple[str, ...] = ()
    hidden: bool = False

    @property
    def is_offered(self) -> bool:
        """Whether a start offers it: work that was interrupted, or folders to watch."""
        waits = self.session.never_started and not self.session.folders
        return self.is_unfinished and not self.hidden and not waits

    @property
    def is_unfinished(self) -> bool:
        """Whether a resume has anything to do, if only to report that all is done.

        One that is done and still there, and that nobody holds, was never reported.
        """
        unreported = self.in_use is None and self.legacy_file is None and bool(self.session.jobs)
        return unreported or self.session.is_incomplete

    @property
    def without_files(self) -> "StoredSession":
        """The session without its files, which use much memory; opening it reads them again."""
        return replace(self, session=replace(self.session, jobs=(), resumable={}), loaded=None)


class SessionList(msgspec.Struct, frozen=True):
    """Sessions, the last changed first, and the problems with others."""

    sessions: tuple[StoredSession, ...] = ()
    problems: tuple[str, ...] = ()


def list_sessions(
    directory: Path, *, temp: Path | None = None, files: FileSystem = FILES
) -> SessionList:
    """All sessions in `directory`, and those of the earlier program in the temporary folder `temp`.

    Nothing is deleted. Ours of which nothing can be read are moved to the quarantine; of others
    that are damaged, what can be read is listed. Empty ones that are not in use are not listed.
    Never raises because of the content of a file; raises StorageError if `directory` cannot be
    listed.
    """
    found: list[StoredSession] = []
    problems: list[str] = []
    for path in _files_of(directory, ".json"):
        try:
            found += _own(SessionFiles(directory, path.stem), files)
        except StorageError as error:
            problems.append(_text_of(error))
    problems += (problem for stored in found for problem in stored.problems)
    problems += _lone_journals(directory)
    legacy: list[Path] = []
    adopted = {stored.session.extra.get(ADOPTED_FROM) for stored in found}
    with contextlib.suppress(StorageError):
        legacy = _files_of((temp or Path(tempfile.gettempdir())) / LEGACY_FOLDER, ".json")
    for path in legacy:
        try:
            if str(path) not in adopted:
                found.append(_legacy(path))
        except StorageError as error:
            problems.append(_text_of(error))
    found.sort(key=lambda stored: (stored.modified, stored.session.session_id), reverse=True)
    return SessionList(tuple(found), tuple(problems))


def _text_of(error: StorageError) -> str:
    return f"{error.title}. {error.hint}" if error.hint else error.title


def _files_of(directory: Path, suffix: str) -> list[Path]:
    """The files with this suffix in a folder, which need not exist. Raises StorageError."""
    try:
        return sorted(path for path in directory.iterdir() if path.suffix == suffix)
    except OSError as error:
        if kind_of(error) is DiskErrorKind.MISSING:
            return []
        raise folder_error(error, directory) from error


def _lone_journals(directory: Path) -> Iterator[str]:
    for path in _files_of(directory, ".journal"):
        lock = path.with_suffix(".lock")
        alone = not os.path.lexists(path.with_suffix(".json"))
        if alone and not (was_deleting(lock) or _holder_or_none(lock)):
            yield (
                f"The journal {path} has no session file ({path.stem}.json). "
                "Put that file back to resume the session, or delete the journal"
            )


def _holder_or_none(lock: Path) -> Holder | None:
    try:
        return holder_of(lock)
    except StorageError:
        return None


def _own(paths: SessionFiles, files: FileSystem) -> Iterator[StoredSession]:
    holder = holder_of(paths.lock)
    try:
        stored = _read(paths, holder)
    except UnreadableError as error:
        if holder is not None:
            raise
        raise _quarantined(paths, error, files) from error
    session = stored.session
    if session.jobs or session.folders or session.asked or holder is not None:
        yield stored


def _read(paths: SessionFiles, holder: Holder | None) -> StoredSession:
    loaded = load(paths)
    if holder is None:
        loaded.interrupt()
    try:
        session = session_of(loaded.content, loaded.progress, JournalLines(paths.journal))
    except StorageError:
        # Its holder compacted it in the meantime.
        session = session_of(loaded.content, ProgressIndex(), JournalLines(paths.journal))
    times = [_modified(path) for path in (paths.snapshot, paths.journal)]
    if holder is not None:  # it is being changed, so what looks like damage need not be any
        return StoredSession(session, holder, max(times))
    return StoredSession(session, None, max(times), loaded=loaded, problems=loaded.problems)


def _modified(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime)
    except OSError:
        return datetime.min


def _quarantined(paths: SessionFiles, error: StorageError, files: FileSystem) -> StorageError:
    try:
        lock = SessionLock.acquire(paths.lock, files)
    except StorageError as reason:
        return UnreadableError(error.title, reason.title)
    try:
        target = move_away(paths, files)
    except StorageError as reason:
        return UnreadableError(error.title, reason.title)
    finally:
        lock.release(remove=True)
    return UnreadableError(error.title, f"It was moved to {target}")


def remove_empty(directory: Path, *, files: FileSystem = FILES) -> None:
    """Delete sessions in which there is nothing, as processes leave that are killed early.

    Only intact ones that nobody holds; never raises because of the content of a file.
    """
    found: list[Path] = []
    with contextlib.suppress(StorageError):
        found = _files_of(directory, ".json")
    for path in found:
        with contextlib.suppress(StorageError, OSError):
            paths = SessionFiles(directory, path.stem)
            if path.lstat().st_size <= _LARGEST_EMPTY and load(paths).is_empty:
                _remove_empty(paths, files)


def _remove_empty(paths: SessionFiles, files: FileSystem) -> None:
    lock = SessionLock.acquire(paths.lock, files)
    empty = False
    try:
        loaded = load(paths)
        empty = loaded.is_empty
        if empty:
            erase(paths, lock, loaded.content.temps, files)
    finally:
        lock.release(remove=empty)


def _legacy(path: Path) -> StoredSession:
    content = _read_legacy(path)
    session = session_of(content, ProgressIndex(), JournalLines(path))
    return StoredSession(session, None, _modified(path), path)


def _read_legacy(path: Path) -> SessionContent:
    """The content of a session of the earlier program. Raises StorageError."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST_LEGACY:
            raise UnreadableError(f"{path} is not a session file")
        if sys.platform != "win32" and found.st_uid != os.getuid():
            raise UnreadableError(f"{path} belongs to another user")
        data = read_regular(path, _LARGEST_LEGACY)
    except OSError as error:
        raise storage_error(error, path, "read") from error
    modified = datetime.fromtimestamp(found.st_mtime)
    content = decode_snapshot(data, path.stem, modified).content
    # Scratch files of the earlier program are in the temporary folder itself.
    here = path.parent.parent
    content.temps = {
        t: None for t in content.temps if Path(t).parent == here and is_scratch(Path(t))
    }
    return content


def stored_segments(directory: Path, session_id: str, job_id: JobId) -> tuple[Segment, ...]:
    """The segments so far of an unfinished file, without opening the session.

    Raises StorageError, also if the session's holder compacted it in the meantime.
    """
    paths = SessionFiles(directory, session_id)
    progress = load(paths).progress.files.get(job_id)
    return segments_of(JournalLines(paths.journal), progress) if progress else ()


def adopt(
    stored: StoredSession,
    directory: Path,
    *,
    maps: Mapping[str, str] = {},
    files: FileSystem = FILES,
) -> SessionStore:
    """Open a listed session for work; one of the earlier program is imported first.

    Paths become those of this machine by `maps`, see `remap`. The file of the earlier program
    stays until our session is deleted. Raises as `SessionStore.open`.
    """
    store = _open(stored, directory, files)
    try:
        _map(store, maps)
    except BaseException:
        store.close()
        raise
    return store


def _map(store: SessionStore, maps: Mapping[str, str]) -> None:
    session = store.session
    here = remap_session(session, maps)
    pairs = zip(here.jobs, session.jobs, strict=True)
    store.commit(*(JobChanged(job) for job, before in pairs if job != before))
    if here.settings != session.settings:
        store.commit(SettingsChanged(here.settings))


def _open(stored: StoredSession, directory: Path, files: FileSystem) -> SessionStore:
    if stored.legacy_file is None:
        session_id = stored.session.session_id
        return SessionStore.open(directory, session_id, loaded=stored.loaded, files=files)
    content = _read_legacy(stored.legacy_file)
    content.session_id = f"{content.created_at:%Y%m%d_%H%M%S}"
    content.extra[ADOPTED_FROM] = str(stored.legacy_file)
    return SessionStore.create_from(directory, content, files=files)


def discard(directory: Path, session_id: str, *, files: FileSystem = FILES) -> DeletedFiles:
    """Delete one of our sessions with its scratch files.

    Raises SessionInUseError, StorageError.
    """
    paths = SessionFiles(directory, session_id)
    if not paths.exists():
        raise StorageError(f"There is no session {session_id}")
    lock = SessionLock.acquire(paths.lock, files)
    removed = None
    try:
        content = load(paths).content
        removed = erase(
            paths, lock, content.temps, files, adopted_original(content.extra), content.inputs
        )
    finally:
        lock.release(remove=removed is not None)
    return removed


def discard_stored(
    stored: StoredSession, directory: Path, *, files: FileSystem = FILES
) -> DeletedFiles:
    """Delete a listed session, ours or the earlier program's. Raises as `discard`."""
    if stored.legacy_file is None:
        return discard(directory, stored.session.session_id, files=files)
    return erase_legacy(stored.legacy_file, stored.session.temp_files, files)
