"""Scratch files with decoded audio, and the removal of those that crashes left."""

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

from fwtui.core.job import JobId
from fwtui.core.paths import link_name, path_to_text, text_to_path
from fwtui.core.text import plural, size_text
from fwtui.disk.files import (
    FILES,
    PRIVATE_FILE,
    TEMP_PREFIX,
    TEMP_SUFFIX,
    FileSystem,
    ensure_folder,
    is_folder,
    own_error,
    read_regular,
    write_atomic,
)
from fwtui.disk.lock import SessionLock, holder_of, was_deleting
from fwtui.errors import StorageError
from fwtui.sessions.delete import DeletedFiles
from fwtui.sessions.session_files import SessionFiles

_NAME = re.compile(
    r"tmp-(?:(?P<owner>[0-9a-f]{12})~)?(?P<session>[A-Za-z0-9][\w.-]*)-\d+-[0-9a-f]{8}\.wav",
    re.ASCII,
)
HOUR = 3600.0
# Scratch files of a state folder that cannot be asked, such as on a disk that is not connected.
ABANDONED_SECONDS = 7 * 24 * HOUR
# The folder beside that of the scratch files, with the names of their state folders.
_OWNERS = "owners"


def leftovers_text(removed: DeletedFiles) -> str:
    """The line for the log about what a sweep removed."""
    return f"Removed {plural(len(removed.files), 'leftover file')} ({size_text(removed.bytes)})"


def new_scratch(
    directory: Path,
    session_id: str,
    job_id: JobId,
    *,
    sessions: Path | None = None,
    files: FileSystem = FILES,
) -> Path:
    """A new name for a scratch WAV; its folder is created, the file is not.

    It names the session and the folder of that, `sessions`, so that another fwtui with the same
    cache finds the lock that says whether it is in use.
    """
    owner = ""
    try:
        ensure_folder(directory, files)
        if sessions is not None:
            owner = f"{_owner(sessions)}~"
            _name_owner(directory, sessions, files)
    except OSError as error:
        raise own_error(error, directory, "create") from error
    return directory / f"tmp-{owner}{session_id}-{job_id}-{secrets.token_hex(4)}.wav"


def _name_owner(directory: Path, sessions: Path, files: FileSystem) -> None:
    path = directory.with_name(_OWNERS) / _owner(sessions)
    text = path_to_text(sessions.absolute()).encode()
    with contextlib.suppress(OSError):
        if read_regular(path, _LONGEST_PATH) == text:
            return
    # Without it, others keep the scratch files for a week.
    with contextlib.suppress(OSError, StorageError):
        ensure_folder(path.parent, files)
        write_atomic(path, text, PRIVATE_FILE, files=files)


def _sessions_of(directory: Path, owner: str) -> Path | None:
    """The folder of the sessions of an owner, as it is named beside its scratch files."""
    with contextlib.suppress(OSError, ValueError):
        path = text_to_path(
            read_regular(directory.with_name(_OWNERS) / owner, _LONGEST_PATH).decode()
        )
        if _owner(path) == owner:
            return path
    return None


def sweep(
    directory: Path, sessions: Path, now: datetime, *, files: FileSystem = FILES
) -> DeletedFiles:
    """Delete unused scratch files, and what crashes left among the sessions.

    A scratch file of a session is deleted when no fwtui holds that session, whatever its state
    folder, and however old it is; if its state folder cannot be asked, after a week; any other
    `tmp*.wav` and unfinished writes after an hour. Files that cannot be deleted stay.
    """
    # Names first, locks later: a file of a session that is opened meanwhile is not among them.
    scratch = [path for path in _entries(directory) if path.match("tmp*.wav")]
    before = now.timestamp() - HOUR
    orphans = [path for path in scratch if _is_orphan(path, sessions, now.timestamp())]
    unfinished = [
        path
        for path in _entries(sessions)
        if path.name.startswith(TEMP_PREFIX) and path.suffix == TEMP_SUFFIX and _older(path, before)
    ]
    swept = _remove(DeletedFiles(), (*orphans, *unfinished), files)
    return _sweep_leftovers(swept, sessions, files)


def _entries(directory: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(directory.iterdir())
    return []


def _is_orphan(path: Path, sessions: Path, now: float) -> bool:
    if not (name := _NAME.fullmatch(path.name)):
        return _older(path, now - HOUR)
    theirs = sessions
    try:
        if name["owner"] is not None and name["owner"] != _owner(sessions):
            found = _sessions_of(path.parent, name["owner"])
            if found is None or not is_folder(found):
                return _older(path, now - ABANDONED_SECONDS)
            theirs = found
        return holder_of(SessionFiles(theirs, name["session"]).lock) is None
    except (StorageError, OSError):
        return False


def _older(path: Path, before: float) -> bool:
    with contextlib.suppress(OSError):
        return path.lstat().st_mtime < before
    return False


def _sweep_leftovers(swept: DeletedFiles, sessions: Path, files: FileSystem) -> DeletedFiles:
    """Delete journals and locks of sessions whose deletion was interrupted, and lone locks.

    Any other journal without a session file stays: that file may come back.
    """
    for path in _entries(sessions):
        if path.suffix != ".lock":
            continue
        with contextlib.suppress(StorageError):
            paths = SessionFiles(sessions, path.stem)
            if paths.exists():
                continue
            deleting = was_deleting(paths.lock)
            lock = SessionLock.acquire(paths.lock, files)
            remove = False
            try:
                if not paths.exists():
                    if deleting:
                        swept = _remove(swept, (paths.journal,), files)
                    remove = not os.path.lexists(paths.journal)
            finally:
                lock.release(remove=remove)
    return swept


def _remove(swept: DeletedFiles, paths: Iterable[Path], files: FileSystem) -> DeletedFiles:
    for path in paths:
        with contextlib.suppress(OSError):
            found = path.lstat()
            if stat.S_ISREG(found.st_mode):
                files.unlink(path)
                swept = DeletedFiles((*swept.files, path), swept.bytes + found.st_size)
    return swept


def sweep_system_temp(directory: Path, now: datetime, *, files: FileSystem = FILES) -> DeletedFiles:
    """Delete unused `tmp*.wav` in `directory`, not below it.

    Only regular files of this user, older than an hour, that no process is seen to have open.
    Files that cannot be deleted stay.
    """
    before = now.timestamp() - HOUR
    candidates = {path: found for path, found in _ours(directory) if found.st_mtime < before}
    if not candidates:
        return DeletedFiles()
    busy = set(_open_files())
    swept = DeletedFiles()
    for path, found in candidates.items():
        if (found.st_dev, found.st_ino) in busy:
            continue
        with contextlib.suppress(OSError):
            files.unlink(path)
            swept = DeletedFiles((*swept.files, path), swept.bytes + found.st_size)
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


_LONGEST_PATH = 1 << 16  # bytes

LINKS = "links"
"""The folder of all downloads, in the cache folder."""


def link_folder(links: Path, sessions: Path, session_id: str) -> Path:
    """The folder of a session's downloads, below `links`; it need not exist.

    Sessions of several state folders can share a cache, so the name contains the state folder.
    """
    return links / f"{_owner(sessions)}-{session_id}"


def link_place(folder: Path, url: str) -> Path:
    """Where the file behind a link will be, as far as known before its download."""
    return folder / _digest(url) / link_name(url)


def sweep_links(links: Path, sessions: Path) -> tuple[Path, ...]:
    """Delete the downloads of deleted sessions; returns their folders."""
    gone = []
    with contextlib.suppress(OSError, StorageError):
        for folder in sorted(links.glob(f"{_owner(sessions)}-*")):
            session_id = folder.name.partition("-")[2]
            if not SessionFiles(sessions, session_id).exists():
                shutil.rmtree(folder, ignore_errors=True)
                gone.append(folder)
    return tuple(gone)


def _owner(sessions: Path) -> str:
    return _digest(str(sessions.absolute()))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=6).hexdigest()
