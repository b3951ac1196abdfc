"""Deletion of a session with the files that belong to it, and nothing else."""

import contextlib
import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec

from fwtui.core.paths import text_to_path
from fwtui.disk.files import (
    PRIVATE_FILE,
    FileSystem,
    ensure_folder,
    is_present,
    open_regular,
    storage_error,
    write_atomic,
)
from fwtui.disk.lock import SessionLock
from fwtui.errors import StorageError
from fwtui.sessions.session_files import SessionFiles

# The folder of the earlier desktop program below the temporary folder.
LEGACY_FOLDER = "faster_whisper_sessions"
_LARGEST_COPY = 1 << 30  # bytes
# Key of our session file: the session file of the earlier program that it was made from.
ADOPTED_FROM = "adopted_from"


class DeletedFiles(msgspec.Struct, frozen=True):
    """Files that were deleted, and how many bytes that freed."""

    files: tuple[Path, ...] = ()
    bytes: int = 0


def is_scratch(path: Path) -> bool:
    """Whether this is the name of a scratch file: only those are deleted for a session."""
    return path.name.startswith("tmp") and path.suffix == ".wav" and path.is_absolute()


def remove_scratch(
    temps: Iterable[str], files: FileSystem, inputs: Collection[str] = ()
) -> tuple[DeletedFiles, list[str]]:
    """Delete the session's scratch files; also returns those that could not be deleted.

    Session files are untrusted: nothing is deleted that is not named like scratch, or that is one
    of the session's `inputs`.
    """
    removed = DeletedFiles()
    left = []
    for text in temps:
        path = text_to_path(text)
        if not is_scratch(path) or text in inputs:
            continue
        try:
            removed = _remove(path, removed, files)
        except (OSError, ValueError):
            left.append(text)
    return removed, left


def erase(
    paths: SessionFiles,
    lock: SessionLock,
    temps: Iterable[str],
    files: FileSystem,
    original: Path | None = None,
    inputs: Collection[str] = (),
) -> DeletedFiles:
    """Delete a session, whose lock the caller holds, and the `original` it was made from.

    The lock says so, in case that this process dies meanwhile. Raises StorageError.
    """
    with contextlib.suppress(StorageError):
        lock.mark_deletion()
    removed, _ = remove_scratch(temps, files, inputs)
    # Without our session the original would be offered again. A journal alone is no session, so
    # it is deleted last.
    return _remove_all((original, paths.snapshot, paths.journal), removed, files)


def erase_legacy(path: Path, temps: Iterable[str], files: FileSystem) -> DeletedFiles:
    """Delete a session of the earlier program. Raises StorageError."""
    removed, _ = remove_scratch(temps, files)
    return _remove_all((path,), removed, files)


def adopted_original(extra: dict[str, Any]) -> Path | None:
    """The session file of the earlier program that a session was made from, if any."""
    text = extra.get(ADOPTED_FROM)
    path = Path(text) if isinstance(text, str) else None
    if path and path.parent.name == LEGACY_FOLDER and path.suffix == ".json":
        return path
    return None


def _remove_all(
    paths: Iterable[Path | None], removed: DeletedFiles, files: FileSystem
) -> DeletedFiles:
    for path in paths:
        try:
            if path is not None and is_present(path):
                removed = _remove(path, removed, files)
                files.sync_folder(path.parent)
        except OSError as error:
            raise storage_error(error, path or Path(), "delete") from error
    return removed


def _remove(path: Path, so_far: DeletedFiles, files: FileSystem) -> DeletedFiles:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return so_far
    if not stat.S_ISREG(found.st_mode):
        return so_far
    files.unlink(path)
    return DeletedFiles((*so_far.files, path), so_far.bytes + found.st_size)


def keep_copy(path: Path, paths: SessionFiles, files: FileSystem) -> Path:
    """Keep a damaged file in the quarantine, and in its place; returns the copy.

    It is replaced, not changed, afterwards: so a second name for it is enough where the file system
    has such, and neither room nor time is needed. Raises StorageError.
    """
    name = path.name if path == paths.journal else f"{path.name}.copy"
    try:
        target = _free_name(name, paths, files)
        with contextlib.suppress(OSError, NotImplementedError):
            os.link(path, target)
            files.sync_folder(target.parent)
            return target
        with open_regular(path, _LARGEST_COPY) as source:
            chunks = iter(lambda: source.read(1 << 20), b"")
            write_atomic(target, chunks, PRIVATE_FILE, files=files)
    except OSError as error:
        raise storage_error(error, path, "copy") from error
    return target


def move_away(paths: SessionFiles, files: FileSystem) -> Path:
    """Move an unreadable session into the quarantine; returns the new path of its snapshot.

    Raises StorageError.
    """
    try:
        # The journal first: alone it would count as the leftover of a deleted session.
        for path in (paths.journal, paths.snapshot):
            if is_present(path):
                target = _free_name(path.name, paths, files)
                files.replace(path, target)
                files.sync_folder(target.parent)
        files.sync_folder(paths.directory)
    except OSError as error:
        raise storage_error(error, paths.snapshot, "move") from error
    return target


def was_quarantined(paths: SessionFiles) -> bool:
    """Whether the session was moved into the quarantine because it could not be read."""
    return is_present(paths.quarantine / paths.snapshot.name)


def _free_name(name: str, paths: SessionFiles, files: FileSystem) -> Path:
    ensure_folder(paths.quarantine, files)
    target = paths.quarantine / name
    number = 2
    while is_present(target):
        target = paths.quarantine / f"{name}.{number}"
        number += 1
    return target
