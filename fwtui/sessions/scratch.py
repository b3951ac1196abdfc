"""Scratch files: decoded sound, named so that it can be told whether anyone still needs it."""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.core.inputs import link_name
from fwtui.core.job import JobId
from fwtui.disk.files import (
    FILES,
    TEMP_PREFIX,
    TEMP_SUFFIX,
    FileSystem,
    ensure_folder,
    storage_error,
)
from fwtui.disk.lock import SessionLock, holder_of
from fwtui.errors import StorageError
from fwtui.sessions.paths import SessionFiles

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


def sweep_system_temp(directory: Path, now: datetime, *, files: FileSystem = FILES) -> Swept:
    """Delete `tmp*.wav` in `directory` (not below it) that nobody needs.

    Only plain files of this user, older than an hour, that no process has open as far as can be
    seen. What cannot be deleted stays.
    """
    before = now.timestamp() - HOUR
    candidates = {path: found for path, found in _ours(directory) if found.st_mtime < before}
    if not candidates:
        return Swept()
    busy = set(_open_files())
    swept = Swept()
    for path, found in candidates.items():
        if (found.st_dev, found.st_ino) in busy:
            continue
        with contextlib.suppress(OSError):
            files.unlink(path)
            swept = Swept((*swept.files, path), swept.bytes + found.st_size)
    return swept


def _ours(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    with contextlib.suppress(OSError):
        for path in sorted(directory.glob("tmp*.wav")):
            with contextlib.suppress(OSError):
                found = path.lstat()
                mine = sys.platform == "win32" or found.st_uid == os.getuid()
                if mine and stat.S_ISREG(found.st_mode):
                    yield path, found


def _open_files() -> Iterator[tuple[int, int]]:
    """Device and inode of every file that a process has open."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            for opened in process.open_files():
                with contextlib.suppress(OSError):
                    found = Path(opened.path).stat()
                    yield found.st_dev, found.st_ino


LINKS = "links"
"""The folder of all downloads, in the cache folder."""


def link_folder(links: Path, sessions: Path, session_id: str) -> Path:
    """The folder of a session's downloads, below `links`; it need not exist.

    Sessions of different state folders can share a cache: so the name tells whose it is.
    """
    return links / f"{_owner(sessions)}-{session_id}"


def link_place(folder: Path, url: str) -> Path:
    """Where the file behind a link will be, as far as is known before it is downloaded."""
    return folder / _digest(url) / link_name(url)


def sweep_links(links: Path, sessions: Path) -> tuple[Path, ...]:
    """Delete the downloads of sessions that are no more; returns their folders."""
    gone = []
    with contextlib.suppress(OSError):
        for folder in sorted(links.glob(f"{_owner(sessions)}-*")):
            session_id = folder.name.partition("-")[2]
            if not SessionFiles(sessions, session_id).snapshot.exists():
                shutil.rmtree(folder, ignore_errors=True)
                gone.append(folder)
    return tuple(gone)


def _owner(sessions: Path) -> str:
    return _digest(str(sessions.absolute()))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=6).hexdigest()
