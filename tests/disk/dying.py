"""A file system that dies at the n-th call, as a process killed there would."""

import os
from pathlib import Path

from fwtui.disk.files import FileSystem


class Died(BaseException):
    """The process is gone: nothing but the test may catch this."""


class DyingFiles(FileSystem):
    """Dies at call number `last` (from 0) and at every later one; `calls` counts them.

    A death during a write leaves a part of it. `bury` closes what a dead process had open.
    """

    def __init__(self, last: int | None = None) -> None:
        self.last = last
        self.calls = 0
        self._open: set[int] = set()

    def _step(self) -> bool:
        """Whether this is the call in which it dies."""
        self.calls += 1
        if self.last is None or self.calls <= self.last:
            return False
        if self.calls > self.last + 1:
            raise Died
        return True

    def _die_or_not(self) -> None:
        if self._step():
            raise Died

    def bury(self) -> None:
        for descriptor in self._open:
            os.close(descriptor)
        self._open.clear()

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        self._die_or_not()
        descriptor = super().open(path, flags, mode)
        self._open.add(descriptor)
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if self._step():
            super().write(descriptor, data[: len(data) // 2])
            raise Died
        return super().write(descriptor, data)

    def truncate(self, descriptor: int, length: int) -> None:
        self._die_or_not()
        super().truncate(descriptor, length)

    def fsync(self, descriptor: int) -> None:
        # Not for real: thousands of them would take minutes, and no power is cut here.
        self._die_or_not()

    def close(self, descriptor: int) -> None:
        self._die_or_not()
        self._open.discard(descriptor)
        super().close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._die_or_not()
        super().replace(source, target)

    def unlink(self, path: Path) -> None:
        self._die_or_not()
        super().unlink(path)

    def make_folder(self, path: Path, mode: int) -> None:
        self._die_or_not()
        super().make_folder(path, mode)

    def sync_folder(self, path: Path) -> None:
        self._die_or_not()


class PowerFiles(DyingFiles):
    """As `DyingFiles`, and remembers what would survive a power cut at the worst.

    Of a file that is what was in it at its last fsync, under the name it had in its folder when
    the folder was last synced.
    """

    def __init__(self, last: int | None = None) -> None:
        super().__init__(last)
        self._names: dict[Path, int] = {}
        self._content: dict[int, bytes] = {}
        self._inodes: dict[int, tuple[int, Path]] = {}
        self._kept: list[int] = []
        self._late: dict[Path, int] = {}

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        descriptor = super().open(path, flags, mode)
        # A duplicate, so that the number of a deleted file's inode is not used again.
        self._kept.append(os.dup(descriptor))
        self._inodes[descriptor] = (os.fstat(descriptor).st_ino, path)
        return descriptor

    def fsync(self, descriptor: int) -> None:
        super().fsync(descriptor)
        size = os.fstat(descriptor).st_size
        inode, _ = self._inodes[descriptor]
        with Path(f"/proc/self/fd/{descriptor}").open("rb") as file:
            self._content[inode] = file.read(size)

    def sync_folder(self, path: Path) -> None:
        super().sync_folder(path)
        self._names = {name: n for name, n in self._names.items() if name.parent != path}
        self._late.clear()
        self._names.update((name, name.stat().st_ino) for name in path.iterdir() if name.is_file())

    def bury(self) -> None:
        super().bury()
        for descriptor in self._kept:
            os.close(descriptor)
        self._kept.clear()

    def replace(self, source: Path, target: Path) -> None:
        super().replace(source, target)
        self._late = {target: target.stat().st_ino}

    def cut_power(self, folder: Path, *, late: bool) -> None:
        """Make the folder what it would be after the power came back.

        `late`: the last rename has reached the disk, though no earlier one that was not synced.
        """
        if late:
            self._names |= self._late
        for path in folder.iterdir():
            path.unlink()
        for path, inode in self._names.items():
            if path.parent == folder:
                path.write_bytes(self._content.get(inode, b""))
