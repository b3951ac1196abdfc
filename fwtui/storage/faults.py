"""Operating system errors as errors that say which file, what happened and what to do."""

import errno
from pathlib import Path

from fwtui.errors import DiskFullError, StorageError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)


def storage_error(error: OSError, path: Path, doing: str) -> StorageError:
    """The error to raise for `error`; `doing` as in "Cannot <doing> <path>"."""
    if error.errno in _NO_ROOM:
        return DiskFullError(
            f"No room left to {doing} {path}", "Free some space on that disk, then try again."
        )
    hint = "Check the permissions of the folder." if error.errno in _NO_RIGHT else ""
    return StorageError(f"Cannot {doing} {path}: {error.strerror or error}", hint)
