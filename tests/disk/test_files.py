import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fwtui.disk.files import FileSystem, ensure_folder, write_atomic, write_temp
from fwtui.errors import DiskFullError, StorageError


class Full(FileSystem):
    """A disk that takes `room` bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = super().write(descriptor, data[: self.room])
        self.room -= written
        return written


def test_writes_bytes_and_chunks(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_atomic(target, b"one")
    assert target.read_bytes() == b"one"
    write_atomic(target, (chunk for chunk in (b"t", b"", b"wo")))
    assert target.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_mode_and_longest_name(tmp_path: Path) -> None:
    target = tmp_path / ("ü" * 125 + ".json")
    write_atomic(target, b"x", mode=0o600)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_full_disk_leaves_the_old_file_alone(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")
    with pytest.raises(DiskFullError, match=r"a\.txt") as caught:
        write_atomic(target, b"much too long", files=Full(4))
    assert caught.value.hint
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_short_writes_are_continued(tmp_path: Path) -> None:
    class Slow(FileSystem):
        def write(self, descriptor: int, data: bytes | memoryview) -> int:
            return super().write(descriptor, data[:3])

    write_atomic(tmp_path / "a", b"0123456789", files=Slow())
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_an_error_of_the_data_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_atomic(tmp_path / "a", broken())
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Cannot write"):
        write_atomic(tmp_path / "none" / "a", b"")


def test_folders_are_private(tmp_path: Path) -> None:
    ensure_folder(tmp_path / "state" / "sessions")
    for folder in (tmp_path / "state", tmp_path / "state" / "sessions"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    ensure_folder(tmp_path / "state" / "sessions")


def test_an_owner_clears_away_what_its_crash_left(tmp_path: Path) -> None:
    write_temp(tmp_path / "a", b"killed before it was renamed", owner="me")
    write_temp(tmp_path / "a", b"somebody else at work", owner="you")
    write_temp(tmp_path / "a", b"nobody in particular")
    assert len(list(tmp_path.iterdir())) == 3
    write_atomic(tmp_path / "a", b"done", owner="me")
    assert (tmp_path / "a").read_bytes() == b"done"
    assert len(list(tmp_path.iterdir())) == 3


def test_an_owner_does_not_write_through_a_link(tmp_path: Path) -> None:
    temp = write_temp(tmp_path / "a", b"x", owner="me")
    other = tmp_path / "other"
    temp.rename(other)
    temp.symlink_to(other)
    write_atomic(tmp_path / "a", b"done", owner="me")
    assert other.read_bytes() == b"x"
    assert not temp.is_symlink()
