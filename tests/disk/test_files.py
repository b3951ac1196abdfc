import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fwtui.config.locations import save_maps
from fwtui.config.profiles import Profile
from fwtui.config.save import save_profile, save_settings
from fwtui.core.settings import DecodingSettings, Settings
from fwtui.disk.files import FileSystem, ensure_folder, replace_file, write_atomic, write_temp
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


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the calls that make a file durable, in their order."""
    made: list[str] = []

    def record(name: str) -> None:
        real = getattr(FileSystem, name)

        def call(self: FileSystem, *args: object) -> object:
            made.append(name)
            return real(self, *args)

        monkeypatch.setattr(FileSystem, name, call)

    for name in ("write", "fsync", "replace", "sync_folder"):
        record(name)
    return made


DURABLE = ["write", "fsync", "replace", "sync_folder"]


def test_a_file_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, calls: list[str]) -> None:
    write_atomic(tmp_path / "a", b"x")
    replace_file(tmp_path / "b", b"x")
    assert calls == 2 * DURABLE


@pytest.mark.parametrize("name", ["settings", "profile", "path maps"])
def test_settings_and_path_maps_are_durable(tmp_path: Path, calls: list[str], name: str) -> None:
    path = tmp_path / "file.toml"
    match name:
        case "settings":
            save_settings(path, Settings(decoding=DecodingSettings(beam_size=1)))
        case "profile":
            save_profile(path, Profile("mine", "", {"decoding.beam_size": 1}))
        case _:
            save_maps(path, {"D:\\Audio": "/mnt/audio"})
    assert path.exists()
    assert calls == DURABLE


@pytest.mark.skipif(os.name != "posix", reason="modes and links are others elsewhere")
def test_a_file_that_is_replaced_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    file, link = tmp_path / "dotfiles.toml", tmp_path / "link.toml"
    file.write_bytes(b"old")
    file.chmod(0o600)
    link.symlink_to(file)
    replace_file(link, b"new")
    assert (link.is_symlink(), file.read_bytes()) == (True, b"new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    replace_file(tmp_path / "folder" / "new.toml", b"x")
    assert stat.S_IMODE((tmp_path / "folder" / "new.toml").stat().st_mode) == 0o644


def test_a_full_disk_leaves_the_settings_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"old")
    with pytest.raises(DiskFullError):
        replace_file(file, b"much too long", files=Full(4))
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["settings.toml"]
