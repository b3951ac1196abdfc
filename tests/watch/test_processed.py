"""The history of taken files: durable, exclusive, and whole whatever happens to its file."""

import subprocess
from pathlib import Path

import pytest

from fwtui.audio.identity import Identity
from fwtui.core.watched_folder import WatchedFolder
from fwtui.errors import SessionInUseError
from fwtui.watch.processed import (
    FileStatus,
    ProcessedFile,
    ProcessedFiles,
    check_not_watched,
    forget_folder,
    history_path,
    known_path,
    one_folder,
)
from tests.faults.faulty_disk import FaultyDisk
from tests.optional import Optional

FOLDER = "/media/in"


def entry(path: str, digest: str, status: FileStatus = "queued") -> ProcessedFile:
    return ProcessedFile(path, str(Identity(digest, 10, 20)), status, "20260101_000000")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "watched"


def reopened(directory: Path) -> ProcessedFiles:
    return ProcessedFiles.open(directory, FOLDER)


def test_what_is_written_down_is_there_again(directory: Path) -> None:
    history = reopened(directory)
    assert history.is_new
    history.create([entry("/media/in/old.wav", "old", "left")])
    history.add([entry("/media/in/a.wav", "a"), entry("/media/in/b.wav", "b")])
    history.set_status("/media/in/a.wav", "done")
    history.close()
    history = reopened(directory)
    assert not history.is_new
    assert [one.path for one in history.queued()] == ["/media/in/b.wav"]
    found = history.at("/media/in/a.wav")
    assert found is not None
    assert found.status == "done"
    assert [one.status for one in history.with_content("old")] == ["left"]
    history.close()


def test_forgotten_is_as_never_seen_and_former_content_is_still_known(directory: Path) -> None:
    history = reopened(directory)
    history.create()
    history.add([entry("/media/in/a.wav", "first"), entry("/media/in/a.wav", "second")])
    history.add([entry("/media/in/b.wav", "b"), entry("/media/in/b.wav", "b", "forgotten")])
    for _ in range(2):  # also after it was read again
        assert history.at("/media/in/b.wav") is None
        assert history.with_content("b") == ()
        assert [one.path for one in history.with_content("first")] == ["/media/in/a.wav"]
        history.close()
        history = reopened(directory)
    history.close()


def test_a_ledger_that_grew_is_rewritten_with_all_that_counts(directory: Path) -> None:
    history = reopened(directory)
    history.create()
    history.add([entry("/media/in/a.wav", "former"), entry("/media/in/b.wav", "b")])
    fates: tuple[FileStatus, ...] = ("done", "queued")
    history.add([entry("/media/in/a.wav", "a", status) for status in fates * 750])
    history.close()
    size = history_path(directory, FOLDER).stat().st_size
    history = reopened(directory)
    history.close()
    assert history_path(directory, FOLDER).stat().st_size < size / 100
    history = reopened(directory)
    assert [one.known.digest for one in history.queued()] == ["a", "b"]
    assert len(history.with_content("former")) == 1
    history.close()


@pytest.mark.parametrize("cut", [1, 30])
def test_a_torn_line_was_never_written(directory: Path, cut: int) -> None:
    history = reopened(directory)
    history.create()
    history.add([entry("/media/in/a.wav", "a")])
    history.add([entry("/media/in/b.wav", "b")])
    history.close()
    path = history_path(directory, FOLDER)
    path.write_bytes(path.read_bytes()[:-cut])
    history = reopened(directory)
    assert [one.path for one in history.queued()] == ["/media/in/a.wav"]
    assert history.problem == ""
    history.add([entry("/media/in/c.wav", "c")])
    history.close()
    history = reopened(directory)
    assert [one.path for one in history.queued()] == ["/media/in/a.wav", "/media/in/c.wav"]
    history.close()


@pytest.mark.parametrize("at", [5, 150])
def test_damage_is_told_and_kept_aside(directory: Path, at: int) -> None:
    history = reopened(directory)
    history.create()
    history.add([entry(f"/media/in/{number}.wav", f"{number}") for number in range(9)])
    history.close()
    path = history_path(directory, FOLDER)
    data = bytearray(path.read_bytes())
    data[at] ^= 255
    path.write_bytes(data)
    history = reopened(directory)
    assert "damaged" in history.problem
    history.add([entry("/media/in/new.wav", "new")])
    history.close()
    (aside,) = directory.glob("*.damaged-*")
    assert aside.read_bytes() == data
    history = reopened(directory)
    assert history.problem == ""
    assert history.at("/media/in/new.wav") is not None
    history.close()


def test_one_fwtui_watches_a_folder(directory: Path) -> None:
    check_not_watched(directory, FOLDER)
    history = reopened(directory)
    with pytest.raises(SessionInUseError, match="already being watched"):
        reopened(directory)
    with pytest.raises(SessionInUseError):
        check_not_watched(directory, FOLDER)
    history.close()
    check_not_watched(directory, FOLDER)


def test_forgetting_all(directory: Path) -> None:
    history = reopened(directory)
    history.create([entry("/media/in/a.wav", "a")])
    history.close()
    forget_folder(directory, FOLDER)
    history = reopened(directory)
    assert history.is_new
    assert history.at("/media/in/a.wav") is None
    history.close()


def by_other_names(tmp_path: Path) -> tuple[Path, list[Path]]:
    """A folder, and other paths to it."""
    real = (tmp_path / "media" / "in").resolve()
    real.mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "up").symlink_to(real.parent)
    return real, [
        tmp_path / "link",
        tmp_path / "up" / "in",
        real / ".." / "in",
        Path(f"{real}/"),
        tmp_path / "link" / "." / ".." / "in",
    ]


def test_a_folder_is_one_by_whatever_path(tmp_path: Path, directory: Path) -> None:
    real, others = by_other_names(tmp_path)
    for path in (real, *others):
        one = WatchedFolder(path=str(path), after="move", move_to=str(path.parent / "out"))
        assert one_folder(one, directory).path == str(real)
    apart = WatchedFolder(path=str(tmp_path), after="move", move_to=str(tmp_path / "link" / ".."))
    assert one_folder(apart, directory).move_to == str(real.parent)


def test_a_folder_keeps_the_name_that_it_is_known_by(tmp_path: Path, directory: Path) -> None:
    """Earlier versions did not look where links lead."""
    real, others = by_other_names(tmp_path)
    known = ProcessedFiles.open(directory, str(others[0]))
    known.create()
    known.close()
    for path in (real, *others):
        assert known_path(path, directory) == others[0]
    others[0].unlink()  # that name is no longer one of it
    assert known_path(real, directory) == real


@pytest.mark.skipif(not FaultyDisk.is_possible(), reason=Optional.MOUNT.reason)
def test_a_folder_that_is_mounted_at_two_places(tmp_path: Path, directory: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    known = ProcessedFiles.open(directory, str(first))
    known.create()
    known.close()
    subprocess.run(["mount", "--bind", str(first), str(second)], check=True)
    try:
        assert known_path(second, directory) == first
    finally:
        subprocess.run(["umount", str(second)], check=True)
    assert known_path(second, directory) == second


def test_histories_that_cannot_be_read_hide_no_folder(tmp_path: Path, directory: Path) -> None:
    directory.mkdir()
    (directory / "a.taken").write_bytes(b"\xff" * 100)
    (directory / "b.taken").mkdir()
    assert known_path(tmp_path, directory) == tmp_path.resolve()
