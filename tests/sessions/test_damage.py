"""Torn ends, corrupt middles, broken snapshots, newer versions."""

import random
from pathlib import Path

import msgspec
import pytest

from fwtui.core.events import JobsAdded
from fwtui.core.settings import Settings
from fwtui.errors import SessionTooNewError, StorageError
from fwtui.sessions.catalog import list_sessions
from fwtui.sessions.snapshot import UnreadableError
from fwtui.sessions.store import SessionStore
from tests.sessions import samples

ID = "20251214_123456"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The journal of a session with a file of four windows."""
    store = SessionStore.create(tmp_path, Settings(), samples.NOW)
    store.commit(JobsAdded((samples.job(1),)))
    store.begin_file(1, samples.plan())
    for number in range(1, 5):
        store.add_window(1, samples.window(number))
    store.close()
    return tmp_path / f"{ID}.journal"


def windows(store: SessionStore) -> list[int]:
    return [segment.id for segment in store.segments(1)]


@pytest.mark.parametrize("missing", [1, 2, 30, 200])
def test_a_torn_last_line_is_dropped(journal: Path, missing: int) -> None:
    journal.write_bytes(journal.read_bytes()[:-missing])
    store = SessionStore.open(journal.parent, ID)
    assert windows(store) == [1, 2, 3]
    assert store.problems == ()
    assert not (journal.parent / "quarantine").exists()
    store.add_window(1, samples.window(4))
    store.close()
    assert windows(SessionStore.open(journal.parent, ID)) == [1, 2, 3, 4]


def test_zeros_at_the_end_are_a_torn_line(journal: Path) -> None:
    """What some file systems leave after a power cut."""
    journal.write_bytes(journal.read_bytes() + bytes(5000))
    store = SessionStore.open(journal.parent, ID)
    assert windows(store) == [1, 2, 3, 4]
    assert store.problems == ()


def damage_line(journal: Path, number: int, new: bytes | None = None) -> bytes:
    lines = journal.read_bytes().splitlines(keepends=True)
    line = bytearray(lines[number])
    line[len(line) // 2] ^= 1
    lines[number] = bytes(line) if new is None else new
    journal.write_bytes(b"".join(lines))
    return journal.read_bytes()


@pytest.mark.parametrize(
    "new", [None, b"\n", b"not json at all\n", b'["00000000",{}]\n', b"\xff\n"]
)
def test_a_corrupt_middle_ends_what_counts(journal: Path, new: bytes | None) -> None:
    before = damage_line(journal, 4, new)
    store = SessionStore.open(journal.parent, ID)
    assert windows(store) == [1]
    (problem,) = store.problems
    copy = journal.parent / "quarantine" / journal.name
    assert str(copy) in problem
    assert copy.read_bytes() == before
    store.add_window(1, samples.window(2))
    store.close()
    store = SessionStore.open(journal.parent, ID)
    assert store.problems == ()
    assert windows(store) == [1, 2]


def test_a_corrupt_header_costs_the_journal_only(journal: Path) -> None:
    damage_line(journal, 0)
    store = SessionStore.open(journal.parent, ID)
    assert len(store.problems) == 1
    assert store.session.jobs == ()


def test_quarantine_never_overwrites(journal: Path) -> None:
    for _ in range(3):
        journal.write_bytes(b"junk\nmore\n")
        store = SessionStore.open(journal.parent, ID)
        store.commit(
            JobsAdded((samples.job(store.session.jobs[-1].id + 1 if store.session.jobs else 1),))
        )
        store.close()
    names = sorted(path.name for path in (journal.parent / "quarantine").iterdir())
    assert names == [journal.name, f"{journal.name}.2", f"{journal.name}.3"]


def test_random_damage_never_raises_or_invents(journal: Path) -> None:
    good = journal.read_bytes()
    chance = random.Random(7)
    for _ in range(35):
        data = bytearray(good)
        for _ in range(chance.choice((1, 1, 3))):
            spot = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[spot] = chance.randrange(256)
                case 1:
                    del data[spot : spot + chance.randrange(1, 200)]
                case _:
                    data[spot:spot] = chance.randbytes(chance.randrange(1, 50))
        journal.write_bytes(bytes(data))
        (listed,) = list_sessions(journal.parent, temp=journal.parent).sessions or (None,)
        store = SessionStore.open(journal.parent, ID)
        found = windows(store)
        assert found == [1, 2, 3, 4][: len(found)]
        assert store.segments(1) == tuple(samples.segment(n) for n in found)
        assert listed is None or len(listed.session.jobs) == len(store.session.jobs)
        if not store.session.jobs:
            store.commit(JobsAdded((samples.job(1),)))
        store.close()


def test_no_journal_is_fine(journal: Path) -> None:
    SessionStore.open(journal.parent, ID).close()
    journal.unlink()
    store = SessionStore.open(journal.parent, ID)
    assert store.session.jobs == (samples.job(1),)
    assert store.problems == ()


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"{}",
    b"\xff\xfe",
    b'{"files": 3}',
    b'{"files": [3]}',
    b'{"files": [{}]}',
    b'{"version": "x", "files": []}',
    b'{"version": 1, "files": []}',
    b'{"version": 1, "generation": 0, "settings": 7, "files": []}',
    b'{"version": 1, "generation": 1, "settings": {}, "files": [{"path": "/a"}]}',
    b'{"version": 1, "generation": 0, "settings": {}, "files": '
    b'[{"id": 1, "path": "/a"}, {"id": 1, "path": "/b"}]}',
    b"[" * 100_000,
    b'{"files": [], "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"files": [{"path": "\\ud800"}]}',
]


@pytest.mark.parametrize("data", BROKEN)
def test_an_unreadable_snapshot_is_moved_away(journal: Path, data: bytes) -> None:
    folder = journal.parent
    snapshot = folder / f"{ID}.json"
    snapshot.write_bytes(data)
    with pytest.raises(UnreadableError):
        SessionStore.open(folder, ID)
    assert snapshot.read_bytes() == data
    listed = list_sessions(folder, temp=folder)
    assert listed.sessions == ()
    (problem,) = listed.problems
    assert str(folder / "quarantine" / snapshot.name) in problem
    assert (folder / "quarantine" / snapshot.name).read_bytes() == data
    assert (folder / "quarantine" / journal.name).exists()
    assert [path.name for path in folder.iterdir()] == ["quarantine"]
    assert list_sessions(folder, temp=folder).problems == ()


def test_a_newer_session_is_left_untouched(journal: Path) -> None:
    folder = journal.parent
    snapshot = folder / f"{ID}.json"
    document = msgspec.json.decode(snapshot.read_bytes())
    snapshot.write_bytes(msgspec.json.encode({**document, "version": 2, "files": "elsewhere"}))
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}
    with pytest.raises(SessionTooNewError, match="newer"):
        SessionStore.open(folder, ID)
    listed = list_sessions(folder, temp=folder)
    assert listed.sessions == ()
    assert "newer fwtui" in listed.problems[0]
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}
    assert before == after


def test_impossible_settings_are_refused_and_left_untouched(journal: Path) -> None:
    snapshot = journal.parent / f"{ID}.json"
    document = msgspec.json.decode(snapshot.read_bytes())
    document["settings"]["decoding"]["beam_size"] = -3
    data = msgspec.json.encode(document)
    snapshot.write_bytes(data)
    with pytest.raises(StorageError, match="settings"):
        SessionStore.open(journal.parent, ID)
    assert "beam_size" in list_sessions(journal.parent, temp=journal.parent).problems[0]
    assert snapshot.read_bytes() == data
