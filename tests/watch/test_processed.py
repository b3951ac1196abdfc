"""The ledger of taken files: durable, exclusive, and whole whatever happens to its file."""

from pathlib import Path

import pytest

from fwtui.audio.identity import Identity
from fwtui.errors import SessionInUseError
from fwtui.watch.processed import Fate, Taken, TakenLedger, check_free, forget_all, ledger_path

FOLDER = "/media/in"


def entry(path: str, digest: str, fate: Fate = "queued") -> Taken:
    return Taken(path, str(Identity(digest, 10, 20)), fate, "20260101_000000")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "watched"


def reopened(directory: Path) -> TakenLedger:
    return TakenLedger.open(directory, FOLDER)


def test_what_is_written_down_is_there_again(directory: Path) -> None:
    ledger = reopened(directory)
    assert ledger.is_new
    ledger.begin([entry("/media/in/old.wav", "old", "left")])
    ledger.add([entry("/media/in/a.wav", "a"), entry("/media/in/b.wav", "b")])
    ledger.change("/media/in/a.wav", "done")
    ledger.close()
    ledger = reopened(directory)
    assert not ledger.is_new
    assert [one.path for one in ledger.queued()] == ["/media/in/b.wav"]
    found = ledger.at("/media/in/a.wav")
    assert found is not None
    assert found.fate == "done"
    assert [one.fate for one in ledger.like("old")] == ["left"]
    ledger.close()


def test_forgotten_is_as_never_seen_and_former_content_is_still_known(directory: Path) -> None:
    ledger = reopened(directory)
    ledger.begin()
    ledger.add([entry("/media/in/a.wav", "first"), entry("/media/in/a.wav", "second")])
    ledger.add([entry("/media/in/b.wav", "b"), entry("/media/in/b.wav", "b", "forgotten")])
    for _ in range(2):  # also after it was read again
        assert ledger.at("/media/in/b.wav") is None
        assert ledger.like("b") == ()
        assert [one.path for one in ledger.like("first")] == ["/media/in/a.wav"]
        ledger.close()
        ledger = reopened(directory)
    ledger.close()


def test_a_ledger_that_grew_is_rewritten_with_all_that_counts(directory: Path) -> None:
    ledger = reopened(directory)
    ledger.begin()
    ledger.add([entry("/media/in/a.wav", "former"), entry("/media/in/b.wav", "b")])
    fates: tuple[Fate, ...] = ("done", "queued")
    ledger.add([entry("/media/in/a.wav", "a", fate) for fate in fates * 750])
    ledger.close()
    size = ledger_path(directory, FOLDER).stat().st_size
    ledger = reopened(directory)
    ledger.close()
    assert ledger_path(directory, FOLDER).stat().st_size < size / 100
    ledger = reopened(directory)
    assert [one.known.digest for one in ledger.queued()] == ["a", "b"]
    assert len(ledger.like("former")) == 1
    ledger.close()


@pytest.mark.parametrize("cut", [1, 30])
def test_a_torn_line_was_never_written(directory: Path, cut: int) -> None:
    ledger = reopened(directory)
    ledger.begin()
    ledger.add([entry("/media/in/a.wav", "a")])
    ledger.add([entry("/media/in/b.wav", "b")])
    ledger.close()
    path = ledger_path(directory, FOLDER)
    path.write_bytes(path.read_bytes()[:-cut])
    ledger = reopened(directory)
    assert [one.path for one in ledger.queued()] == ["/media/in/a.wav"]
    assert ledger.problem == ""
    ledger.add([entry("/media/in/c.wav", "c")])
    ledger.close()
    ledger = reopened(directory)
    assert [one.path for one in ledger.queued()] == ["/media/in/a.wav", "/media/in/c.wav"]
    ledger.close()


@pytest.mark.parametrize("at", [5, 150])
def test_damage_is_told_and_kept_aside(directory: Path, at: int) -> None:
    ledger = reopened(directory)
    ledger.begin()
    ledger.add([entry(f"/media/in/{number}.wav", f"{number}") for number in range(9)])
    ledger.close()
    path = ledger_path(directory, FOLDER)
    data = bytearray(path.read_bytes())
    data[at] ^= 255
    path.write_bytes(data)
    ledger = reopened(directory)
    assert "damaged" in ledger.problem
    ledger.add([entry("/media/in/new.wav", "new")])
    ledger.close()
    (aside,) = directory.glob("*.damaged-*")
    assert aside.read_bytes() == data
    ledger = reopened(directory)
    assert ledger.problem == ""
    assert ledger.at("/media/in/new.wav") is not None
    ledger.close()


def test_one_fwtui_watches_a_folder(directory: Path) -> None:
    check_free(directory, FOLDER)
    ledger = reopened(directory)
    with pytest.raises(SessionInUseError, match="watched already"):
        reopened(directory)
    with pytest.raises(SessionInUseError):
        check_free(directory, FOLDER)
    ledger.close()
    check_free(directory, FOLDER)


def test_forgetting_all(directory: Path) -> None:
    ledger = reopened(directory)
    ledger.begin([entry("/media/in/a.wav", "a")])
    ledger.close()
    forget_all(directory, FOLDER)
    ledger = reopened(directory)
    assert ledger.is_new
    assert ledger.at("/media/in/a.wav") is None
    ledger.close()
