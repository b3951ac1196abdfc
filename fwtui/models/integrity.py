"""Whether the files of a downloaded model are those that the hub announced.

In the hub's cache a file is named after its digest: SHA-256, or git's SHA-1 for small files. Small
ones are read each time; of large ones, the result is remembered for a size and a time of change.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import msgspec

from fwtui.config.locations import Locations
from fwtui.disk.files import write_atomic
from fwtui.errors import StorageError

DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A digest in hex; nothing else may become the name of a file."""
_SMALL = 32 << 20  # bytes
_PIECE = 1 << 20
_MOST_REMEMBERED = 100
_MOST_BYTES = 1 << 20  # of the file with the results


def digest_of(stream: IO[bytes], size: int, length: int) -> str:
    """The digest of a stream in hex, of the kind that has `length` digits."""
    if length == 40:
        found = hashlib.sha1(usedforsecurity=False)
        found.update(b"blob %d\0" % size)
    else:
        found = hashlib.sha256()
    stream.seek(0)
    while piece := stream.read(_PIECE):
        found.update(piece)
    return found.hexdigest()


def is_intact(blob: Path) -> bool:
    """Whether a file of the cache has the digest that it is named after. Raises OSError."""
    with blob.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        return digest_of(stream, size, len(blob.name)) == blob.name


def damaged_files(folder: Path, environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """The names of the files in a snapshot of the hub's cache that are not what they were.

    Files that are no links into the cache have no digest to compare with. Raises OSError.
    """
    memory = VerifiedFiles(Locations.default(environ).cache / "verified.json")
    for file in sorted(folder.iterdir()):
        blob = blob_of(file)
        if blob is None or memory.has(blob):
            continue
        if is_intact(blob):
            memory.add(blob)
        else:
            yield file.name
    memory.save()


def blob_of(file: Path) -> Path | None:
    """The file of the cache that a file of a snapshot stands for; None if it is no such link."""
    if not file.is_symlink():
        return None
    blob = file.resolve()
    is_named = blob.parent.name == "blobs" and DIGEST.fullmatch(blob.name)
    return blob if is_named and blob.is_file() else None


class _Remembered(msgspec.Struct):
    verified: dict[str, tuple[int, int]] = {}


class VerifiedFiles:
    """Large files that were found intact: path, size and time of change (ns), in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[str, tuple[int, int]] | None = None
        self._changed = False

    def has(self, blob: Path) -> bool:
        """Whether the file was found intact and has not changed since. Raises OSError."""
        stat = blob.stat()
        if stat.st_size <= _SMALL:
            return False
        return self._read().get(str(blob)) == (stat.st_size, stat.st_mtime_ns)

    def add(self, blob: Path) -> None:
        """Record a file that is intact; `save` writes it. Raises OSError."""
        stat = blob.stat()
        if stat.st_size > _SMALL:
            self._read()[str(blob)] = stat.st_size, stat.st_mtime_ns
            self._changed = True

    def save(self) -> None:
        """Write what was added; where that is not possible, files are read again next time."""
        if not self._changed:
            return
        latest = dict(list(self._read().items())[-_MOST_REMEMBERED:])
        with contextlib.suppress(StorageError, OSError, UnicodeEncodeError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, msgspec.json.encode(_Remembered(latest)), 0o600)

    def _read(self) -> dict[str, tuple[int, int]]:
        if self._found is None:
            self._found = {}
            with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
                if self._path.is_file() and self._path.stat().st_size <= _MOST_BYTES:
                    data = self._path.read_bytes()
                    self._found = msgspec.json.decode(data, type=_Remembered).verified
        return self._found
