"""A place for what cannot be read: never overwritten, never ignored, never deleted by us."""

from pathlib import Path

from fwtui.disk.files import PRIVATE_FILE, FileSystem, ensure_folder
from fwtui.sessions.paths import SessionFiles
from fwtui.storage.atomic import write_atomic
from fwtui.storage.faults import storage_error


def keep_copy(path: Path, paths: SessionFiles, files: FileSystem) -> Path:
    """Copy a damaged file into the quarantine; returns the copy. Raises StorageError."""
    try:
        target = _free_name(path, paths, files)
        with path.open("rb") as source:
            chunks = iter(lambda: source.read(1 << 20), b"")
            write_atomic(target, chunks, PRIVATE_FILE, files=files)
    except OSError as error:
        raise storage_error(error, path, "copy") from error
    return target


def move_away(paths: SessionFiles, files: FileSystem) -> Path:
    """Move an unreadable session into the quarantine; returns its snapshot's new path.

    Raises StorageError.
    """
    try:
        # The journal first: alone it would count as the leftover of a deleted session.
        for path in (paths.journal, paths.snapshot):
            if path.exists():
                target = _free_name(path, paths, files)
                files.replace(path, target)
                files.sync_folder(target.parent)
        files.sync_folder(paths.directory)
    except OSError as error:
        raise storage_error(error, paths.snapshot, "move") from error
    return target


def _free_name(path: Path, paths: SessionFiles, files: FileSystem) -> Path:
    ensure_folder(paths.quarantine, files)
    target = paths.quarantine / path.name
    number = 2
    while target.exists():
        target = paths.quarantine / f"{path.name}.{number}"
        number += 1
    return target
