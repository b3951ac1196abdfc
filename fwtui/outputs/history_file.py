"""The database of what was transcribed: one SQLite file in the state folder, for all fwtuis.

It is only ever added to: tables and columns keep their names and meanings, so that earlier and
later versions may use the same file. Its journal is SQLite's default (a rollback journal): unlike a
write-ahead log it works on network file systems, too.
"""

# ruff: noqa: S608 - only names of our own are put into statements

import contextlib
import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fwtui.core.paths import text_to_path
from fwtui.core.text import valid_unicode
from fwtui.disk.files import PRIVATE_FILE, ensure_folder
from fwtui.disk.lock import SessionLock
from fwtui.errors import DiskFullError, SessionInUseError, StorageError
from fwtui.sessions.session_files import QUARANTINE

if TYPE_CHECKING:
    import sqlite3

NAME = "transcribed.sqlite3"
VERSION = 1  # of the tables of the history of batches; 0: there are none yet
EARLIER = "earlier"  # the id of the batch of all files from before there was a history of batches
_PATIENCE = 5.0  # seconds to wait for the change of another fwtui

KNOWN_FILES = """
create table if not exists transcribed (
  number integer primary key, content text not null, modified integer, settings text not null,
  source text not null, stem text not null, outputs text not null, at text not null);
create index if not exists by_content on transcribed (content, settings);
create index if not exists by_stem on transcribed (stem);
"""
_BATCHES = (
    """create table batches (
  number integer primary key, id text not null unique, session text not null,
  started text not null, ended text, ending text not null default '',
  problem text not null default '', exit_code integer, model text not null default '',
  folder text not null default '', settings text not null default '{}',
  total integer not null default 0, done integer not null default 0,
  to_check integer not null default 0, failed integer not null default 0,
  cancelled integer not null default 0, skipped integer not null default 0,
  waiting integer not null default 0, audio real not null default 0,
  seconds real not null default 0, deleted integer not null default 0)""",
    "create index batch_of_session on batches (session)",
    """create table files (
  number integer primary key, batch integer not null, job integer, path text not null,
  track integer not null default 0, state text not null, at text not null,
  reason text not null default '', audio real not null default 0, work real not null default 0,
  speed real, language text not null default '', model text not null default '',
  settings text, findings integer not null default 0, warnings integer not null default 0,
  outputs text not null default '[]', checked text, words text not null default '')""",
    "create unique index file_of_batch on files (batch, job)",
)
_EARLIER_BATCH = """
insert into batches (id, session, started, ended, ending, total, done)
  select ?, '', first, last, 'finished', files, files
  from (select min(at) as first, max(at) as last, count(*) as files from transcribed)
  where files > 0"""
_EARLIER_FILES = """
insert into files (batch, path, state, at, outputs, words)
  select (select number from batches where id = ?), source, 'done', at, outputs, searched(source)
  from transcribed order by number"""


class DamagedHistoryError(StorageError):
    """The history's file is no database, or its content contradicts itself."""

    def __init__(self, path: Path, found: object) -> None:
        super().__init__(
            f"{path} is damaged: {found}",
            "The next batch moves it to the quarantine and begins a new one with what is readable.",
        )


def searched_text(path: str, *others: str) -> str:
    """What the words of a search are looked for in: a `path_to_text` path, and other texts."""
    return "\n".join((valid_unicode(os.fspath(text_to_path(path))), *others)).casefold()


class HistoryFile:
    """The database in the state folder `state`."""

    def __init__(self, state: Path) -> None:
        self.path = state / NAME
        self._state = state
        self._used: tuple[int, int] | None = None  # the file that `batches` has opened last

    @property
    def exists(self) -> bool:
        """Whether there is one. Raises OSError."""
        return self.path.exists()

    @contextmanager
    def open(self) -> Iterator["sqlite3.Connection"]:
        """A connection, its changes committed at the end. Raises sqlite3.Error, OSError.

        A new file can be read by nobody else from the first moment on.
        """
        import sqlite3

        self._make_private()
        with closing(sqlite3.connect(self.path, timeout=_PATIENCE)) as db, db:
            with contextlib.suppress(sqlite3.Error):  # before others than earlier files are there
                _migrate(db)
            yield db

    @contextmanager
    def batches(self, *, change: bool = False) -> Iterator["sqlite3.Connection"]:
        """A connection to a file with the tables of batches, which are made if need be.

        `change`: all of it in one transaction. Raises StorageError; nothing has changed then.
        """
        import sqlite3

        try:
            self._make_private()
            self._used = _identity(self.path)
            connected = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
            with closing(connected) as db:
                _migrate(db)
                if not change:
                    yield db
                    return
                with _transaction(db):
                    yield db
        except sqlite3.Error as error:
            raise _in_words(error, self.path) from error
        except OSError as error:
            raise StorageError(f"Cannot use {self.path}: {error.strerror or error}") from error

    def _make_private(self) -> None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
            os.close(os.open(self.path, flags, PRIVATE_FILE))
            return
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{self.path} is not a regular file")
        if os.name == "posix" and found.st_mode & 0o077 and found.st_uid == os.geteuid():
            with contextlib.suppress(OSError):
                self.path.chmod(PRIVATE_FILE)

    def check(self) -> None:
        """Raise DamagedHistoryError if the file is damaged, StorageError if it cannot be read."""
        with self.batches() as db:
            (found,) = db.execute("pragma quick_check(1)").fetchone()
        if found != "ok":
            raise DamagedHistoryError(self.path, found)

    def move_damaged(self) -> Path | None:
        """Move a damaged file to the quarantine, and begin a new one with what can be read of it.

        Nothing is overwritten. Returns the new path; None if it is not the file that was used last:
        another fwtui has done this already. Raises StorageError.
        """
        try:
            lock = SessionLock.acquire(self.path.with_suffix(".lock"))
        except SessionInUseError:
            return None
        try:
            if self._used is None or _identity(self.path) != self._used:
                return None
            target = self._move()
            self._save_readable(target)
            return target
        finally:
            lock.release(remove=True)

    def _move(self) -> Path:
        folder = self._state / "sessions" / QUARANTINE
        target, number = folder / NAME, 0
        try:
            ensure_folder(folder)
            while any(os.path.lexists(f"{target}{suffix}") for suffix in ("", *_BESIDE)):
                number += 1
                target = folder / f"{NAME}.{number}"
            self.path.rename(target)
            for suffix in _BESIDE:  # SQLite would apply them to the new file
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{self.path}{suffix}").rename(f"{target}{suffix}")
        except OSError as error:
            raise StorageError(f"Cannot move {self.path} to {folder}: {error.strerror}") from error
        return target

    def _save_readable(self, damaged: Path) -> None:
        """Copy the rows of a damaged file that can be read: from the first on, from the last on."""
        import sqlite3

        readable = f"{damaged.absolute().as_uri()}?mode=ro"
        with (
            contextlib.suppress(sqlite3.Error, OSError, StorageError),
            self.batches(change=True) as db,
            closing(sqlite3.connect(readable, uri=True)) as old,
        ):
            for statement in KNOWN_FILES.split(";"):
                db.execute(statement)
            for table in ("transcribed", "batches", "files"):
                for order in ("asc", "desc"):
                    with contextlib.suppress(sqlite3.DatabaseError):
                        _copy_rows(old, db, table, order)


def _identity(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None


_BESIDE = ("-journal", "-wal", "-shm")


def _copy_rows(
    old: "sqlite3.Connection", new: "sqlite3.Connection", table: str, order: str
) -> None:
    names = [row[1] for row in new.execute(f"pragma table_info({table})")]
    columns, marks = ", ".join(names), ", ".join("?" * len(names))
    for row in old.execute(f"select {columns} from {table} order by number {order}"):
        new.execute(f"insert or ignore into {table} ({columns}) values ({marks})", row)


@contextmanager
def _transaction(db: "sqlite3.Connection") -> Iterator[None]:
    db.execute("begin immediate")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # SQLite has ended it after some errors
            db.execute("rollback")
        raise
    db.execute("commit")


def _version(db: "sqlite3.Connection") -> int:
    (version,) = db.execute("pragma user_version").fetchone()
    return int(version)


def _migrate(db: "sqlite3.Connection") -> None:
    """Make the tables of batches, with what is known of earlier files, in one transaction.

    A file of a later version has them, and perhaps more.
    """
    if _version(db) >= VERSION:
        return
    db.create_function("searched", 1, searched_text, deterministic=True)
    with _transaction(db):
        if _version(db) >= VERSION:  # another fwtui was faster
            return
        for statement in _BATCHES:
            db.execute(statement)
        known = "select 1 from sqlite_master where type = 'table' and name = 'transcribed'"
        if db.execute(known).fetchone():
            db.execute(_EARLIER_BATCH, (EARLIER,))
            db.execute(_EARLIER_FILES, (EARLIER,))
        db.execute(f"pragma user_version = {VERSION}")


def _in_words(error: "sqlite3.Error", path: Path) -> StorageError:
    import sqlite3

    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_FORMAT:
            return DamagedHistoryError(path, error)
        case sqlite3.SQLITE_FULL:
            return DiskFullError(f"No room left to write {path}", "Free some disk space.")
        case sqlite3.SQLITE_READONLY:
            return StorageError(f"Cannot write {path}: it is read-only", "Check its permissions.")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StorageError(f"{path} is in use by another program", "Try again later.")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StorageError(f"Cannot open {path}", "Check the permissions of its folder.")
        case _:
            return StorageError(f"Cannot use {path}: {error}")
