"""An open session: every change is durable on the disk before the call returns."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from fwtui.core.events import (
    DurableChange,
    JobChanged,
    JobsAdded,
    JobsRemoved,
    SegmentsReset,
    SettingsChanged,
)
from fwtui.core.finding import Finding
from fwtui.core.job import Completed, Job, JobId
from fwtui.core.paths import path_to_text
from fwtui.core.segment import Segment
from fwtui.core.session import (
    ASKED,
    NOT_STARTED,
    FilePlan,
    ResumePoint,
    Session,
    Spoken,
    WindowResult,
    asked_in,
)
from fwtui.core.settings import Settings
from fwtui.core.view import BatchView
from fwtui.core.voices import SpeakerGroup, SpeakerTurns
from fwtui.core.watched_folder import WatchedFolder
from fwtui.disk.files import (
    FILES,
    PRIVATE_FILE,
    FileSystem,
    ensure_folder,
    is_folder,
    is_present,
    own_error,
    write_atomic,
)
from fwtui.disk.lock import SessionLock
from fwtui.errors import SessionInUseError, StorageError
from fwtui.sessions import journal as records
from fwtui.sessions import replay
from fwtui.sessions.compaction import JournalRewrite, install_generation, write_generation
from fwtui.sessions.delete import DeletedFiles, adopted_original, erase, keep_copy, remove_scratch
from fwtui.sessions.journal import JournalFile, JournalHeader
from fwtui.sessions.load import Loaded, load, stamp_of
from fwtui.sessions.replay import FileProgress, ProgressIndex, SessionContent
from fwtui.sessions.session_files import ID_FORMAT, SessionFiles, local_time
from fwtui.sessions.settings_codec import settings_to
from fwtui.sessions.snapshot import encode_snapshot

# Records that the session file does not depend on, but for a hint at the progress.
_INSIDE_FILES = (
    records.PlanRecord
    | records.WindowRecord
    | records.SpeakerGroupRecord
    | records.TurnsRecord
    | records.ResetRecord
)

_OF_SPEAKERS = records.SpeakerGroupRecord | records.TurnsRecord

# Keys of the session file.
MOUNTS = "output_mounts"
FOLDERS = "output_folders"


# Windows of a file whose segments are kept in memory, about two hours; and read at once.
_WINDOWS_IN_MEMORY, _WINDOWS_AT_ONCE = 256, 64


class SessionStore:
    """A session, open and locked. Thread-safe; every method is durable when it returns.

    All methods raise StorageError (DiskFullError when there is no room); the session is then
    what it was before the call. `problems` are those found when it was opened.
    """

    def __init__(self, paths: SessionFiles, lock: SessionLock, files: FileSystem) -> None:
        """Use `create` or `open`."""
        self._guard = threading.RLock()
        self._paths = paths
        self._lock = lock
        self._files = files
        self._generation = -1
        self._progress = ProgressIndex()
        self._removed: dict[JobId, FileProgress] = {}
        self._removed_turns: dict[JobId, int] = {}
        self._content = SessionContent(paths.session_id, datetime.min, BatchView())
        self._journal: JournalFile | None = None
        self._behind = False
        self._version = 1  # of the journal
        self._is_snapshot_old = False
        self._closed = False
        self.problems: tuple[str, ...] = ()
        self._notices: list[str] = []

    @classmethod
    def create(
        cls,
        directory: Path,
        settings: Settings,
        now: datetime,
        *,
        seen: tuple[Sequence[str], Sequence[str]] = ((), ()),
        asked: Sequence[str] = (),
        started: bool = True,
        files: FileSystem = FILES,
    ) -> "SessionStore":
        """A new session with an id made from `now`; `seen` as for `remember_folders`.

        `asked`: what is to be searched for files, as in `Session`. `started`: whether it starts at
        once, or when `remember_started` is called.
        """
        now = local_time(now)
        content = SessionContent(f"{now:{ID_FORMAT}}", now, BatchView(settings=settings))
        content.extra = _with_folders({ASKED: list(asked)} if asked else {}, *seen)
        if not started:
            content.extra[NOT_STARTED] = True
        return cls.create_from(directory, content, files=files)

    @classmethod
    def create_from(
        cls, directory: Path, content: SessionContent, *, files: FileSystem = FILES
    ) -> "SessionStore":
        """A new session with this content; its id gets a suffix when it is in use."""
        try:
            ensure_folder(directory, files)
        except OSError as error:
            raise own_error(error, directory, "create") from error
        paths, lock = cls._reserve_id(directory, content.session_id, files)
        content.session_id = paths.session_id
        store = cls(paths, lock, files)
        store._content = content
        store._start()
        return store

    @staticmethod
    def _reserve_id(
        directory: Path, wanted: str, files: FileSystem
    ) -> tuple[SessionFiles, SessionLock]:
        for number in itertools.count(1):
            suffix = f"_{number}" if number > 1 else ""
            paths = SessionFiles(directory, wanted + suffix)
            # A journal alone is a leftover of a deleted session: its records must not become ours.
            if paths.exists() or paths.has_journal():
                continue
            with contextlib.suppress(SessionInUseError):
                lock = SessionLock.acquire(paths.lock, files)
                # Only the holder of the lock creates the file, but it may just have done so.
                if not paths.exists():
                    return paths, lock
                lock.release()
        raise AssertionError("unreachable")

    @classmethod
    def open(
        cls,
        directory: Path,
        session_id: str,
        *,
        loaded: Loaded | None = None,
        files: FileSystem = FILES,
    ) -> "SessionStore":
        """Lock, load and compact a session; what was running waits again.

        `loaded` is what was read of it before: it is not read again if it has not changed since.
        Raises SessionInUseError, SessionTooNewError, UnreadableError or StorageError.
        """
        paths = SessionFiles(directory, session_id)
        if not paths.exists():
            raise StorageError(f"There is no session {session_id}")
        store = cls(paths, SessionLock.acquire(paths.lock, files), files)
        try:
            if loaded is None or loaded.stamp != stamp_of(paths):
                loaded = load(paths)
            store._begin_with(loaded)
        except BaseException:
            store._end()
            raise
        store._start()
        return store

    def _begin_with(self, loaded: Loaded) -> None:
        loaded.interrupt()
        self._content = loaded.content
        self._generation = loaded.generation
        self._progress = loaded.progress
        problems = list(loaded.problems)
        damaged = [self._paths.snapshot] if loaded.snapshot_damaged else []
        if loaded.journal.damage is records.Damage.CORRUPT:
            damaged.append(self._paths.journal)
        for path in damaged:
            copy = keep_copy(path, self._paths, self._files)
            problems.append(f"A copy of the damaged {path.name} is {copy}")
        _, left = remove_scratch(self._content.temps, self._files, self._content.inputs)
        self._content.temps = dict.fromkeys(left)
        self.problems = tuple(problems)
        if loaded.journal.header is not None or loaded.progress.files:
            # Of a damaged one, lines behind the damage are read too: it is compacted before it is
            # appended to.
            self._journal = JournalFile(self._paths.journal, loaded.journal.end, self._files)

    def _start(self) -> None:
        """Compact for the first time, which creates the journal to append to."""
        try:
            self.compact()
        except BaseException:
            self._end(remove=self._generation <= 0)
            raise

    @property
    def session_id(self) -> str:
        """The session's id, which is the stem of its files."""
        return self._paths.session_id

    @property
    def created_at(self) -> datetime:
        """Local time without a zone."""
        return self._content.created_at

    @property
    def directory(self) -> Path:
        """The folder of the session's files."""
        return self._paths.directory

    @property
    def owner(self) -> str:
        """A name of the session that is unique across machines, for `write_atomic`."""
        return f"{socket.gethostname()}:{self.directory / self.session_id}"

    @property
    def view(self) -> BatchView:
        """The jobs and settings. Only `commit`, or who applies what it appends, changes them."""
        return self._content.view

    @property
    def session(self) -> Session:
        """The session as it is now; after closing, as it was, without resume points.

        Takes time proportional to the number of jobs.
        """
        with self._guard:
            if self._journal is None:
                source = replay.JournalLines(self._paths.journal)
                return replay.session_of(self._content, ProgressIndex(), source)
            return replay.session_of(self._content, self._progress, self._open_journal())

    def commit(self, *changes: DurableChange) -> None:
        """Append changes and apply them to `view`."""
        with self._guard:
            self.append(changes)
            for change in changes:
                self.apply(change)

    def append(self, changes: Sequence[DurableChange]) -> None:
        """Write changes of the batch at once; then the caller has to `apply` each of them.

        After a crash meanwhile some of them may be there, from the first on.
        """
        with self._guard:
            news = [record for change in changes for record in self._records_of(change)]
            files = _removed_from(self._progress.files, changes)
            turns = _removed_from(self._progress.turns, changes)
            if news:
                self._write(*news)
            self._removed |= files
            self._removed_turns |= turns

    def apply(self, change: DurableChange) -> None:
        """Apply a change that was appended."""
        self._content.apply_change(change)

    def _records_of(self, change: DurableChange) -> Iterator[records.AnyRecord]:
        match change:
            case SettingsChanged(settings=settings):
                plain = settings_to(settings, self._content.settings_extra)
                yield records.SettingsRecord(plain)
            case SegmentsReset(id=job_id):
                if job_id in self._progress.files or job_id in self._progress.turns:
                    yield records.record_of_change(change)
            case JobsAdded(jobs=jobs):
                self._check_new(jobs)
                if jobs:
                    yield records.record_of_change(change)
            case JobChanged(job=job):
                self._check(job.id)
                yield records.record_of_change(change)
            case _:
                yield records.record_of_change(change)

    def _check_new(self, jobs: Sequence[Job]) -> None:
        ids = {job.id for job in jobs}
        if len(ids) < len(jobs) or any(job_id in self.view.jobs for job_id in ids):
            raise StorageError(f"Session {self.session_id} already has a job with this ID")

    def restore_progress(self, jobs: Iterable[Job]) -> None:
        """Restore the progress inside files of jobs that were removed and added again.

        It is lost if the session was compacted in between. The text of completed files is read
        from their outputs.
        """
        with self._guard:
            for job in jobs:
                progress = self._removed.pop(job.id, None)
                if progress is not None and not isinstance(job.state, Completed):
                    for record in replay.records_of(self._open_journal(), progress):
                        self._write(record)
                turns = self._removed_turns.pop(job.id, None)
                if turns is not None:  # last: a file that begins has none
                    found = replay.turns_at(self._open_journal(), turns)
                    self._write(records.TurnsRecord(job.id, found))

    @property
    def folders(self) -> tuple[WatchedFolder, ...]:
        """The watched folders of the session."""
        return self._content.folders

    def set_folders(self, folders: tuple[WatchedFolder, ...]) -> None:
        """Change the watched folders, in a new snapshot."""
        with self._guard:
            before, self._content.folders = self._content.folders, folders
            try:
                self.compact()
            except BaseException:
                self._content.folders = before
                raise

    @property
    def asked(self) -> tuple[str, ...]:
        """What is still to be searched for files."""
        return asked_in(self._content.extra)

    def remember_asked(self, asked: Sequence[str]) -> None:
        """Record, in a new session file, what is still to be searched for files."""
        with self._guard:
            self._content.extra[ASKED] = list(asked)
            self._is_snapshot_old = True
            self.save_snapshot()

    def forget_asked(self) -> None:
        """The search has ended, and its files are in the queue; durable with the next snapshot.

        Until then it would be repeated, which finds only files that are in the queue.
        """
        with self._guard:
            if self._content.extra.pop(ASKED, None) is not None:
                self._is_snapshot_old = True

    def remember_started(self) -> None:
        """Record, in a new session file, that the queue is started; the first time only."""
        with self._guard:
            if self._content.extra.pop(NOT_STARTED, None) is not None:
                self._is_snapshot_old = True
                try:
                    self.save_snapshot()
                except BaseException:
                    self._content.extra[NOT_STARTED] = True
                    raise

    @property
    def mounts(self) -> tuple[str, ...]:
        """The mount points, as `path_to_text`, of the drives that outputs are on."""
        return _texts(self._content.extra.get(MOUNTS))

    @property
    def folders_seen(self) -> tuple[str, ...]:
        """The output folders, as `path_to_text`, that were there."""
        return _texts(self._content.extra.get(FOLDERS))

    def remember_folders(self, folders: Sequence[str], mounts: Sequence[str]) -> None:
        """Remember output folders and mount points, in a new snapshot if any of them is new."""
        with self._guard:
            extra = _with_folders(self._content.extra, folders, mounts)
            if extra == self._content.extra:
                return
            before, self._content.extra = self._content.extra, extra
            try:
                self.compact()
            except BaseException:
                self._content.extra = before
                raise

    def begin_file(self, job_id: JobId, plan: FilePlan) -> None:
        """Record that a file starts from its beginning; earlier windows of it no longer count."""
        with self._guard:
            self._check(job_id)
            self._write(records.PlanRecord(job_id, plan))

    def add_window(self, job_id: JobId, result: WindowResult) -> None:
        """Record a finished window of a file that was begun."""
        with self._guard:
            self._check(job_id)
            if job_id not in self._progress.files:
                raise StorageError(f"File {job_id} of session {self.session_id} was not begun")
            self._write(records.WindowRecord(job_id, result))

    def add_group(self, job_id: JobId, group: SpeakerGroup) -> None:
        """Record voices heard in a file that was begun."""
        with self._guard:
            self._check(job_id)
            if job_id not in self._progress.files:
                raise StorageError(f"File {job_id} of session {self.session_id} was not begun")
            self._write(records.SpeakerGroupRecord(job_id, group))

    def set_speakers(self, job_id: JobId, speakers: SpeakerTurns) -> None:
        """Record who speaks when in a file; kept when it is completed."""
        with self._guard:
            self._check(job_id)
            self._write(records.TurnsRecord(job_id, speakers))

    def add_temp(self, path: Path) -> None:
        """Record a scratch file before it is created."""
        with self._guard:
            self._write_scratch(records.ScratchAddedRecord(path_to_text(path)))

    def drop_temp(self, path: Path) -> None:
        """Record that a scratch file was deleted."""
        with self._guard:
            if path_to_text(path) in self._content.temps:
                self._write_scratch(records.ScratchRemovedRecord(path_to_text(path)))

    def _write_scratch(self, record: records.AnyRecord) -> None:
        self._write(record)
        self._content.apply(record)

    def resume_point(self, job_id: JobId) -> ResumePoint | None:
        """Where the file resumes; None if it has no progress."""
        with self._guard:
            progress = self._progress.files.get(job_id)
            return replay.resume_of(self._open_journal(), progress) if progress else None

    def done_seconds(self, job_id: JobId) -> float:
        """How far the file is, also one that was removed; reads nothing from the disk."""
        with self._guard:
            progress = self._progress.files.get(job_id) or self._removed.get(job_id)
            return progress.seconds if progress else 0.0

    def segments(self, job_id: JobId) -> tuple[Segment, ...]:
        """The segments so far; those of completed files are kept until the next compaction."""
        with self._guard:
            progress = self._progress.files.get(job_id)
            return replay.segments_of(self._open_journal(), progress) if progress else ()

    def stored_segments(self, job_id: JobId) -> Iterable[Segment]:
        """The segments so far; those of a long file are read anew each time they are iterated."""
        with self._guard:
            progress = self._progress.files.get(job_id)
            if progress is None or len(progress.windows) <= _WINDOWS_IN_MEMORY:
                return self.segments(job_id)
            return StoredSegments(self, job_id)

    def windows(self, job_id: JobId, first: int, count: int) -> tuple[Segment, ...] | None:
        """The segments of `count` windows from the `first` on; None behind the last."""
        with self._guard:
            progress = self._progress.files.get(job_id)
            if progress is None or first >= len(progress.windows):
                return None
            offsets = progress.windows[first : first + count]
            return replay.segments_at(self._open_journal(), offsets)

    def skipped_windows(self, job_id: JobId) -> tuple[float, ...]:
        """Where windows were skipped, in seconds of the file; kept as long as `segments`."""
        with self._guard:
            progress = self._progress.files.get(job_id)
            return replay.skipped_windows_of(self._open_journal(), progress) if progress else ()

    def has_transcribed(self, job_id: JobId) -> bool:
        """Whether the model has transcribed any window of the file; kept as long as `segments`."""
        with self._guard:
            progress = self._progress.files.get(job_id)
            return progress is not None and replay.has_transcribed(self._open_journal(), progress)

    def spoken(self, job_id: JobId) -> tuple[Spoken, ...]:
        """The languages detected in the file; kept as long as `segments`."""
        with self._guard:
            progress = self._progress.files.get(job_id)
            return replay.spoken_of(self._open_journal(), progress) if progress else ()

    def findings(self, job_id: JobId) -> tuple[Finding, ...]:
        """What the engine marked in the file; kept as long as `segments`."""
        with self._guard:
            progress = self._progress.files.get(job_id)
            return replay.findings_of(self._open_journal(), progress) if progress else ()

    def groups(self, job_id: JobId, first: int, count: int) -> tuple[SpeakerGroup, ...]:
        """Groups of voices heard in an unfinished file, from the `first` on, at most `count`."""
        with self._guard:
            progress = self._progress.files.get(job_id)
            if progress is None:
                return ()
            offsets = progress.groups[first : first + count]
            return replay.groups_at(self._open_journal(), offsets)

    def speakers(self, job_id: JobId) -> SpeakerTurns | None:
        """Who speaks when in a file, completed or not; None if it was not found out."""
        with self._guard:
            offset = self._progress.turns.get(job_id)
            return None if offset is None else replay.turns_at(self._open_journal(), offset)

    def language(self, job_id: JobId) -> str | None:
        """The language of a file that was begun."""
        with self._guard:
            progress = self._progress.files.get(job_id)
            if progress is not None:
                return progress.language
            job = self.view.jobs.get(job_id)
            if job is not None and isinstance(job.state, Completed):
                return job.state.language or None
            return None

    def compact(self, *, speakers: bool = False) -> None:
        """Rewrite the snapshot; keep only the progress of unfinished files in the journal.

        `speakers`: records of speakers will follow, which earlier versions cannot read.
        """
        with self._guard:
            self._not_closed()
            unfinished = self._progress.unfinished(self.view.jobs)
            settings = settings_to(self.view.settings, self._content.settings_extra)
            jobs = self.view.jobs
            turns = {i: at for i, at in self._progress.turns.items() if i in jobs}
            has_speakers = bool(turns) or any(file.groups for file in unfinished.values())
            version = records.FORMAT if has_speakers or speakers else 1
            header = JournalHeader(self.session_id, self._generation + 1, version)
            rewrite = JournalRewrite(
                header, self._journal, unfinished, turns, records.SettingsRecord(settings)
            )
            prepared = write_generation(self._paths, self._content, rewrite, self._files)
            # Until the end of this block the journal may be behind the snapshot on the disk.
            self._behind, self._generation = True, header.generation
            journal = install_generation(self._paths, prepared, self._journal, self._files)
            self._close_journal()
            self._removed.clear()
            self._removed_turns.clear()
            self._journal, self._progress = journal, rewrite.index
            self._version = version
            self._behind = self._is_snapshot_old = False
            self.problems += tuple(rewrite.problems)

    @property
    def is_snapshot_old(self) -> bool:
        """Whether queue or settings have changed since the session file was written."""
        return self._is_snapshot_old

    def save_snapshot(self) -> None:
        """Write a new session file, if the present one is old; the journal stays as it is.

        So the session file alone has all files and their states, for people, backups, and in case
        that the journal is lost. Takes time proportional to the number of jobs.
        """
        with self._guard:
            self._not_closed()
            if self._behind:
                self.compact()
            elif self._is_snapshot_old:
                end = self._open_journal().length
                pieces = encode_snapshot(
                    self._content, self._generation, self._progress.files, lambda: end
                )
                write_atomic(self._paths.snapshot, pieces, PRIVATE_FILE, files=self._files)
                self._is_snapshot_old = False

    def close(self) -> None:
        """Save, close and unlock the session; delete it if it has no jobs and folders. Idempotent.

        A session file that cannot be written stays as it was: everything is in the journal.
        """
        with self._guard:
            if not self._closed and self._content.is_empty:
                self._erase(None)
            elif not self._closed:
                with contextlib.suppress(StorageError):
                    self.save_snapshot()
            self._end()

    def delete(self) -> DeletedFiles:
        """Delete the session with its scratch files, and close it.

        The session of the earlier program that it was made from is deleted as well.
        """
        with self._guard:
            self._not_closed()
            return self._erase(adopted_original(self._content.extra))

    def _erase(self, original: Path | None) -> DeletedFiles:
        self._close_journal()
        removed = None
        try:
            content = self._content
            removed = erase(
                self._paths, self._lock, content.temps, self._files, original, content.inputs
            )
        finally:
            self._end(remove=removed is not None)
        return removed

    def _end(self, *, remove: bool = False) -> None:
        self._closed = True
        self._close_journal()
        self._lock.release(remove=remove)

    def _close_journal(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _open_journal(self) -> JournalFile:
        if self._journal is None:
            raise StorageError(f"Session {self.session_id} is closed")
        return self._journal

    def _not_closed(self) -> None:
        if self._closed:
            raise StorageError(f"Session {self.session_id} is closed")

    def _check(self, job_id: JobId) -> None:
        if job_id not in self.view.jobs:
            raise StorageError(f"Session {self.session_id} has no job {job_id}")

    def look_after_files(self) -> None:
        """Write the session's files again if somebody has deleted or replaced them.

        Between two changes: no change may be appended and not yet applied.
        """
        with self._guard:
            if self._closed or self._journal is None or self._are_there():
                return
            try:
                if not self._journal.is_on_device_of(_nearest_folder(self.directory)):
                    return  # its drive was disconnected: the next write fails, and waits for it
                ensure_folder(self.directory, self._files)
            except OSError as error:
                raise own_error(error, self.directory, "create") from error
            if not self._lock.is_at_its_place():
                lock = SessionLock.acquire(self._paths.lock, self._files)
                self._lock.release()
                self._lock = lock
            self.compact()
            self._notices.append(
                f"The files of session {self.session_id} were deleted from {self.directory} while "
                "it was in use. They have been written again; nothing is lost. Something cleans up "
                "that folder: exclude it there, or set FWTUI_STATE_DIR to another one."
            )

    def _are_there(self) -> bool:
        try:
            return self._open_journal().is_at_its_place() and is_present(self._paths.snapshot)
        except OSError:
            return True  # the next write says what is wrong

    def take_notices(self) -> tuple[str, ...]:
        """What has happened to the session's files since the last call, for people."""
        with self._guard:
            taken, self._notices = tuple(self._notices), []
            return taken

    def _write(self, *news: records.AnyRecord) -> None:
        self._not_closed()
        self.look_after_files()
        speakers = any(isinstance(record, _OF_SPEAKERS) for record in news)
        if self._behind or (speakers and self._version < records.FORMAT):
            self.compact(speakers=speakers)
        offsets = self._open_journal().append(news)
        for record, offset in zip(news, offsets, strict=True):
            self._progress.apply(record, offset)
        self._is_snapshot_old |= any(not isinstance(record, _INSIDE_FILES) for record in news)


_T = TypeVar("_T")


def _removed_from(known: Mapping[JobId, _T], changes: Iterable[DurableChange]) -> dict[JobId, _T]:
    """What is known of the jobs that the changes remove."""
    removals = (change.ids for change in changes if isinstance(change, JobsRemoved))
    return {i: known[i] for i in itertools.chain.from_iterable(removals) if i in known}


def _nearest_folder(path: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    while not is_folder(path) and path != path.parent:
        path = path.parent
    return path


def _with_folders(
    extra: dict[str, Any], folders: Sequence[str], mounts: Sequence[str]
) -> dict[str, Any]:
    """The keys of a session file with these output folders and mount points added."""
    added = dict(extra)
    for key, texts in ((FOLDERS, folders), (MOUNTS, mounts)):
        if known := tuple(dict.fromkeys((*_texts(extra.get(key)), *texts))):
            added[key] = list(known)
    return added


def _texts(value: object) -> tuple[str, ...]:
    """The texts in a list of the session file, which anybody may have edited."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


class StoredSegments:
    """The segments of a file, read from the journal a few windows at a time."""

    def __init__(self, store: SessionStore, job_id: JobId) -> None:
        self._store = store
        self._job_id = job_id

    def __iter__(self) -> Iterator[Segment]:
        first = 0
        while (segments := self._store.windows(self._job_id, first, _WINDOWS_AT_ONCE)) is not None:
            yield from segments
            first += _WINDOWS_AT_ONCE
