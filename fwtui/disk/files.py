"""The seam between storage and the disk: every write that storage makes goes through it.

Tests put another `FileSystem` in its place to make the n-th call fail, or to die there.
"""

import errno
import os
import sys
from pathlib import Path

# Some network and FUSE file systems cannot sync a folder; there is nothing more to be done then.
_CANNOT_SYNC = (errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EACCES)
_BINARY = getattr(os, "O_BINARY", 0)

CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
UPDATE = os.O_RDWR | os.O_CREAT | _BINARY
APPEND = os.O_RDWR | os.O_APPEND | _BINARY
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


class FileSystem:
    """The few calls that change a disk. All raise OSError; none is retried."""

    def open(self, path: Path, flags: int, mode: int = PRIVATE_FILE) -> int:
        """Open a file; child processes do not inherit the descriptor."""
        return os.open(path, flags, mode)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write as much of `data` as the system takes; returns how many bytes."""
        return os.write(descriptor, data)

    def truncate(self, descriptor: int, length: int) -> None:
        """Cut the file to `length` bytes."""
        os.ftruncate(descriptor, length)

    def fsync(self, descriptor: int) -> None:
        """Return when the file's content is on the disk."""
        if sys.platform == "darwin":
            import fcntl

            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close a descriptor from `open`."""
        os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Rename `source` to `target`, which may exist, in one step."""
        os.replace(source, target)  # noqa: PTH105 - the name says what it does

    def unlink(self, path: Path) -> None:
        """Delete a file; one that is not there is fine."""
        path.unlink(missing_ok=True)

    def make_folder(self, path: Path, mode: int) -> None:
        """Create one folder; one that is there is fine."""
        path.mkdir(mode, exist_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Return when creations, renames and deletions in the folder are on the disk."""
        if sys.platform == "win32":
            return
        try:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno not in _CANNOT_SYNC:
                raise


FILES = FileSystem()


def write_all(files: FileSystem, descriptor: int, data: bytes) -> None:
    """Write all of `data`: a nearly full disk may take only a part of it at first."""
    rest = memoryview(data)
    while rest:
        rest = rest[files.write(descriptor, rest) :]


def ensure_folder(path: Path, files: FileSystem = FILES, mode: int = PRIVATE_FOLDER) -> None:
    """Create a folder and its missing parents, durably. Raises OSError."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        if path == path.parent:
            break
        path = path.parent
    for folder in reversed(missing):
        files.make_folder(folder, mode)
        files.sync_folder(folder.parent)
