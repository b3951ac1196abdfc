"""An open journal: records go in at its end, and come out by offset."""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from fwtui.disk.files import APPEND, FileSystem, write_all
from fwtui.sessions.journal import AnyRecord, encode_line
from fwtui.storage.faults import storage_error


class JournalFile:
    """A journal open for appending. Not thread-safe: the store has the lock."""

    def __init__(self, path: Path, length: int, files: FileSystem) -> None:
        """Open a journal whose first `length` bytes are intact; the rest will be cut off.

        Raises StorageError.
        """
        self._path = path
        self._length = length
        self._files = files
        self._descriptor: int | None = None
        try:
            self._torn = os.fstat(self._open()).st_size != length
        except OSError as error:
            raise storage_error(error, path, "open") from error

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = self._files.open(self._path, APPEND)
        return self._descriptor

    @property
    def length(self) -> int:
        """Bytes of intact records."""
        return self._length

    def append(self, records: Sequence[AnyRecord]) -> list[int]:
        """As `append_lines`."""
        return self.append_lines([encode_line(record) for record in records])

    def append_lines(self, lines: Sequence[bytes]) -> list[int]:
        """Write the lines at once and wait until they are on the disk; returns their offsets.

        If that fails, the file is cut back to what it was: now, or before the next append. After
        a crash meanwhile, some of them may be there, from the first on.
        Raises DiskFullError or StorageError.
        """
        try:
            self._cut()
            self._torn = True
            write_all(self._files, self._open(), b"".join(lines))
            self._files.fsync(self._open())
        except OSError as error:
            self._cut_if_possible()
            raise storage_error(error, self._path, "write", sum(map(len, lines))) from error
        self._torn = False
        *offsets, self._length = accumulate(map(len, lines), initial=self._length)
        return offsets

    def _cut(self) -> None:
        if self._torn:
            self._files.truncate(self._open(), self._length)
            self._files.fsync(self._open())
            self._torn = False

    def _cut_if_possible(self) -> None:
        try:
            self._cut()
        except OSError:
            self._torn = True

    def lines(self, offsets: Iterable[int]) -> Iterator[bytes]:
        """The lines at these offsets. Raises StorageError."""
        try:
            # Through our descriptor, not the path: after a failed compaction they can differ.
            with os.fdopen(os.dup(self._open()), "rb") as file:
                for offset in offsets:
                    file.seek(offset)
                    yield file.readline()
        except OSError as error:
            raise storage_error(error, self._path, "read") from error

    def let_go_of_name(self) -> None:
        """Make it possible to rename another file to this one's name."""
        # POSIX does not mind, and the records stay readable through the descriptor.
        if sys.platform == "win32":
            self.close()

    def close(self) -> None:
        """Close the file; every record is on the disk already."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with contextlib.suppress(OSError):
            self._files.close(descriptor)
