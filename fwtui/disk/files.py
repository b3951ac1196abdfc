"""Durable files: the one atomic write of the program, and the calls that it makes.

Tests put another `FileSystem` in place to make the n-th call fail, or to die there.
"""

import contextlib
import errno
import os
import secrets
import shlex
import stat
import sys
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from io import BufferedReader
from pathlib import Path

from fwtui.core.disk_errors import DiskErrorKind, disk_hint, kind_of, may_pass, reason_of
from fwtui.core.paths import path_to_text
from fwtui.core.text import size_text
from fwtui.errors import DiskFullError, StorageError

# Some network and FUSE file systems cannot sync a folder; nothing more can be done then.
_CANNOT_SYNC = (errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EACCES)
_BINARY = getattr(os, "O_BINARY", 0)

CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
UPDATE = os.O_RDWR | os.O_CREAT | _BINARY
APPEND = os.O_RDWR | os.O_APPEND | _BINARY
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


class FileSystem:
    """The calls that change a disk. All raise OSError; none is retried."""

    def open(self, path: Path, flags: int, mode: int = PRIVATE_FILE) -> int:
        """Open a file; child processes do not inherit the descriptor."""
        return os.open(path, flags, mode)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write as much of `data` as the system accepts; returns how many bytes."""
        return os.write(descriptor, data)

    def truncate(self, descriptor: int, length: int) -> None:
        """Cut the file to `length` bytes."""
        os.ftruncate(descriptor, length)

    def fsync(self, descriptor: int) -> None:
        """Flush the file's content to the disk."""
        if sys.platform == "darwin":
            import fcntl

            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)

    def copy_rights(self, descriptor: int, like: Path) -> None:
        """Give an open file the owner, group, mode and attributes of another, as far as allowed."""
        status = like.stat()
        if sys.platform == "win32":
            return
        mode = stat.S_IMODE(status.st_mode)
        own = os.fstat(descriptor)
        if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
            try:
                os.fchown(descriptor, status.st_uid, status.st_gid)
            except OSError:
                with contextlib.suppress(OSError):  # only root may give files away
                    os.fchown(descriptor, -1, status.st_gid)
        os.fchmod(descriptor, mode)
        if hasattr(os, "listxattr"):
            with contextlib.suppress(OSError):
                for name in os.listxattr(like):
                    with contextlib.suppress(OSError):
                        os.setxattr(descriptor, name, os.getxattr(like, name))

    def close(self, descriptor: int) -> None:
        """Close a descriptor from `open`."""
        os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Rename `source` to `target`, which may exist, atomically."""
        os.replace(source, target)  # noqa: PTH105 - the name says what it does

    def unlink(self, path: Path) -> None:
        """Delete a file, if it exists."""
        path.unlink(missing_ok=True)

    def make_folder(self, path: Path, mode: int) -> None:
        """Create one folder, unless it exists."""
        path.mkdir(mode, exist_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Flush creations, renames and deletions in the folder to the disk."""
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


class NotRegularError(OSError):
    """What should be a file is a pipe, a device, a socket or a folder, or is far too large."""


def open_regular(path: Path, limit: int | None = None) -> BufferedReader:
    """Open a file of at most `limit` bytes for reading, without waiting for a pipe or a device.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | _BINARY | getattr(os, "O_NONBLOCK", 0))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NotRegularError(errno.EINVAL, "Not a regular file", str(path))
        if limit is not None and found.st_size > limit:
            raise NotRegularError(errno.EFBIG, f"Larger than {size_text(limit)}", str(path))
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, limit: int) -> bytes:
    """The content of a file of at most `limit` bytes; `open_regular` says what is refused."""
    with open_regular(path, limit) as file:
        return file.read(limit + 1)


def write_all(files: FileSystem, descriptor: int, data: bytes) -> None:
    """Write all of `data`: a nearly full disk may accept only a part of it at first."""
    rest = memoryview(data)
    while rest:
        rest = rest[files.write(descriptor, rest) :]


def ensure_folder(path: Path, files: FileSystem = FILES, mode: int = PRIVATE_FOLDER) -> None:
    """Create a folder and its missing parents, durably. Raises OSError."""
    missing = []
    while not is_folder(path):
        missing.append(path)
        if path == path.parent:
            break
        path = path.parent
    for folder in reversed(missing):
        files.make_folder(folder, mode)
        files.sync_folder(folder.parent)


def storage_error(error: OSError, path: Path, doing: str, needed: int = 0) -> StorageError:
    """The error to raise for `error`; `doing` as in "Cannot <doing> <path>", `needed` in bytes.

    It names the folder if the error may be over later: see `fwtui.core.disk_errors`.
    """
    if isinstance(error, NotRegularError):
        return StorageError(f"Cannot {doing} {path}: {error.strerror}", "Move or delete it.")
    place = path_to_text(path.parent) if may_pass(error) else ""
    if kind_of(error) is DiskErrorKind.FULL:
        title = f"No room left to {doing} {path}"
        return DiskFullError(title, disk_hint(error), place=place, needed=needed)
    title = f"Cannot {doing} {path}: {reason_of(error)}"
    return StorageError(title, disk_hint(error), place=place, needed=needed if place else 0)


def is_folder(path: Path) -> bool:
    """Whether there is a folder. Raises OSError if that cannot be found out.

    Unlike `Path.is_dir`, which calls a disk that fails an absent folder (from Python 3.14 on) or
    raises (before): what cannot be looked at may exist.
    """
    found = _status(path, follow=True)
    return found is not None and stat.S_ISDIR(found.st_mode)


def is_regular(path: Path) -> bool:
    """Whether there is a file. Raises OSError if that cannot be found out."""
    found = _status(path, follow=True)
    return found is not None and stat.S_ISREG(found.st_mode)


def is_present(path: Path, *, follow: bool = False) -> bool:
    """Whether there is something of that name. Raises OSError if that cannot be found out.

    `follow`: a link counts as what it leads to.
    """
    return _status(path, follow=follow) is not None


def _status(path: Path, *, follow: bool) -> os.stat_result | None:
    try:
        return path.stat(follow_symlinks=follow)
    except OSError as error:
        if kind_of(error) in {DiskErrorKind.MISSING, DiskErrorKind.NAME}:
            return None
        raise
    except ValueError:  # a NUL in the name
        return None


def own_error(error: OSError, path: Path, doing: str) -> StorageError:
    """As `storage_error`, for a file of fwtui's own: says which command mends its permissions."""
    told = storage_error(error, path, doing)
    hint = access_hint(path) if kind_of(error) is DiskErrorKind.REFUSED else ""
    if hint:
        told.hint = hint
    return told


def folder_error(error: OSError, folder: Path) -> StorageError:
    """The error for one of fwtui's folders that cannot be looked into."""
    return own_error(error, folder, "look into")


def access_hint(path: Path) -> str:
    """What to do about a file or folder that may not be used; empty if it is not known."""
    if sys.platform == "win32":
        return ""
    closed = None
    with contextlib.suppress(OSError):
        for folder in (*reversed(path.parents), path):
            found = folder.stat()
            wanted = os.R_OK | os.W_OK | (os.X_OK if stat.S_ISDIR(found.st_mode) else 0)
            is_last = folder in {path, path.parent}
            if not os.access(folder, wanted if is_last else os.X_OK):
                closed = folder, found.st_uid
                break
    if closed is None:
        return ""
    folder, owner = closed
    name = shlex.quote(os.fspath(folder))
    if owner == os.geteuid():
        return f"Allow it: chmod -R u+rwX {name}"
    return f"{folder} belongs to {_user(owner)}. Make it yours: sudo chown -R {_user()} {name}"


def _user(number: int | None = None) -> str:
    """The name of a user, by default of this one; the number if it has none."""
    number = os.geteuid() if number is None else number
    try:
        import pwd

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):
        return str(number)


TEMP_PREFIX = ".fwtui-"
TEMP_SUFFIX = ".tmp"


def write_atomic(
    path: Path,
    data: bytes | Iterable[bytes],
    mode: int = 0o644,
    *,
    owner: str = "",
    like: Path | None = None,
    files: FileSystem = FILES,
) -> None:
    """Write `data` to `path`, durably and atomically; its folder must exist.

    On any error `path` is unchanged. `mode` is subject to the umask; the rights of the file `like`
    take its place. `owner` names a writer of
    which there is only one at a time: a temporary file that a crash of it left beside `path` is
    removed when it writes `path` again. Raises DiskFullError or StorageError; what the iterable
    raises passes through.
    """
    temp = write_temp(path, data, mode, owner=owner, like=like, files=files)
    try:
        files.replace(temp, path)
        files.sync_folder(path.parent)
    except OSError as error:
        remove_quietly(temp, files)
        raise storage_error(error, path, "write") from error


def replace_file(path: Path, data: bytes, *, files: FileSystem = FILES) -> None:
    """Write a file that users edit, too: as `write_output`, but its folder is created."""
    try:
        ensure_folder(path.parent, files, 0o777)
    except OSError as error:
        raise storage_error(error, path, "write") from error
    write_output(path, data, files=files)


def write_output(
    path: Path, data: bytes | Iterable[bytes], *, owner: str = "", files: FileSystem = FILES
) -> None:
    """Write a file of the user's: as `write_atomic`, but with the rights that the user gave it.

    A new file obeys the umask. One that exists keeps its mode, owner, group and access list; a
    link to it stays a link. One that is read-only is not replaced. Raises as `write_atomic`.
    """
    try:
        target = Path(os.path.realpath(path))
        exists = is_present(target, follow=True)
        refusal = _refusal(target) if exists else ""
    except OSError as error:
        raise storage_error(error, path, "write") from error
    if refusal:
        raise StorageError(f"{path} {refusal}", _REFUSED_HINT)
    write_atomic(target, data, 0o666, owner=owner, like=target if exists else None, files=files)


_REFUSED_HINT = "make it writable, move it away or delete it, then retry"


def _refusal(target: Path) -> str:
    """Why an existing file must not be replaced; empty if it may be. Raises OSError."""
    status = target.stat()
    if not stat.S_ISREG(status.st_mode):
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        return f"is {what} and was not replaced"
    if is_read_only(target):
        return "is read-only and was not replaced"
    return ""


def is_read_only(path: Path) -> bool:
    """Whether a file is there that this user is not to write to. Raises OSError.

    A file that nobody may write to is read-only for root too.
    """
    found = _status(path, follow=True)
    if found is None or not stat.S_ISREG(found.st_mode):
        return False
    nobody = not stat.S_IMODE(found.st_mode) & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    return nobody or not os.access(path, os.W_OK)


def write_temp(
    path: Path,
    data: bytes | Iterable[bytes],
    mode: int = 0o644,
    *,
    owner: str = "",
    like: Path | None = None,
    files: FileSystem = FILES,
) -> Path:
    """Write `data`, durably, to a temporary file beside `path`; returns its path.

    Nothing is left behind on an error. Raises as `write_atomic`.
    """
    temp = path.with_name(f"{TEMP_PREFIX}{_label(path, owner)}{TEMP_SUFFIX}")
    try:
        if owner:
            files.unlink(temp)
        descriptor = files.open(temp, CREATE, PRIVATE_FILE if like else mode)
    except OSError as error:
        raise storage_error(error, path, "write") from error
    counter = _Counter((data,) if isinstance(data, bytes) else data)
    try:
        _fill(files, descriptor, counter, like)
    except OSError as error:
        remove_quietly(temp, files)
        raise storage_error(error, path, "write", counter.all()) from error
    except BaseException:
        remove_quietly(temp, files)
        raise
    return temp


class _Counter:
    """Counts the bytes of the pieces that it yields."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._count = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._count += len(piece)
            yield piece

    def all(self) -> int:
        """Bytes of all pieces, those not yet yielded included."""
        return self._count + sum(map(len, self._pieces))


def _label(path: Path, owner: str) -> str:
    """Part of a temporary name; not the target's, which may be as long as possible."""
    if not owner:
        return secrets.token_hex(8)
    return blake2b(
        f"{owner}\0{path.name}".encode(errors="surrogatepass"), digest_size=8
    ).hexdigest()


def _fill(files: FileSystem, descriptor: int, chunks: Iterable[bytes], like: Path | None) -> None:
    try:
        if like is not None:
            files.copy_rights(descriptor, like)
        for chunk in chunks:
            write_all(files, descriptor, chunk)
        files.fsync(descriptor)
    finally:
        files.close(descriptor)


def remove_quietly(path: Path, files: FileSystem = FILES) -> None:
    """Delete a file and ignore errors: the error that led here matters more."""
    with contextlib.suppress(OSError):
        files.unlink(path)
