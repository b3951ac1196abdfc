import contextlib
import os
import shutil
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from fwtui.core.events import JobChanged, JobsAdded
from fwtui.core.failure import FailureKind
from fwtui.core.job import Completed, Failed, Job, Pending
from fwtui.core.settings import Settings
from fwtui.errors import SessionInUseError, StorageError
from fwtui.sessions import load, snapshot
from fwtui.sessions.catalog import (
    SessionList,
    adopt,
    discard,
    discard_stored,
    list_sessions,
    remove_empty,
)
from fwtui.sessions.session_files import SessionFiles
from fwtui.sessions.store import SessionStore
from tests.sessions import samples

DATA = Path(__file__).parents[1] / "data" / "sessions"


class Place:
    """A sessions folder and a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "sessions"
        self.temp = root / "temp"
        self.foreign = self.temp / "faster_whisper_sessions"
        self.foreign.mkdir(parents=True)

    def list(self) -> SessionList:
        return list_sessions(self.folder, temp=self.temp)

    def create(self, jobs: int = 1) -> SessionStore:
        store = SessionStore.create(self.folder, Settings(), samples.NOW)
        store.commit(JobsAdded(tuple([samples.job(n) for n in range(1, jobs + 1)])))
        return store

    def plant(self, name: str = "20251214_123456.json", data: bytes | None = None) -> Path:
        shutil.copy(DATA / "20251214_123456.json", self.foreign / name)
        if data is not None:
            (self.foreign / name).write_bytes(data)
        return self.foreign / name


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    assert list_sessions(tmp_path / "a", temp=tmp_path / "b") == SessionList()


def test_newest_first_with_their_progress(place: Place) -> None:
    first, second = place.create(), place.create(2)
    second.begin_file(2, samples.plan())
    second.add_window(2, samples.window(1))
    second.commit(JobChanged(msgspec.structs.replace(samples.job(2), state=samples.running())))
    first.close()
    second.close()
    os.utime(place.folder / f"{first.session_id}.json", (10**9, 10**9))
    os.utime(place.folder / f"{first.session_id}.journal", (10**9, 10**9))
    newest, oldest = place.list().sessions
    assert oldest.session.session_id == first.session_id
    assert oldest.modified == datetime.fromtimestamp(10**9)
    assert newest.session.session_id == second.session_id
    assert newest.in_use is None
    assert newest.legacy_file is None
    assert newest.session.jobs[1].state == Pending(30.0)
    assert newest.session.resumable[2].state == samples.window(1).state
    store = adopt(newest, place.folder)
    assert store.session == newest.session


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sessions whose snapshot was parsed, one entry each time."""
    ids: list[str] = []
    decode = snapshot.decode_snapshot

    def counting(data: bytes, session_id: str, modified: datetime) -> snapshot.Snapshot:
        ids.append(session_id)
        return decode(data, session_id, modified)

    monkeypatch.setattr(load, "decode_snapshot", counting)
    return ids


def test_resuming_a_listed_session_parses_its_snapshot_once(
    place: Place, parsed: list[str]
) -> None:
    first, second = place.create(2), place.create()
    first.close()
    second.close()
    stored = {one.session.session_id: one for one in place.list().sessions}
    with contextlib.closing(adopt(stored[first.session_id], place.folder)) as store:
        assert sorted(parsed) == [first.session_id, second.session_id]
        assert store.session == stored[first.session_id].session
    with contextlib.closing(adopt(stored[second.session_id].without_files, place.folder)) as store:
        assert [job.id for job in store.session.jobs] == [1]


def test_a_session_that_changed_since_it_was_listed_is_read_again(
    place: Place, parsed: list[str]
) -> None:
    store = place.create()
    store.close()
    (stored,) = place.list().sessions
    again = SessionStore.open(place.folder, store.session_id)
    again.commit(JobsAdded((samples.job(2),)))
    again.close()
    with contextlib.closing(adopt(stored, place.folder)) as store:
        assert [job.id for job in store.session.jobs] == [1, 2]
    assert len(parsed) == 3


def test_an_entry_of_a_snapshot_is_decoded_once_unless_it_has_strange_keys(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(place.create(3)) as store:
        store.compact()
    (path,) = place.folder.glob("*.json")
    strange = path.read_bytes().replace(b'"status":', b'"colour":"red","status":', 1)
    path.write_bytes(strange)

    class Counting:
        def __init__(self, decoder: msgspec.json.Decoder[Job]) -> None:
            self.decoder = decoder
            self.calls = 0

        def decode(self, data: bytes) -> Job:
            self.calls += 1
            return self.decoder.decode(data)

    counting = Counting(snapshot._jobs)
    monkeypatch.setattr(snapshot, "_jobs", counting)
    loaded = load.load(SessionFiles(place.folder, path.stem))
    assert counting.calls == 1
    assert loaded.content.file_extra == {1: {"colour": "red"}}


def test_listing_changes_nothing(place: Place) -> None:
    place.create().close()
    before = {path: (path.read_bytes(), path.stat().st_mtime) for path in place.folder.iterdir()}
    place.list()
    after = {path: (path.read_bytes(), path.stat().st_mtime) for path in place.folder.iterdir()}
    assert before == after


def test_sessions_in_use_are_listed_and_nothing_else(place: Place) -> None:
    store = place.create()
    store.commit(JobChanged(msgspec.structs.replace(samples.job(1), state=samples.running())))
    (stored,) = place.list().sessions
    assert stored.in_use is not None
    assert stored.in_use.pid == os.getpid()
    assert stored.session.jobs[0].state == samples.running()
    with pytest.raises(SessionInUseError):
        adopt(stored, place.folder)
    with pytest.raises(SessionInUseError):
        discard(place.folder, store.session_id)
    (place.folder / f"{store.session_id}.json").write_bytes(b"{")
    (stored,) = place.list().sessions  # what its journal has
    assert stored.in_use is not None
    assert not (place.folder / "quarantine").exists()
    assert (place.folder / f"{store.session_id}.json").read_bytes() == b"{"


def test_empty_sessions_disappear(place: Place) -> None:
    store = SessionStore.create(place.folder, Settings(), samples.NOW)
    assert len(place.list().sessions) == 1
    store._lock.release()
    before = set(place.folder.iterdir())
    assert place.list() == SessionList()
    assert set(place.folder.iterdir()) == before  # a listing deletes nothing
    remove_empty(place.folder)
    assert list(place.folder.iterdir()) == []


def test_discard(place: Place) -> None:
    store = place.create()
    scratch = place.temp / "tmpx.wav"
    scratch.write_bytes(bytes(1000))
    store.add_temp(scratch)
    store.close()
    removed = discard(place.folder, store.session_id)
    assert {path.name for path in removed.files} == {
        "tmpx.wav",
        f"{store.session_id}.json",
        f"{store.session_id}.journal",
    }
    assert removed.bytes > 1000
    assert list(place.folder.iterdir()) == []
    with pytest.raises(StorageError):
        discard(place.folder, store.session_id)


def test_the_documents_example_can_be_resumed(place: Place) -> None:
    original = place.plant()
    data = original.read_bytes()
    (stored,) = place.list().sessions
    session = stored.session
    assert stored.legacy_file == original
    assert session.session_id == "20251214_123456"
    assert session.created_at == datetime(2025, 12, 14, 12, 34, 56)
    done, failed, pending = session.jobs
    assert [job.path for job in session.jobs] == [f"D:\\Audio\\file{n}.mp3" for n in (1, 2, 3)]
    assert [job.stem for job in session.jobs] == ["file1", "file2", "file3"]
    assert isinstance(done.state, Completed)
    assert done.state.outputs == ("D:\\Output\\file1.txt",)
    assert done.state.work_seconds == 150.0
    assert isinstance(failed.state, Failed)
    assert failed.state.failure.kind is FailureKind.OUT_OF_MEMORY
    assert failed.state.failure.title == "MemoryError"
    assert pending.state == Pending()
    assert session.settings.model.model == "D:\\WhisperModel\\model\\faster-whisper-medium"
    assert session.settings.output.output_dir == "D:\\Output"
    assert session.settings.output.output_format == "txt"
    assert session.settings.output.add_timestamps
    assert session.settings.decoding.language == "en"

    store = adopt(stored, place.folder)
    assert store.session.jobs == session.jobs
    assert original.read_bytes() == data
    (ours,) = place.list().sessions
    assert ours.legacy_file is None
    assert ours.in_use is not None
    written = msgspec.json.decode((place.folder / "20251214_123456.json").read_bytes())
    store.close()
    before = msgspec.json.decode(data)
    assert {key: written[key] for key in before if key != "files"} == {
        key: value for key, value in before.items() if key != "files"
    }
    for new, old in zip(written["files"], before["files"], strict=True):
        assert {key: new[key] for key in old} == old
    adopt(place.list().sessions[0], place.folder).delete()
    assert not original.exists()
    assert place.list() == SessionList()


def test_a_foreign_session_can_be_discarded(place: Place) -> None:
    scratch, other = place.temp / "tmp1.wav", place.foreign / "tmp2.wav"
    for path in (scratch, other):
        path.write_bytes(b"12")
    document = msgspec.json.decode(place.plant().read_bytes())
    document["temp_files"] = [str(scratch), str(other), "/etc/hostname", "tmp3.wav", 7]
    place.plant(data=msgspec.json.encode(document))
    (stored,) = place.list().sessions
    removed = discard_stored(stored, place.folder)
    assert set(removed.files) == {scratch, stored.legacy_file}
    assert other.exists()
    assert place.list() == SessionList()


def test_strange_foreign_values_get_defaults(place: Place) -> None:
    place.plant(
        "odd name.json",
        b'{"files": [{"path": "/a/x.mp3", "status": 7, "started_at": "never"}, {"path": "/b/X.wav",'
        b'"status": "failed", "completed_at": "2025-01-01T00:00:00+09:00", "error": 5},'
        b'{"path": "C:\\\\", "status": "completed", "completed_at": "2025-01-01"}],'
        b'"beam_size": "five", "created_at": [], "task": "sing", "temp_files": {}}',
    )
    listed = place.list()
    assert listed.problems == ()
    session = listed.sessions[0].session
    assert session.settings == Settings(
        output=msgspec.structs.replace(Settings().output, output_format="txt")
    )
    assert [job.stem for job in session.jobs] == ["x", "X_2", "file"]
    assert isinstance(session.jobs[1].state, Failed)
    store = adopt(listed.sessions[0], place.folder)
    assert store.session.jobs == session.jobs


@pytest.mark.parametrize("data", [b"", b"{", b"7", b'{"files": [{"path": 1}]}', b"[" * 10**5])
def test_broken_foreign_files_stay_where_they_are(place: Place, data: bytes) -> None:
    path = place.plant(data=data)
    listed = place.list()
    assert listed.sessions == ()
    assert len(listed.problems) == 1
    assert path.read_bytes() == data


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX")
def test_traps_in_the_temporary_folder(place: Place) -> None:
    """It is open to everyone: links and pipes there are not followed or read."""
    os.mkfifo(place.foreign / "pipe.json")
    (place.foreign / "link.json").symlink_to(DATA / "20251214_123456.json")
    (place.foreign / "folder.json").mkdir()
    listed = place.list()
    assert listed.sessions == ()
    assert len(listed.problems) == 3


def test_a_foreign_file_in_our_folder_becomes_ours(place: Place) -> None:
    place.folder.mkdir()
    shutil.copy(DATA / "20251214_123456.json", place.folder)
    (stored,) = place.list().sessions
    store = adopt(stored, place.folder)
    assert len(store.session.jobs) == 3
    store.close()
    written = msgspec.json.decode((place.folder / "20251214_123456.json").read_bytes())
    assert written["version"] == 1
