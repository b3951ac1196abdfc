"""Locks of sessions: OS locks, which the system releases however their holder ends."""

import contextlib
import errno
import os
import socket
import sys
import time
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.disk.codec import UNREADABLE
from fwtui.disk.files import (
    FILES,
    UPDATE,
    FileSystem,
    open_regular,
    own_error,
    read_regular,
    storage_error,
    write_all,
)
from fwtui.errors import SessionInUseError, StorageError

# A process that only checks whether the lock is free holds it for a moment.
_TRIES, _PAUSE = 5, 0.02
_LARGEST = 1 << 16  # bytes of a lock file that are read
# Some network and FUSE file systems have no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


class Holder(msgspec.Struct, frozen=True):
    """Process that works on a session: host name, process id, local time.

    `deleting`: it is deleting the session, which may be completed by others if it dies meanwhile.
    """

    host: str
    pid: int
    since: datetime | None = None
    deleting: bool = False

    def __str__(self) -> str:
        """For people."""
        since = f" since {self.since:%Y-%m-%d %H:%M:%S}" if self.since else ""
        return f"fwtui on {self.host} (process {self.pid}){since}"


_UNKNOWN = Holder("an unknown host", 0)

if sys.platform == "win32":
    import msvcrt

    # Windows locks keep others from reading, so the locked byte is far behind the text.
    _FAR = 1 << 30

    def _try_lock(descriptor: int, *, shared: bool) -> bool:
        del shared
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _try_lock(descriptor: int, *, shared: bool) -> bool:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class SessionLock:
    """A held lock."""

    def __init__(self, path: Path, descriptor: int, files: FileSystem) -> None:
        self._path = path
        self._descriptor: int | None = descriptor
        self._files = files

    @classmethod
    def acquire(cls, path: Path, files: FileSystem = FILES) -> "SessionLock":
        """Acquire the lock. Raises SessionInUseError that names its holder, or StorageError."""
        try:
            for attempt in range(_TRIES):
                if attempt:
                    time.sleep(_PAUSE)
                if (descriptor := _attempt(path, files)) is not None:
                    return cls(path, descriptor, files)
        except OSError as error:
            raise _cannot_lock(error, path) from error
        raise in_use(path.stem, _read_holder(path))

    def is_at_its_place(self) -> bool:
        """Whether the lock file still has its name, so that others meet it."""
        return self._descriptor is not None and _is_at(self._descriptor, self._path)

    def mark_deletion(self) -> None:
        """Record, durably, that what it protects is about to be deleted. Raises StorageError."""
        assert self._descriptor is not None
        try:
            _write_holder(self._descriptor, self._files, deleting=True)
            self._files.fsync(self._descriptor)
        except OSError as error:
            raise storage_error(error, self._path, "write") from error

    def release(self, *, remove: bool = False) -> None:
        """Release the lock if it is held. `remove`: delete its file as well."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with contextlib.suppress(OSError):
            # POSIX: delete before the release, so that no new lock file of another is deleted.
            if remove and sys.platform != "win32":
                self._files.unlink(self._path)
        with contextlib.suppress(OSError):
            self._files.close(descriptor)
        with contextlib.suppress(OSError):
            if remove and sys.platform == "win32":
                self._files.unlink(self._path)


def _cannot_lock(error: OSError, path: Path) -> StorageError:
    if error.errno in _NO_LOCKS:
        return StorageError(
            f"Files cannot be locked in {path.parent}: {error.strerror}",
            "Set FWTUI_STATE_DIR to a folder on a local disk.",
        )
    return own_error(error, path, "lock")


def _attempt(path: Path, files: FileSystem) -> int | None:
    descriptor = files.open(path, UPDATE)
    try:
        locked = _try_lock(descriptor, shared=False) and _is_at(descriptor, path)
    except OSError:
        files.close(descriptor)
        raise
    if not locked:
        files.close(descriptor)
        return None
    # The text is for people only: on a full disk a session can still be inspected.
    with contextlib.suppress(OSError):
        _write_holder(descriptor, files)
    return descriptor


def _write_holder(descriptor: int, files: FileSystem, *, deleting: bool = False) -> None:
    now = datetime.now().replace(microsecond=0)
    files.truncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    holder = Holder(socket.gethostname(), os.getpid(), now, deleting)
    write_all(files, descriptor, msgspec.json.encode(holder))


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the locked file still has its name; its last holder may have deleted it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False


def holder_of(path: Path) -> Holder | None:
    """The holder of a lock, or None if it is free. Changes nothing; raises StorageError."""
    try:
        file = open_regular(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise own_error(error, path, "read") from error
    with file:
        try:
            return None if _try_lock(file.fileno(), shared=True) else _read_holder(path)
        except OSError as error:
            raise storage_error(error, path, "lock") from error


def was_deleting(path: Path) -> bool:
    """Whether the last holder of a lock died while it deleted what the lock protects."""
    return _read_holder(path).deleting


def _read_holder(path: Path) -> Holder:
    try:
        return msgspec.json.decode(read_regular(path, _LARGEST), type=Holder)
    except (OSError, *UNREADABLE):
        return _UNKNOWN


def in_use(session_id: str, holder: Holder) -> StorageError:
    """The error for a session that another fwtui holds."""
    here, alive = socket.gethostname(), _is_process(holder.pid)
    return SessionInUseError(
        f"Session {session_id} is in use by {holder}", advice(session_id, holder, here, alive=alive)
    )


def advice(session_id: str, holder: Holder, here: str, *, alive: bool) -> str:
    """Advice about a held session, for the host `here`; `alive`: its process runs there."""
    if holder == _UNKNOWN:
        return "Stop the fwtui that uses it first."
    if holder.host != here:
        return (
            f"Use it on {holder.host}: ssh {holder.host} -t fwtui attach. If that computer was "
            "switched off, the file server releases the lock after some minutes; if it does not, "
            f"delete {session_id}.lock in the sessions folder."
        )
    if not alive:
        return (
            f"There is no process {holder.pid} here: it runs in a container, or a process that it "
            f"started holds the lock. If no fwtui is running, delete {session_id}.lock in the "
            "sessions folder."
        )
    return f"Show it with: fwtui attach {session_id}, or stop it with: fwtui stop {session_id}"


def _is_process(pid: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(pid))
