"""What happens to a source: moved without ever replacing another file, or tagged."""

import errno
import os
from pathlib import Path

import pytest

from fwtui.audio.identity import identify
from fwtui.core.watched_folder import WatchedFolder
from fwtui.watch import actions
from fwtui.watch.actions import FileReplaced, apply_after_action
from tests.optional import Optional


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "week 1" / "talk.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"sound")
    return path


def folder(tmp_path: Path, how: str, to: str = "") -> WatchedFolder:
    import msgspec

    plain = {"path": str(tmp_path / "in"), "after": how, "move_to": to}
    return msgspec.convert(plain, WatchedFolder)


def test_it_is_left(tmp_path: Path, source: Path) -> None:
    assert apply_after_action(folder(tmp_path, "leave"), source, identify(source)) == source
    assert source.exists()


def test_it_is_moved_with_its_folders_and_replaces_nothing(tmp_path: Path, source: Path) -> None:
    moving, known = folder(tmp_path, "move"), identify(source)
    there = tmp_path / "in" / "transcribed" / "week 1" / "talk.wav"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"another talk")
    place = apply_after_action(moving, source, known)
    assert place == there.with_name("talk (2).wav")
    assert (there.read_bytes(), place.read_bytes()) == (b"another talk", b"sound")
    assert not source.exists()
    # After a crash between the move and its record it is found where it was moved to.
    assert apply_after_action(moving, source, known) == place
    place.unlink()
    with pytest.raises(FileNotFoundError):
        apply_after_action(moving, source, known)


def test_it_is_copied_whole_to_another_disk(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def other_disk(self: Path, target: Path) -> Path:
        if self == source:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", other_disk)
    elsewhere = tmp_path / "elsewhere"
    place = apply_after_action(folder(tmp_path, "move", str(elsewhere)), source, identify(source))
    assert place == elsewhere / "week 1" / "talk.wav"
    assert place.read_bytes() == b"sound"
    assert not source.exists()
    assert [path.name for path in place.parent.iterdir()] == ["talk.wav"]


@pytest.mark.parametrize("how", ["move", "tag"])
def test_a_file_that_is_another_one_now_is_not_touched(
    tmp_path: Path, source: Path, how: str
) -> None:
    known = identify(source)
    source.write_bytes(b"other sound")
    with pytest.raises(FileReplaced):
        apply_after_action(folder(tmp_path, how), source, known)
    assert source.read_bytes() == b"other sound"


@pytest.mark.skipif(not actions.can_tag, reason=Optional.SYSTEM.reason)
def test_it_is_tagged_beside_its_other_tags(tmp_path: Path, source: Path) -> None:
    try:
        os.setxattr(source, "user.xdg.tags", b"mine")
    except OSError:
        pytest.skip(Optional.SYSTEM.reason)
    known = identify(source)
    for _ in range(2):
        assert apply_after_action(folder(tmp_path, "tag"), source, known) == source
        assert os.getxattr(source, "user.xdg.tags") == b"mine,transcribed"
    assert identify(source) == known
