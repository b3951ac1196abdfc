"""Deleting a session, with all that belongs to it and nothing else."""

import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec

from fwtui.core.paths import text_to_path
from fwtui.storage.faults import storage_error
from fwtui.storage.files import FileSystem
from fwtui.storage.names import SessionFiles


class Discarded(msgspec.Struct, frozen=True):
    """What was deleted, and how many bytes that freed."""

    files: tuple[Path, ...] = ()
    bytes: int = 0


def is_scratch(path: Path) -> bool:
    """Whether this is the name of a scratch file: only such are ever deleted for a session."""
    return path.name.startswith("tmp") and path.suffix == ".wav" and path.is_absolute()


def remove_scratch(temps: Iterable[str], files: FileSystem) -> tuple[Discarded, list[str]]:
    """Delete the session's scratch files; also returns those that are still there."""
    removed = Discarded()
    left = []
    for text in temps:
        path = text_to_path(text)
        if not is_scratch(path):
            continue
        try:
            removed = _remove(path, removed, files)
        except (OSError, ValueError):
            left.append(text)
    return removed, left


def erase(paths: SessionFiles, temps: Iterable[str], files: FileSystem) -> Discarded:
    """Delete a session, whose lock the caller holds. Raises StorageError."""
    removed, _ = remove_scratch(temps, files)
    # The snapshot goes first: a journal alone is not a session any more.
    for path in (paths.snapshot, paths.journal):
        try:
            removed = _remove(path, removed, files)
            files.sync_folder(path.parent)
        except OSError as error:
            raise storage_error(error, path, "delete") from error
    return removed


def _remove(path: Path, so_far: Discarded, files: FileSystem) -> Discarded:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return so_far
    if not stat.S_ISREG(found.st_mode):
        return so_far
    files.unlink(path)
    return Discarded((*so_far.files, path), so_far.bytes + found.st_size)
