"""Speakers in a session: groups of voices as long as a file is unfinished, turns for ever."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.batch.diarization import send_known_groups
from fwtui.core.events import JobChanged, JobsAdded, JobsRemoved, SegmentsReset
from fwtui.core.settings import Settings
from fwtui.core.speakers import Turn
from fwtui.core.voices import LocalSpeaker, SpeakerGroup, SpeakerTurns
from fwtui.engine.protocol import KnownSpeakers
from fwtui.sessions.journal import FORMAT, JournalHeader, SpeakerGroupRecord, record_of
from fwtui.sessions.session_files import SessionFiles
from fwtui.sessions.store import SessionStore
from tests.sessions import samples

TURNS = SpeakerTurns("options", (Turn(0.5, 2.25, 0), Turn(2.0, 9.875, 1)))


def group(index: int, models: str = "models", voices: int = 2) -> SpeakerGroup:
    """A group that differs from all others."""
    embedding = (index % 251).to_bytes(1, "big") * 384
    return SpeakerGroup(
        index,
        models,
        tuple(LocalSpeaker(n, (1, 50 + index), 2.5, embedding) for n in range(voices)),
    )


def groups(store: SessionStore, job: int = 1) -> list[int]:
    found = store.groups(job, 0, 1000)
    assert list(found) == [group(one.index, one.models) for one in found]
    return [one.index for one in found]


def begun(folder: Path, *, windows: int = 2, heard: int = 3) -> SessionStore:
    """A session with a file that is being transcribed and listened to."""
    store = SessionStore.create(folder, Settings(), samples.NOW)
    store.commit(JobsAdded((samples.job(1), samples.job(2))))
    store.begin_file(1, samples.plan())
    for number in range(max(windows, heard)):
        if number < windows:
            store.add_window(1, samples.window(number + 1))
        if number < heard:
            store.add_group(1, group(number))
    return store


def reopened(store: SessionStore) -> SessionStore:
    store.close()
    return SessionStore.open(store.directory, store.session_id)


def test_what_was_heard_survives_reopening_beside_the_windows(tmp_path: Path) -> None:
    store = begun(tmp_path)
    store.set_speakers(1, TURNS)
    for _ in range(3):
        assert groups(store) == [0, 1, 2]
        assert store.groups(1, 1, 1) == (group(1),)
        assert store.speakers(1) == TURNS
        assert len(store.segments(1)) == 2
        store = reopened(store)
    store.add_group(1, group(3))
    assert groups(store) == [0, 1, 2, 3]


def test_a_group_replaces_those_from_its_number_on(tmp_path: Path) -> None:
    store = begun(tmp_path)
    store.add_group(1, group(1, "others"))
    assert groups(store) == [0, 1]
    assert groups(reopened(store)) == [0, 1]


def test_a_completed_file_keeps_its_turns_alone(tmp_path: Path) -> None:
    store = begun(tmp_path)
    store.set_speakers(1, TURNS)
    store.commit(JobChanged(replace(samples.job(1), state=samples.completed())))
    for _ in range(3):
        store = reopened(store)
        assert store.groups(1, 0, 9) == ()
        assert store.speakers(1) == TURNS
    journal = SessionFiles(tmp_path, store.session_id).journal.read_text()
    assert '"voices"' not in journal  # what voices sound like is gone from the disk


@pytest.mark.parametrize("end", ["restarted", "forgotten", "removed"])
def test_nothing_is_left_of_a_file_that_starts_anew(end: str, tmp_path: Path) -> None:
    store = begun(tmp_path)
    store.set_speakers(1, TURNS)
    match end:
        case "restarted":
            store.begin_file(1, samples.plan("b"))
        case "forgotten":
            store.commit(SegmentsReset(1))
        case _:
            store.commit(JobsRemoved((1,)))
    for _ in range(2):
        assert store.groups(1, 0, 9) == ()
        assert store.speakers(1) is None
        store = reopened(store)


def test_turns_of_a_completed_file_are_forgotten_when_it_is_transcribed_again(
    tmp_path: Path,
) -> None:
    store = begun(tmp_path)
    store.set_speakers(1, TURNS)
    store.commit(JobChanged(replace(samples.job(1), state=samples.completed())))
    store = reopened(store)
    store.commit(SegmentsReset(1), JobChanged(samples.job(1)))
    assert store.speakers(1) is None
    assert reopened(store).speakers(1) is None


@pytest.mark.parametrize("done", [False, True])
def test_undoing_a_removal_brings_speakers_back(done: bool, tmp_path: Path) -> None:
    store = begun(tmp_path)
    store.set_speakers(1, TURNS)
    job = replace(samples.job(1), state=samples.completed()) if done else samples.job(1)
    store.commit(JobChanged(job))
    store.commit(JobsRemoved((1,)))
    store.commit(JobsAdded((job,)))
    assert store.speakers(1) is None
    store.restore_progress((job,))
    assert store.speakers(1) == TURNS
    if not done:
        assert groups(store) == [0, 1, 2]
    assert reopened(store).speakers(1) == TURNS


def flip(data: bytes, start: int, end: int) -> bytes:
    middle = (start + end) // 2
    return data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :]


def cut_out(data: bytes, start: int, end: int) -> bytes:
    return data[:start] + data[end:]


def cut_off(data: bytes, start: int, end: int) -> bytes:
    return data[: (start + end) // 2]


@pytest.mark.parametrize("damage", [flip, cut_out, cut_off])
@pytest.mark.parametrize("synced", [True, False])
def test_of_damaged_records_the_first_groups_count(
    damage: Callable[[bytes, int, int], bytes], synced: bool, tmp_path: Path
) -> None:
    """Whatever line is lost: no group behind a gap, no wrong turns, and all of the rest."""
    store = begun(tmp_path / "whole")
    store.set_speakers(1, TURNS)
    if synced:
        store.commit(JobsAdded((samples.job(3),)))
        store.save_snapshot()
    store.close()
    whole = SessionFiles(tmp_path / "whole", store.session_id)
    journal, snapshot = whole.journal.read_bytes(), whole.snapshot.read_bytes()
    start = 0
    for number, line in enumerate(journal.splitlines(keepends=True)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        files = SessionFiles(folder, store.session_id)
        files.snapshot.write_bytes(snapshot)
        files.journal.write_bytes(damage(journal, start, start + len(line)))
        start += len(line)
        opened = SessionStore.open(folder, store.session_id)
        found = groups(opened)
        assert found == list(range(len(found)))
        assert opened.speakers(1) in {None, TURNS}
        if found:
            assert opened.resume_point(1) is not None
        opened.close()


class Sink:
    """What an engine is sent: counted and thrown away."""

    def __init__(self) -> None:
        self.groups = self.most = 0

    def send(self, request: KnownSpeakers) -> None:
        assert request.groups[0].index == self.groups
        self.groups += len(request.groups)
        self.most = max(self.most, len(request.groups))


def test_ten_hours_of_records_need_little_memory(tmp_path: Path) -> None:
    """1,200 groups of 6 windows with 2 voices each: read, handed over and compacted in 50 MB."""
    store = SessionStore.create(tmp_path, Settings(), samples.NOW)
    store.commit(JobsAdded((samples.job(1),)))
    store.begin_file(1, samples.plan())
    records = [group(number, voices=12) for number in range(1200)]
    for number in range(0, 1200, 100):
        store._write(*(SpeakerGroupRecord(1, one) for one in records[number : number + 100]))
    del records
    assert SessionFiles(tmp_path, store.session_id).journal.stat().st_size < 9 << 20
    store.close()
    tracemalloc.start()
    store = SessionStore.open(tmp_path, store.session_id)
    sink = Sink()
    send_known_groups(sink, store, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sink.groups == 1200
    assert sink.most <= 100
    assert peak < 10 << 20
    store.close()


def version_of(store: SessionStore) -> int:
    """The version in the journal's first line."""
    with SessionFiles(store.directory, store.session_id).journal.open("rb") as file:
        header = record_of(file.readline())
    assert isinstance(header, JournalHeader)
    return header.version


def test_only_a_session_with_speakers_is_too_new_for_earlier_versions(tmp_path: Path) -> None:
    store = begun(tmp_path, heard=0)
    assert version_of(store) == 1
    store.add_group(1, group(0))
    assert version_of(store) == FORMAT > 1
    assert len(store.segments(1)) == 2
    assert groups(store) == [0]
    store = reopened(store)
    assert version_of(store) == FORMAT
    store.commit(JobsRemoved((1,)))
    store = reopened(store)
    assert version_of(store) == 1
    store.set_speakers(2, TURNS)
    assert version_of(store) == FORMAT
    assert reopened(store).speakers(2) == TURNS
