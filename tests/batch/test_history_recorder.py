"""The history of batches, as a batch writes it: beside its work, and whatever the disk does."""

import asyncio
import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.batch import history_recorder
from fwtui.batch.history_recorder import HistoryRecorder
from fwtui.batch.state import BatchState
from fwtui.core.commands import RemoveJobs, Start, Stop
from fwtui.core.events import AnyEvent, BatchFinished, JobsAdded, LogLine, Phase, PhaseChanged
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Skipped, State
from fwtui.outputs import batch_history
from fwtui.outputs.batch_history import BatchEntry, FileEntry, HistoryQuery, HistoryStore
from fwtui.outputs.history_file import NAME
from fwtui.sessions.store import SessionStore
from tests.batch.driver import LONG, SHORT, BatchDriver, settings_for
from tests.faults.faulty_disk import CALLS, FaultyDisk
from tests.optional import Optional
from tests.outputs.history_samples import SETTINGS, cancelled, done, failed


class Recorded:
    """A session with a recorder, without an engine: states come from the test."""

    def __init__(self, folder: Path, store: SessionStore | None = None) -> None:
        self.folder = folder
        self.events: list[AnyEvent] = []
        sessions = folder / "sessions"
        store = store or SessionStore.create(sessions, SETTINGS, datetime(2026, 3, 14))
        self.state = BatchState(store)
        self.recorder = HistoryRecorder(self.state)
        self.state.listen(self.events.append)
        self.history = HistoryStore(folder)

    async def add(self, *states: State) -> None:
        known = len(self.state.queue)
        files = [f"/data/in/file {known + n}.mp3" for n in range(len(states))]
        await self.state.add(files, [])
        for path, state in zip(files, states, strict=True):
            job = self.state.queue.at(path)
            assert job is not None
            await self.state.put(replace(job, state=state))

    def start(self) -> None:
        self.state.emit(PhaseChanged(Phase.RUNNING))

    def end(self, *, stopped: bool = False, failure: Failure | None = None) -> None:
        counts = self.state.counts
        self.state.emit(
            BatchFinished(counts.completed, counts.failed, 0, stopped, 12.5, failure=failure)
        )

    @property
    def warnings(self) -> list[str]:
        return [one.text for one in self.events if isinstance(one, LogLine)]

    @property
    def batches(self) -> list[BatchEntry]:
        return self.history.batches(self.history.batch_numbers())

    @property
    def files(self) -> list[FileEntry]:
        return self.history.files(self.history.file_numbers(HistoryQuery()))


DONE, FAILED, CANCELLED = done(1).state, failed(1).state, cancelled(1).state


@pytest.fixture
async def batch(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


async def test_nothing_is_written_of_a_batch_in_which_nothing_was_started(batch: Recorded) -> None:
    await batch.state.add(["/data/in/waits.mp3"], [])
    await batch.recorder.finish()
    batch.recorder.session_deleted()
    assert not (batch.folder / NAME).exists()


async def test_files_are_written_as_they_finish_and_the_end_at_the_end(
    batch: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_recorder, "WRITE_SECONDS", 0.0)
    batch.start()
    await batch.add(DONE, FAILED, CANCELLED, Skipped(datetime(2026, 3, 14), "exists"))
    async with asyncio.timeout(120):
        while len(batch.files) < 3:
            await asyncio.sleep(0)
    (found,) = batch.batches
    assert (found.ending, found.ended) == ("", None)
    batch.end()
    await batch.recorder.finish()
    (found,) = batch.batches
    assert (found.ending, found.done, found.failed, found.cancelled) == ("finished", 1, 1, 1)
    assert (found.skipped, found.total, found.exit_code) == (1, 4, 1)
    assert found.seconds == pytest.approx(12.5)
    assert found.end_text == "finished"  # its session is kept, and this program has it
    batch.state.store.close()
    assert batch.batches[0].end_text == "unfinished"
    assert batch.warnings == []


@pytest.mark.parametrize(
    ("stopped", "failure", "ending"),
    [
        (False, None, "finished"),
        (True, None, "stopped"),
        (True, Failure(FailureKind.MODEL_MISSING, "No model", "get it"), "failed"),
    ],
)
async def test_how_it_ended(
    batch: Recorded, stopped: bool, failure: Failure | None, ending: str
) -> None:
    batch.start()
    await batch.add(DONE)
    batch.end(stopped=stopped, failure=failure)
    await batch.recorder.finish()
    (found,) = batch.batches
    assert (found.ending, found.problem) == (ending, failure.title if failure else "")


async def test_a_batch_that_is_killed_is_no_finished_one(batch: Recorded) -> None:
    batch.start()
    await batch.add(DONE)
    await batch.state.add(["/data/in/waits.mp3"], [])
    await batch.recorder.finish()
    assert (batch.batches[0].ending, batch.batches[0].waiting) == ("stopped", 1)


async def test_what_a_crash_kept_from_being_written_comes_with_the_resume(tmp_path: Path) -> None:
    first = Recorded(tmp_path)
    first.start()
    await first.add(DONE, FAILED)
    first.state.store.close()  # killed: nothing was written
    store = SessionStore.open(tmp_path / "sessions", first.state.store.session_id)
    again = Recorded(tmp_path, store)
    assert not again.files
    await again.recorder.finish()  # without any start
    assert sorted(one.state for one in again.files) == ["done", "failed"]
    store.close()
    third = Recorded(tmp_path, SessionStore.open(tmp_path / "sessions", store.session_id))
    third.start()
    await third.add(DONE)
    third.end()
    await third.recorder.finish()
    (found,) = third.batches
    assert (found.done, found.failed, found.ending) == (2, 1, "finished")


async def test_looking_at_a_session_changes_nothing(tmp_path: Path) -> None:
    first = Recorded(tmp_path)
    first.start()
    await first.add(DONE, FAILED)
    first.end()
    await first.recorder.finish()
    before = first.batches
    first.state.store.close()
    store = SessionStore.open(tmp_path / "sessions", first.state.store.session_id)
    again = Recorded(tmp_path, store)
    await again.recorder.finish()
    assert [replace(one, running=False) for one in again.batches] == [
        replace(one, running=False) for one in before
    ]


async def test_files_that_cannot_be_read_are_there(batch: Recorded) -> None:
    batch.start()
    batch.state.emit(JobsAdded((failed(9),)))
    await batch.recorder.finish()
    assert [one.state for one in batch.files] == ["failed"]


async def test_ten_thousand_files_cost_few_transactions(
    batch: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[int] = []
    write = HistoryStore.write

    def counted(self: HistoryStore, update: batch_history.BatchUpdate) -> None:
        writes.append(len(update.jobs))
        write(self, update)

    monkeypatch.setattr(HistoryStore, "write", counted)
    batch.start()
    for number in range(10_000):
        batch.state.emit(JobsAdded((done(number),)))
    batch.end()
    await batch.recorder.finish()
    assert sum(writes) == 10_000
    assert len(writes) <= 3
    assert batch.batches[0].done == 10_000


# --- what goes wrong ---------------------------------------------------------------------------


async def test_a_damaged_history_costs_one_warning(batch: Recorded) -> None:
    (batch.folder / NAME).write_bytes(b"no database" * 300)
    batch.start()
    await batch.add(DONE)
    batch.end()
    await batch.recorder.finish()
    (warning,) = batch.warnings
    assert "The history of batches was damaged" in warning
    moved = batch.folder / "sessions" / "quarantine" / NAME
    assert str(moved) in warning
    assert moved.read_bytes() == b"no database" * 300
    assert len(batch.files) == 1


async def test_damage_that_comes_while_the_batch_runs(batch: Recorded) -> None:
    batch.start()
    await batch.add(*[DONE] * 50)
    await batch.recorder._write()
    data = bytearray((batch.folder / NAME).read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    (batch.folder / NAME).write_bytes(data)
    await batch.add(DONE)
    batch.end()
    await batch.recorder.finish()
    assert len(batch.warnings) == 1
    assert (batch.folder / "sessions" / "quarantine" / NAME).exists()
    assert batch.batches[0].ending == "finished"


async def test_a_history_in_use_is_written_later(
    batch: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fwtui.outputs.history_file._PATIENCE", 0.01)
    batch.start()
    await batch.add(DONE)
    await batch.recorder._write()
    with closing(sqlite3.connect(batch.folder / NAME)) as other:
        other.execute("begin exclusive")
        await batch.add(DONE)
        await batch.recorder._write()
        await batch.recorder._write()
        assert [("in use by another program" in text) for text in batch.warnings] == [True]
        other.execute("rollback")
    batch.end()
    await batch.recorder.finish()
    assert batch.batches[0].done == 2
    assert batch.batches[0].seconds == pytest.approx(12.5, abs=1)


NUMBERS = [
    getattr(errno, name) for name in "ENOSPC EIO EROFS EACCES EDQUOT ESTALE ENOTCONN".split()
]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyDisk]:
    if not FaultyDisk.is_possible():
        pytest.skip(Optional.MOUNT.reason)
    folder = tmp_path_factory.mktemp("faulty")
    with FaultyDisk(folder / "backing", folder / "disk") as mounted:
        yield mounted


@pytest.mark.parametrize("call", CALLS)
async def test_a_disk_that_fails_costs_a_warning_and_loses_nothing(
    call: str, disk: FaultyDisk, tmp_path: Path
) -> None:
    """Every call with every error: what was there stays, what was not written comes later."""
    for number in NUMBERS:
        state = disk.folder / "state"
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir()
        batch = Recorded(tmp_path / str(number))
        batch.recorder._history = batch.history = HistoryStore(state)
        batch.start()
        await batch.add(DONE)
        await batch.recorder._write()
        assert batch.batches[0].done == 1
        disk.fail(call, number, "/state/")
        await batch.add(FAILED)
        await batch.recorder._write()
        hits = disk.work()
        if call == "write":
            assert hits
            assert batch.warnings
        assert len(batch.warnings) <= 1, batch.warnings
        assert all("cannot be written" in text for text in batch.warnings)
        batch.end()
        await batch.recorder.finish()
        (found,) = batch.batches
        assert (found.done, found.failed, found.ending) == (1, 1, "finished"), (call, number, hits)
        assert not (state / "sessions" / "quarantine").exists()  # it is not damaged
        assert len(batch.files) == 2


# --- real batches ------------------------------------------------------------------------------


async def test_a_batch_with_an_engine(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    history = HistoryStore(BatchDriver(settings_for(tmp_path)).workspace.locations.state)
    async with BatchDriver(settings_for(tmp_path / "out"), [SHORT, broken, LONG]) as batch:
        long = next(job for job in batch.jobs.values() if job.path == str(LONG))
        batch.send(RemoveJobs((long.id,)))
        await batch.to_the_end()
    (found,) = history.batches(history.batch_numbers())
    assert (found.done, found.failed, found.total, found.end_text) == (1, 1, 2, "unfinished")
    assert found.audio == pytest.approx(4.8, abs=0.1)
    assert found.seconds > 0
    by_state = {one.state: one for one in history.files(history.file_numbers(HistoryQuery()))}
    assert {Path(path).parent for path in by_state["done"].outputs} == {tmp_path / "out"}
    assert by_state["failed"].reason
    async with await BatchDriver.resumed() as again:
        again.send(RemoveJobs(tuple(again.jobs)))
        again.send(Start())
        again.send(Stop())
    assert found.id in history.ids()  # the session is gone, what was transcribed is still known
    assert history.batches(history.batch_numbers())[0].end_text == "finished"
