"""Files that are either the old one or the new one, whatever happens in between."""

import contextlib
import secrets
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

from fwtui.disk.files import CREATE, FILES, FileSystem, write_all
from fwtui.storage.faults import storage_error

TEMP_PREFIX = ".fwtui-"
TEMP_SUFFIX = ".tmp"


def write_atomic(
    path: Path,
    data: bytes | Iterable[bytes],
    mode: int = 0o644,
    *,
    owner: str = "",
    files: FileSystem = FILES,
) -> None:
    """Put `data` into `path`, durably and in one step; its folder must exist.

    On any error `path` is what it was before. `mode` is subject to the umask. `owner` names a
    writer of which there is only one at a time: what a crash of it left unfinished beside `path`
    is gone when it writes `path` again. Raises DiskFullError or StorageError; what the iterable
    raises passes through.
    """
    temp = write_temp(path, data, mode, owner=owner, files=files)
    try:
        files.replace(temp, path)
        files.sync_folder(path.parent)
    except OSError as error:
        remove_quietly(temp, files)
        raise storage_error(error, path, "write") from error


def write_temp(
    path: Path,
    data: bytes | Iterable[bytes],
    mode: int = 0o644,
    *,
    owner: str = "",
    files: FileSystem = FILES,
) -> Path:
    """Write `data`, durably, to a new file beside `path`, to be renamed; returns its path.

    Nothing is left behind on an error. Raises as `write_atomic`.
    """
    temp = path.with_name(f"{TEMP_PREFIX}{_label(path, owner)}{TEMP_SUFFIX}")
    try:
        if owner:
            files.unlink(temp)
        descriptor = files.open(temp, CREATE, mode)
    except OSError as error:
        raise storage_error(error, path, "write") from error
    counter = _Counter((data,) if isinstance(data, bytes) else data)
    try:
        _fill(files, descriptor, counter)
    except OSError as error:
        remove_quietly(temp, files)
        raise storage_error(error, path, "write", counter.all()) from error
    except BaseException:
        remove_quietly(temp, files)
        raise
    return temp


class _Counter:
    """Passes pieces on and counts their bytes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._count = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._count += len(piece)
            yield piece

    def all(self) -> int:
        """Bytes of all pieces, also of those that nobody asked for."""
        return self._count + sum(map(len, self._pieces))


def _label(path: Path, owner: str) -> str:
    """Does not contain the target's name: that may be as long as the file system allows."""
    if not owner:
        return secrets.token_hex(8)
    return blake2b(
        f"{owner}\0{path.name}".encode(errors="surrogatepass"), digest_size=8
    ).hexdigest()


def _fill(files: FileSystem, descriptor: int, chunks: Iterable[bytes]) -> None:
    try:
        for chunk in chunks:
            write_all(files, descriptor, chunk)
        files.fsync(descriptor)
    finally:
        files.close(descriptor)


def remove_quietly(path: Path, files: FileSystem = FILES) -> None:
    """Delete a file if that can be done; the error that led here matters more."""
    with contextlib.suppress(OSError):
        files.unlink(path)
