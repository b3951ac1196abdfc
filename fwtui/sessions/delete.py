"""Deleting a session, with all that belongs to it and nothing else."""

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from fwtui.core.paths import text_to_path
from fwtui.disk.files import FileSystem
from fwtui.sessions.paths import SessionFiles
from fwtui.storage.faults import storage_error

# The earlier program's folder below the temporary folder.
FOREIGN_FOLDER = "faster_whisper_sessions"
# Key of our session file that says which foreign one it was made from.
ADOPTED_FROM = "adopted_from"


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


def erase(
    paths: SessionFiles, temps: Iterable[str], files: FileSystem, original: Path | None = None
) -> Discarded:
    """Delete a session, whose lock the caller holds, and the foreign one it was made from.

    Raises StorageError.
    """
    removed, _ = remove_scratch(temps, files)
    # The original would be offered again without ours. A journal alone is not a session any
    # more, so it goes last.
    return _remove_all((original, paths.snapshot, paths.journal), removed, files)


def erase_foreign(path: Path, temps: Iterable[str], files: FileSystem) -> Discarded:
    """Delete a session of the earlier program. Raises StorageError."""
    removed, _ = remove_scratch(temps, files)
    return _remove_all((path,), removed, files)


def adopted_original(extra: dict[str, Any]) -> Path | None:
    """The foreign session file that a session was made from, if it was."""
    text = extra.get(ADOPTED_FROM)
    path = Path(text) if isinstance(text, str) else None
    if path and path.parent.name == FOREIGN_FOLDER and path.suffix == ".json":
        return path
    return None


def _remove_all(paths: Iterable[Path | None], removed: Discarded, files: FileSystem) -> Discarded:
    for path in paths:
        try:
            if path is not None and path.exists():
                removed = _remove(path, removed, files)
                files.sync_folder(path.parent)
        except OSError as error:
            raise storage_error(error, path or Path(), "delete") from error
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
