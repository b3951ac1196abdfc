"""One open session: everything it is told is on the disk before the call returns."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.core.job import Completed, Job, JobId
from fwtui.core.paths import path_to_text
from fwtui.core.segment import Segment
from fwtui.core.session import FilePlan, Resume, Session, Spoken, WindowResult
from fwtui.core.settings import Settings
from fwtui.core.watched_folder import WatchedFolder
from fwtui.disk.files import (
    FILES,
    PRIVATE_FILE,
    FileSystem,
    ensure_folder,
    remove_quietly,
    storage_error,
    write_temp,
)
from fwtui.disk.lock import SessionLock
from fwtui.errors import SessionInUseError, StorageError
from fwtui.sessions import journal as records
from fwtui.sessions import replay
from fwtui.sessions.delete import Discarded, adopted_original, erase, keep_copy, remove_scratch
from fwtui.sessions.journal import Header, JournalFile, encode_line, mark_of
from fwtui.sessions.load import Loaded, load
from fwtui.sessions.paths import ID_FORMAT, SessionFiles, local_time
from fwtui.sessions.replay import Progress, ProgressBook, Roster
from fwtui.sessions.settings_codec import settings_to
from fwtui.sessions.snapshot import encode_snapshot


class Rewrite:
    """The journal of a new generation while it is written: its lines, and where they will be."""

    def __init__(
        self, header: Header, old: JournalFile | None, progress: dict[JobId, Progress]
    ) -> None:
        self._header = header
        self._old = old
        self._progress = progress
        self.book = ProgressBook()
        self.length = 0
        self.problems: list[str] = []

    @property
    def generation(self) -> int:
        """The new generation."""
        return self._header.generation

    def lines(self) -> Iterator[bytes]:
        """The new journal, line by line."""
        yield self._add(encode_line(self._header))
        if self._old is not None:
            for job_id, progress in self._progress.items():
                yield from self._copy(self._old, job_id, progress)

    def _copy(self, old: JournalFile, job_id: JobId, progress: Progress) -> Iterator[bytes]:
        for line in old.lines((progress.plan, *progress.windows)):
            record = mark_of(line)
            if record is None:
                self.problems.append(
                    f"The journal of session {self._header.session_id} was damaged on the disk; "
                    f"file {job_id} goes on from its last readable window"
                )
                return
            self.book.apply(record, self.length)
            yield self._add(line)

    def _add(self, line: bytes) -> bytes:
        self.length += len(line)
        return line


class Prepared(msgspec.Struct, frozen=True):
    """The new files of a session, on the disk but not yet in place."""

    snapshot: Path
    journal: Path
    length: int


def prepare(paths: SessionFiles, roster: Roster, rewrite: Rewrite, files: FileSystem) -> Prepared:
    """Write the new files. Raises StorageError; nothing has changed then."""
    journal = write_temp(paths.journal, rewrite.lines(), PRIVATE_FILE, files=files)
    chunks = encode_snapshot(roster, rewrite.generation, rewrite.book.files)
    try:
        snapshot = write_temp(paths.snapshot, chunks, PRIVATE_FILE, files=files)
    except BaseException:
        remove_quietly(journal, files)
        raise
    return Prepared(snapshot, journal, rewrite.length)


def commit(
    paths: SessionFiles, prepared: Prepared, old: JournalFile | None, files: FileSystem
) -> JournalFile:
    """Put the new files in place; returns the open journal.

    Raises StorageError; the old journal may be behind the snapshot then, and nothing may be
    appended to it any more until a compaction succeeds.
    """
    try:
        files.replace(prepared.snapshot, paths.snapshot)
        files.sync_folder(paths.directory)
        if old is not None:
            old.let_go_of_name()
        files.replace(prepared.journal, paths.journal)
        files.sync_folder(paths.directory)
    except OSError as error:
        remove_quietly(prepared.snapshot, files)
        remove_quietly(prepared.journal, files)
        raise storage_error(error, paths.snapshot, "write") from error
    return JournalFile(paths.journal, prepared.length, files)


class SessionStore:
    """A session, open and locked. Thread-safe; every method is durable when it returns.

    All methods raise StorageError (DiskFullError when there is no room); the session is then
    what it was before the call. `problems` says what was wrong with it when it was opened.
    """

    def __init__(self, paths: SessionFiles, lock: SessionLock, files: FileSystem) -> None:
        """Use `create` or `open`."""
        self._guard = threading.RLock()
        self._paths = paths
        self._lock = lock
        self._files = files
        self._generation = -1
        self._book = ProgressBook()
        self._gone: dict[JobId, Progress] = {}
        self._roster = Roster(paths.session_id, datetime.min, Settings())
        self._journal: JournalFile | None = None
        self._behind = False
        self._closed = False
        self.problems: tuple[str, ...] = ()

    @classmethod
    def create(
        cls, directory: Path, settings: Settings, now: datetime, *, files: FileSystem = FILES
    ) -> "SessionStore":
        """A new session, its id made from `now`."""
        now = local_time(now)
        return cls.found(directory, Roster(f"{now:{ID_FORMAT}}", now, settings), files=files)

    @classmethod
    def found(cls, directory: Path, roster: Roster, *, files: FileSystem = FILES) -> "SessionStore":
        """A new session with this content; its id gets a suffix when it is taken."""
        try:
            ensure_folder(directory, files)
        except OSError as error:
            raise storage_error(error, directory, "create") from error
        paths, lock = cls._claim(directory, roster.session_id, files)
        roster.session_id = paths.session_id
        store = cls(paths, lock, files)
        store._roster = roster
        store._start()
        return store

    @staticmethod
    def _claim(directory: Path, wanted: str, files: FileSystem) -> tuple[SessionFiles, SessionLock]:
        for number in itertools.count(1):
            suffix = f"_{number}" if number > 1 else ""
            paths = SessionFiles(directory, wanted + suffix)
            # A journal alone is left of a deleted session: its records must not become ours.
            if paths.snapshot.exists() or paths.journal.exists():
                continue
            with contextlib.suppress(SessionInUseError):
                lock = SessionLock.acquire(paths.lock, files)
                # Only the holder of the lock creates the file, but it may just have done so.
                if not paths.snapshot.exists():
                    return paths, lock
                lock.release()
        raise AssertionError("unreachable")

    @classmethod
    def open(cls, directory: Path, session_id: str, *, files: FileSystem = FILES) -> "SessionStore":
        """Lock, load and compact a session; what was running waits again.

        Raises SessionInUseError, SessionTooNewError, UnreadableError or StorageError.
        """
        paths = SessionFiles(directory, session_id)
        if not paths.snapshot.exists():
            raise StorageError(f"There is no session {session_id}")
        store = cls(paths, SessionLock.acquire(paths.lock, files), files)
        try:
            store._take(load(paths))
        except BaseException:
            store._end()
            raise
        store._start()
        return store

    def _take(self, loaded: Loaded) -> None:
        self._roster = loaded.roster
        self._roster.jobs = loaded.interrupted()
        self._generation = loaded.generation
        self._book = loaded.book
        problems = []
        if loaded.journal.damage is records.Damage.CORRUPT:
            copy = keep_copy(self._paths.journal, self._paths, self._files)
            problems.append(
                f"The journal of session {self.session_id} is damaged. What comes before the "
                f"damage counts; a copy of all of it is {copy}"
            )
        _, left = remove_scratch(self._roster.temps, self._files)
        self._roster.temps = dict.fromkeys(left)
        self.problems = tuple(problems)
        if loaded.journal.header is not None:
            self._journal = JournalFile(self._paths.journal, loaded.journal.end, self._files)

    def _start(self) -> None:
        """Compact for the first time; without that there is no journal to append to."""
        try:
            self.compact()
        except BaseException:
            self._end(remove=self._generation <= 0)
            raise

    @property
    def session_id(self) -> str:
        """The session's id, also the name of its files."""
        return self._paths.session_id

    @property
    def created_at(self) -> datetime:
        """Local time without a zone."""
        return self._roster.created_at

    @property
    def directory(self) -> Path:
        """The folder of the session's files."""
        return self._paths.directory

    @property
    def owner(self) -> str:
        """The session's name among all sessions on all machines, for `write_atomic`."""
        return f"{socket.gethostname()}:{self.directory / self.session_id}"

    @property
    def session(self) -> Session:
        """Everything as it is now; after closing, as it was, without resume points.

        Cost grows with the number of jobs.
        """
        with self._guard:
            if self._journal is None:
                return replay.assemble(
                    self._roster, ProgressBook(), replay.JournalLines(self._paths.journal)
                )
            return replay.assemble(self._roster, self._book, self._open_journal())

    def job(self, job_id: JobId) -> Job:
        """One job as it is now."""
        with self._guard:
            self._check(job_id)
            return self._roster.jobs[job_id]

    def add_jobs(self, jobs: Iterable[Job]) -> None:
        """Put new jobs at the end of the queue."""
        new = tuple(jobs)
        with self._guard:
            ids = {job.id for job in new}
            if len(ids) < len(new) or any(job_id in self._roster.jobs for job_id in ids):
                raise StorageError(f"Session {self.session_id} has a job with such an id already")
            if new:
                self._write(records.JobsAdded(new))

    def set_job(self, job: Job) -> None:
        """Replace a job by its newer self."""
        with self._guard:
            self._check(job.id)
            self._write(records.JobSet(job))

    def set_jobs(self, jobs: Iterable[Job], forgotten: Iterable[JobId] = ()) -> None:
        """Replace many jobs in one write; the progress of the `forgotten` counts no more.

        A crash meanwhile can leave some of them as they were: the last ones.
        """
        new = tuple(jobs)
        with self._guard:
            for job in new:
                self._check(job.id)
            gone = [records.Forgotten(one) for one in forgotten if one in self._book.files]
            if new or gone:
                self._write(*gone, *(records.JobSet(job) for job in new))

    def remove_jobs(self, ids: Iterable[JobId]) -> None:
        """Take jobs out, with their progress."""
        with self._guard:
            gone = tuple(job_id for job_id in ids if job_id in self._roster.jobs)
            if gone:
                progress = {i: self._book.files[i] for i in gone if i in self._book.files}
                self._write(records.JobsRemoved(gone))
                self._gone |= progress

    def bring_back(self, jobs: Iterable[Job]) -> None:
        """Put removed jobs, perhaps with another state or stem, at the end of the queue.

        What was done inside of unfinished files counts again, unless the session was compacted
        meanwhile. The words of completed ones are read from their outputs.
        """
        back = tuple(jobs)
        with self._guard:
            self.add_jobs(back)
            for job in back:
                progress = self._gone.pop(job.id, None)
                if progress is not None and not isinstance(job.state, Completed):
                    for record in replay.records_of(self._open_journal(), progress):
                        self._write(record)

    def reorder(self, order: Iterable[JobId]) -> None:
        """Put the queue into this order; jobs that it does not name come last."""
        with self._guard:
            self._write(records.Reordered(tuple(order)))

    def set_settings(self, settings: Settings) -> None:
        """Remember other settings."""
        with self._guard:
            plain = settings_to(settings, self._roster.settings_extra)
            self._write(records.SettingsSet(plain))

    @property
    def folders(self) -> tuple[WatchedFolder, ...]:
        """The folders that are watched for this session."""
        return self._roster.folders

    def set_folders(self, folders: tuple[WatchedFolder, ...]) -> None:
        """Remember other folders, in a new snapshot."""
        with self._guard:
            before, self._roster.folders = self._roster.folders, folders
            try:
                self.compact()
            except BaseException:
                self._roster.folders = before
                raise

    def begin_file(self, job_id: JobId, plan: FilePlan) -> None:
        """The file starts at its beginning: earlier windows of it do not count any more."""
        with self._guard:
            self._check(job_id)
            self._write(records.Begun(job_id, plan))

    def add_window(self, job_id: JobId, result: WindowResult) -> None:
        """Keep a finished window of a file that was begun."""
        with self._guard:
            self._check(job_id)
            if job_id not in self._book.files:
                raise StorageError(f"File {job_id} of session {self.session_id} was not begun")
            self._write(records.Window(job_id, result))

    def add_temp(self, path: Path) -> None:
        """Remember a scratch file, before it is created."""
        with self._guard:
            self._write(records.TempAdded(path_to_text(path)))

    def drop_temp(self, path: Path) -> None:
        """Forget a scratch file that is deleted."""
        with self._guard:
            if path_to_text(path) in self._roster.temps:
                self._write(records.TempDropped(path_to_text(path)))

    def resume_point(self, job_id: JobId) -> Resume | None:
        """Where the file goes on; None if it has no progress."""
        with self._guard:
            progress = self._book.files.get(job_id)
            return replay.resume_of(self._open_journal(), progress) if progress else None

    def done_seconds(self, job_id: JobId) -> float:
        """How far the file is; costs no look at the disk."""
        with self._guard:
            progress = self._book.files.get(job_id)
            return progress.seconds if progress else 0.0

    def segments(self, job_id: JobId) -> tuple[Segment, ...]:
        """The segments found so far; of completed files there until the next compaction."""
        with self._guard:
            progress = self._book.files.get(job_id)
            return replay.segments_of(self._open_journal(), progress) if progress else ()

    def left_out(self, job_id: JobId) -> tuple[float, ...]:
        """Where windows were left out, in seconds of the file; there as long as `segments`."""
        with self._guard:
            progress = self._book.files.get(job_id)
            return replay.left_out_of(self._open_journal(), progress) if progress else ()

    def spoken(self, job_id: JobId) -> tuple[Spoken, ...]:
        """The languages heard in the file; there as long as `segments`."""
        with self._guard:
            progress = self._book.files.get(job_id)
            return replay.spoken_of(self._open_journal(), progress) if progress else ()

    def language(self, job_id: JobId) -> str | None:
        """The language of a file that was begun."""
        with self._guard:
            progress = self._book.files.get(job_id)
            if progress is not None:
                return progress.language
            job = self._roster.jobs.get(job_id)
            if job is not None and isinstance(job.state, Completed):
                return job.state.language or None
            return None

    def compact(self) -> None:
        """Rewrite the snapshot, and leave only the progress of unfinished files in the journal."""
        with self._guard:
            self._not_closed()
            header = records.Header(self.session_id, self._generation + 1)
            rewrite = Rewrite(header, self._journal, self._book.unfinished(self._roster.jobs))
            prepared = prepare(self._paths, self._roster, rewrite, self._files)
            # From here on until all is done, the journal may be behind the snapshot on the disk.
            self._behind, self._generation = True, header.generation
            journal = commit(self._paths, prepared, self._journal, self._files)
            self._close_journal()
            self._gone.clear()
            self._journal, self._book = journal, rewrite.book
            self._behind = False
            self.problems += tuple(rewrite.problems)

    def close(self) -> None:
        """Let the session go; one without jobs and folders is deleted. Closing twice is fine."""
        with self._guard:
            if not self._closed and self._roster.is_empty:
                self._erase(None)
            self._end()

    def delete(self) -> Discarded:
        """Delete the session with its scratch files, and close it.

        A foreign session that it was made from is deleted as well.
        """
        with self._guard:
            self._not_closed()
            return self._erase(adopted_original(self._roster.extra))

    def _erase(self, original: Path | None) -> Discarded:
        self._close_journal()
        removed = None
        try:
            removed = erase(self._paths, self._roster.temps, self._files, original)
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
        if job_id not in self._roster.jobs:
            raise StorageError(f"Session {self.session_id} has no job {job_id}")

    def _write(self, *news: records.AnyRecord) -> None:
        self._not_closed()
        if self._behind:
            self.compact()
        offsets = self._open_journal().append(news)
        for record, offset in zip(news, offsets, strict=True):
            self._roster.apply(record)
            self._book.apply(record, offset)
