"""Torn ends, corrupt middles, broken snapshots, newer versions."""

from pathlib import Path

import msgspec
import pytest

from fwtui.core.events import JobsAdded, SettingsChanged
from fwtui.core.job import Pending
from fwtui.core.settings import Settings
from fwtui.errors import SessionTooNewError, StorageError
from fwtui.sessions.catalog import adopt, list_sessions
from fwtui.sessions.scratch import sweep
from fwtui.sessions.snapshot import UnreadableError
from fwtui.sessions.store import SessionStore
from tests.disk.dying import DyingFiles
from tests.sessions import samples

ID = "20251214_123456"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The journal of a session with a file of four windows, whose fwtui was killed."""
    files = DyingFiles()
    store = SessionStore.create(tmp_path, Settings(), samples.NOW, files=files)
    store.commit(JobsAdded((samples.job(1),)))
    store.begin_file(1, samples.plan())
    for number in range(1, 5):
        store.add_window(1, samples.window(number))
    files.bury()
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
    before = damage_line(journal, 5, new)
    (listed,) = list_sessions(journal.parent, temp=journal.parent).sessions
    assert "damaged" in listed.problems[0]
    store = SessionStore.open(journal.parent, ID)
    assert windows(store) == [1]
    copy = journal.parent / "quarantine" / journal.name
    assert str(copy) in store.problems[-1]
    assert copy.read_bytes() == before
    store.add_window(1, samples.window(2))
    store.close()
    store = SessionStore.open(journal.parent, ID)
    assert store.problems == ()
    assert windows(store) == [1, 2]


def test_a_corrupt_header_costs_nothing_else(journal: Path) -> None:
    """The snapshot says that what comes after it was on the disk: it is no write cut off."""
    save_snapshot(journal)
    damage_line(journal, 0)
    store = SessionStore.open(journal.parent, ID)
    assert len(store.problems) == 2
    assert store.session.jobs == (msgspec.structs.replace(samples.job(1), state=Pending(120.0)),)
    assert windows(store) == [1, 2, 3, 4]


def save_snapshot(journal: Path) -> None:
    """Bring the session file up to date, as at the end of a batch; the journal stays."""
    store = SessionStore.open(journal.parent, ID)
    store.commit(SettingsChanged(Settings()))
    store.close()


def test_quarantine_never_overwrites(journal: Path) -> None:
    save_snapshot(journal)
    for _ in range(3):
        journal.write_bytes(b"junk\nmore\n")
        SessionStore.open(journal.parent, ID).close()
    names = sorted(path.name for path in (journal.parent / "quarantine").iterdir())
    assert names == [journal.name, f"{journal.name}.2", f"{journal.name}.3"]


def test_no_journal_is_fine(journal: Path) -> None:
    """View, copy away, copy back: the session file alone has all but the progress inside files."""
    save_snapshot(journal)
    data = (journal.parent / f"{ID}.json").read_bytes()
    for path in tuple(journal.parent.iterdir()):
        path.unlink()
    elsewhere = journal.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / f"{ID}.json").write_bytes(data)
    (stored,) = list_sessions(elsewhere, temp=elsewhere).sessions
    assert stored.session.jobs == (samples.job(1),)
    assert "has no journal" in stored.problems[0]  # its file was at 2:00
    store = adopt(stored, elsewhere)
    assert store.session.jobs == (samples.job(1),)
    store.close()
    assert list_sessions(elsewhere, temp=elsewhere).problems == ()


def test_a_journal_without_a_session_file_stays(journal: Path) -> None:
    """It is a leftover of a deletion only if its lock says so."""
    snapshot = journal.with_suffix(".json")
    data = snapshot.read_bytes()
    snapshot.unlink()
    listed = list_sessions(journal.parent, temp=journal.parent)
    assert listed.sessions == ()
    assert str(journal) in listed.problems[0]
    sweep(journal.parent, journal.parent, samples.NOW)
    snapshot.write_bytes(data)
    assert windows(SessionStore.open(journal.parent, ID)) == [1, 2, 3, 4]


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


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_an_unreadable_snapshot_is_moved_away(journal: Path, data: bytes) -> None:
    """Its journal has nothing either: it was compacted since its files were added."""
    SessionStore.open(journal.parent, ID).close()
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


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_a_session_in_its_first_life_is_read_from_its_journal_alone(
    journal: Path, data: bytes
) -> None:
    (journal.parent / f"{ID}.json").write_bytes(data)
    listed = list_sessions(journal.parent, temp=journal.parent)
    (stored,) = listed.sessions
    assert listed.problems == stored.problems
    store = adopt(stored, journal.parent)
    assert windows(store) == [1, 2, 3, 4]
    assert (journal.parent / "quarantine" / f"{ID}.json.copy").read_bytes() == data
    store.close()


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
