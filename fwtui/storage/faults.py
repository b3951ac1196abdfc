"""Operating system errors as errors that say which file, what happened and what to do."""

import errno
from pathlib import Path

from fwtui.core.paths import path_to_text
from fwtui.errors import DiskFullError, StorageError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Trouble of a disk or a share as a whole, which may be over later.
_PASSING = "EROFS EIO ESTALE ENODEV ENXIO ENOTCONN ETIMEDOUT EHOSTDOWN EHOSTUNREACH ENETDOWN"
_PASSING_ERRNOS = frozenset(getattr(errno, name, errno.EIO) for name in _PASSING.split())
_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)


def storage_error(error: OSError, path: Path, doing: str, needed: int = 0) -> StorageError:
    """The error to raise for `error`; `doing` as in "Cannot <doing> <path>", `needed` bytes."""
    place = path_to_text(path.parent)
    if error.errno in _NO_ROOM:
        return DiskFullError(
            f"No room left to {doing} {path}",
            "Free some space on that disk, then try again.",
            place=place,
            needed=needed,
        )
    if error.errno in _PASSING_ERRNOS:
        hint = "Check the disk or the network share."
        return StorageError(
            f"Cannot {doing} {path}: {error.strerror or error}", hint, place=place, needed=needed
        )
    hint = "Check the permissions of the folder." if error.errno in _NO_RIGHT else ""
    return StorageError(f"Cannot {doing} {path}: {error.strerror or error}", hint)
