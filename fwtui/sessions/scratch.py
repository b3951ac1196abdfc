"""Scratch files: decoded sound, named so that it can be told whether anyone still needs it."""

import contextlib
import re
import secrets
import stat
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.core.job import JobId
from fwtui.disk.files import FILES, FileSystem, ensure_folder
from fwtui.disk.lock import SessionLock, holder_of
from fwtui.errors import StorageError
from fwtui.sessions.paths import SessionFiles
from fwtui.storage.atomic import TEMP_PREFIX, TEMP_SUFFIX
from fwtui.storage.faults import storage_error

_NAME = re.compile(r"tmp-(?P<session>[A-Za-z0-9][\w.-]*)-\d+-[0-9a-f]{8}\.wav", re.ASCII)
HOUR = 3600.0


class Swept(msgspec.Struct, frozen=True):
    """What a sweep deleted, and how many bytes that freed."""

    files: tuple[Path, ...] = ()
    bytes: int = 0

    def __str__(self) -> str:
        """For the log."""
        some = "1 file" if len(self.files) == 1 else f"{len(self.files)} files"
        return f"Swept {some} that a crash had left: {self.bytes:,} bytes freed"


def new_scratch(
    directory: Path, session_id: str, job_id: JobId, *, files: FileSystem = FILES
) -> Path:
    """A new name for a scratch WAV; the folder is created, the file is not."""
    try:
        ensure_folder(directory, files)
    except OSError as error:
        raise storage_error(error, directory, "create") from error
    return directory / f"tmp-{session_id}-{job_id}-{secrets.token_hex(4)}.wav"


def sweep(directory: Path, sessions: Path, now: datetime, *, files: FileSystem = FILES) -> Swept:
    """Delete scratch files that nobody uses, and what crashes left among the sessions.

    A scratch file of a session goes when no fwtui holds that session, however old it is; any
    other `tmp*.wav` and unfinished writes go after an hour. What cannot be deleted stays.
    """
    # Names first, locks later: a file of a session that is opened meanwhile is not among them.
    scratch = [path for path in _entries(directory) if path.match("tmp*.wav")]
    before = now.timestamp() - HOUR
    orphans = [path for path in scratch if _is_orphan(path, sessions, before)]
    unfinished = [
        path
        for path in _entries(sessions)
        if path.name.startswith(TEMP_PREFIX) and path.suffix == TEMP_SUFFIX and _older(path, before)
    ]
    swept = _remove(Swept(), (*orphans, *unfinished), files)
    return _sweep_leftovers(swept, sessions, files)


def _entries(directory: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(directory.iterdir())
    return []


def _is_orphan(path: Path, sessions: Path, before: float) -> bool:
    if not (name := _NAME.fullmatch(path.name)):
        return _older(path, before)
    try:
        return holder_of(SessionFiles(sessions, name["session"]).lock) is None
    except StorageError:
        return False


def _older(path: Path, before: float) -> bool:
    with contextlib.suppress(OSError):
        return path.lstat().st_mtime < before
    return False


def _sweep_leftovers(swept: Swept, sessions: Path, files: FileSystem) -> Swept:
    """Delete journals and locks of sessions that are deleted."""
    for path in _entries(sessions):
        if path.suffix not in {".journal", ".lock"} or path.with_suffix(".json").exists():
            continue
        with contextlib.suppress(StorageError):
            paths = SessionFiles(sessions, path.stem)
            lock = SessionLock.acquire(paths.lock, files)
            gone = not paths.snapshot.exists()
            if gone:
                swept = _remove(swept, (paths.journal,), files)
            lock.release(remove=gone)
    return swept


def _remove(swept: Swept, paths: Iterable[Path], files: FileSystem) -> Swept:
    for path in paths:
        with contextlib.suppress(OSError):
            found = path.lstat()
            if stat.S_ISREG(found.st_mode):
                files.unlink(path)
                swept = Swept((*swept.files, path), swept.bytes + found.st_size)
    return swept
