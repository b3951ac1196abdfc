"""What happens to a file when its transcript is there: it stays, is moved, or is tagged."""

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


class Replaced(Exception):
    """The file is not the one that was transcribed any more; nothing was done to it."""


def afterwards(folder: WatchedFolder, path: Path, known: Identity) -> Path:
    """Do it; returns where the file is now. Raises OSError or Replaced.

    What was done already, before a crash, is not done again.
    """
    if folder.after == "leave":
        return path
    if folder.after == "move":
        target = text_to_path(folder.target)
        below = path.relative_to(text_to_path(folder.path))
        return _move(path, target / below, known)
    _check(path, known)
    _tag(path)
    return path


def _check(path: Path, known: Identity) -> None:
    if identify(path).digest != known.digest:
        raise Replaced


def _move(path: Path, wanted: Path, known: Identity) -> Path:
    if not path.exists():
        for place in _places(wanted):
            if not place.exists():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
            if identify(place).digest == known.digest:
                return place
    _check(path, known)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    target = next(place for place in _places(wanted) if not os.path.lexists(place))
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_over(path, target)
    return target


def _copy_over(path: Path, target: Path) -> None:
    """To another disk: whole and safe there before it is gone here."""
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


def _places(wanted: Path) -> Iterator[Path]:
    """The name, then with numbers."""
    yield wanted
    for number in count(2):
        yield wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")


def _tag(path: Path) -> None:
    """Add a tag to those that it has. The content stays as it is, and so does its date."""
    if not can_tag:
        raise OSError(errno.ENOTSUP, "files cannot be tagged on this system")
    try:
        tags = os.getxattr(path, _TAGS).decode(errors="surrogateescape").split(",")
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        tags = []
    if TAG not in tags:
        named = ",".join([*(tag for tag in tags if tag), TAG])
        os.setxattr(path, _TAGS, named.encode(errors="surrogateescape"))
