"""What happens to a watched file after its transcription: it stays, is moved, or is tagged."""

import errno
import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from fwtui.audio.identity import Identity, identify
from fwtui.core.paths import text_to_path
from fwtui.core.watched_folder import WatchedFolder
from fwtui.disk.files import FILES, TEMP_PREFIX, TEMP_SUFFIX

TAG = "transcribed"
_TAGS = "user.xdg.tags"  # what file managers on Linux show
can_tag = hasattr(os, "setxattr")


class FileReplaced(Exception):
    """The file is no longer the one that was transcribed; it was left as it is."""


def moved_path(folder: WatchedFolder, path: Path, name: str = "") -> Path | None:
    """Where a file of a folder is to be moved, under another name if one is given.

    None if it is not below the folder: it was moved already.
    """
    root = text_to_path(folder.path)
    if not path.is_relative_to(root):
        return None
    below = path.relative_to(root)
    return text_to_path(folder.target) / (below.with_name(name) if name else below)


def apply_after_action(folder: WatchedFolder, path: Path, known: Identity, name: str = "") -> Path:
    """Move or tag a file as its folder says; returns its path now. `name` as in `moved_path`.

    An action that was done before a crash is not repeated. Raises OSError (FileNotFoundError if the
    file was renamed meanwhile) or FileReplaced.
    """
    if folder.after == "leave":
        path.stat()
        return path
    if folder.after == "move":
        target = moved_path(folder, path, name)
        return path if target is None else _move(path, target, known)
    _check(path, known)
    _tag(path)
    return path


def _check(path: Path, known: Identity) -> None:
    if identify(path).digest != known.digest:
        raise FileReplaced


def _move(path: Path, wanted: Path, known: Identity) -> Path:
    if not path.exists():
        for candidate in _candidates(wanted):
            if not candidate.exists():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
            if identify(candidate).digest == known.digest:
                return candidate
    _check(path, known)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    target = next(candidate for candidate in _candidates(wanted) if not os.path.lexists(candidate))
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_over(path, target)
    return target


def _copy_over(path: Path, target: Path) -> None:
    """Move to another disk: the copy is complete and durable before the file is deleted."""
    temp = target.with_name(f"{TEMP_PREFIX}{os.getpid()}{TEMP_SUFFIX}")
    try:
        shutil.copy2(path, temp)
        with temp.open("rb+") as file:
            os.fsync(file.fileno())
        temp.rename(target)
        FILES.sync_folder(target.parent)
    except OSError:
        temp.unlink(missing_ok=True)
        raise
    path.unlink()


def _candidates(wanted: Path) -> Iterator[Path]:
    """The path itself, then numbered ones."""
    yield wanted
    for number in count(2):
        yield wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")


def _tag(path: Path) -> None:
    """Add a tag to the file's tags; content and date stay the same."""
    if not can_tag:
        raise OSError(errno.ENOTSUP, "this system does not support tags")
    try:
        tags = os.getxattr(path, _TAGS).decode(errors="surrogateescape").split(",")
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        tags = []
    if TAG not in tags:
        named = ",".join([*(tag for tag in tags if tag), TAG])
        os.setxattr(path, _TAGS, named.encode(errors="surrogateescape"))
