"""What the batch state does when the disk refuses, and with very many files."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from fwtui.batch.conflicts import rename_outputs
from fwtui.batch.discovery import Problem, find_media
from fwtui.batch.state import PORTION, BatchState, now
from fwtui.core.events import (
    AnyEvent,
    DurableChange,
    JobChanged,
    JobsAdded,
    JobsRemoved,
    JobsReordered,
    Level,
    LogLine,
)
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Skipped
from fwtui.core.settings import Settings
from fwtui.disk.files import FileSystem
from fwtui.engine.classify import classify_exception
from fwtui.errors import DiskFullError, StorageError
from fwtui.report.render import render_report
from fwtui.report.report import make_report
from fwtui.sessions.store import SessionStore


@pytest.fixture
def state(tmp_path: Path) -> BatchState:
    return BatchState(SessionStore.create(tmp_path, Settings(), datetime(2025, 12, 14)))


def refuse(*_: object) -> None:
    raise DiskFullError("no room")


async def test_files_that_are_not_durable_are_not_in_the_queue(
    state: BatchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [Path("/a.mp3"), Path("/b.mp3")]
    problem = Problem(Path("/c.mp3"), Failure(FailureKind.PERMISSION, "no"))
    with monkeypatch.context() as full:
        full.setattr(state.store, "append", refuse)
        with pytest.raises(DiskFullError):
            await state.add(files, [problem])
    assert list(state.queue) == []
    assert state.queue.next_pending() is None
    assert await state.add(files, [problem]) == 3
    assert state.counts.total == 3
    assert [job.id for job in state.store.session.jobs] == list(state.queue.order)


async def test_an_order_that_is_not_durable_is_not_used(
    state: BatchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[AnyEvent] = []
    await state.add([Path("/a.mp3"), Path("/b.mp3")], [])
    state.listen(heard.append)
    with monkeypatch.context() as full:
        full.setattr(state.store, "append", refuse)
        with pytest.raises(DiskFullError):
            await state.reorder((2, 1))
    assert (state.queue.order, heard) == ((1, 2), [])
    await state.reorder((2, 1))
    assert (state.queue.order, heard) == ((2, 1), [JobsReordered((2, 1))])


async def test_very_many_files_are_added_in_portions(state: BatchState) -> None:
    heard: list[AnyEvent] = []
    state.listen(heard.append)
    files = [Path(f"/{number}.mp3") for number in range(PORTION + 1)]
    assert await state.add(files, []) == PORTION + 1
    assert [len(e.jobs) for e in heard if isinstance(e, JobsAdded)] == [PORTION, 1]
    assert await state.add(files, []) == 0


async def test_what_is_said_about_undecodable_names_can_be_encoded(state: BatchState) -> None:
    heard: list[AnyEvent] = []
    state.listen(heard.append)
    found = find_media(["/nowhere/\udcff.mp3"])
    await state.add(found.files, found.problems)
    state.log(Level.INFO, f"{next(iter(state.queue)).name} is not there")
    assert len(msgspec.json.encode(heard)) > 0
    state.log(Level.INFO, str(classify_exception(OSError(5, "I/O error", "/\udcff"))))
    (job,) = state.queue
    report = make_report((job,), Settings(), "id", now(), now(), 0.0)
    assert render_report(report).encode()


class Counting(FileSystem):
    """Counts what is waited for."""

    syncs = 0

    def fsync(self, descriptor: int) -> None:
        self.syncs += 1


async def test_very_many_files_are_changed_in_a_few_writes(tmp_path: Path) -> None:
    files = Counting()
    store = SessionStore.create(tmp_path, Settings(), datetime(2025, 12, 14), files=files)
    state = BatchState(store)
    many = 2 * PORTION + 1
    await state.add([Path(f"/{number}.mp3") for number in range(many)], [])
    heard: list[AnyEvent] = []
    state.listen(heard.append)
    before = files.syncs
    skipped = Skipped(now(), "skipped by you")
    await state.put_all(msgspec.structs.replace(job, state=skipped) for job in state.queue)
    assert files.syncs - before == 3
    assert sum(isinstance(event, JobChanged) for event in heard) == many
    assert all(isinstance(job.state, Skipped) for job in store.session.jobs)
    assert state.queue.next_pending() is None


async def test_a_name_is_kept_when_the_new_one_cannot_be_written(
    state: BatchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    await state.add([Path("/a.mp3")], [])
    (job,) = state.queue

    def full(_: object) -> None:
        raise StorageError("No room left")

    with monkeypatch.context() as patch:
        patch.setattr(state.store, "append", full)
        with pytest.raises(StorageError):
            await rename_outputs(state, job, ("b", "b.mp3"))
    await state.add([Path("/x/a.mp3")], [])
    assert [job.stem for job in state.queue] == ["a", "a.mp3"]


async def test_a_listener_that_fails_harms_nobody_and_is_told_of_once(state: BatchState) -> None:
    heard: list[AnyEvent] = []

    def broken(event: AnyEvent) -> None:
        raise ValueError("of its own making")

    state.listen(broken)
    state.listen(heard.append)
    await state.add([Path("/a.mp3")], [])
    await state.add([Path("/b.mp3")], [])
    assert [type(event) for event in heard] == [LogLine, JobsAdded, JobsAdded]


async def test_changes_are_durable_before_they_are_shown_and_one_after_the_other(
    state: BatchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session and the queue share one table of jobs, so there is one writer at a time."""
    heard: list[AnyEvent] = []
    await state.add([Path("/a.mp3"), Path("/b.mp3")], [])
    state.listen(heard.append)
    append, go = state.store.append, threading.Event()
    written: list[DurableChange] = []

    def slowly(changes: Sequence[DurableChange]) -> None:
        go.wait(10)
        append(changes)
        written.extend(changes)

    monkeypatch.setattr(state.store, "append", slowly)
    assert state.view is state.store.view
    job = state.queue[1]
    moving = asyncio.create_task(state.reorder((2, 1)))
    removing = asyncio.create_task(state.remove([2]))
    putting = asyncio.create_task(state.put(job.with_path("/c.mp3")))
    await asyncio.sleep(0.05)
    assert (state.queue.order, heard, state.queue[1]) == ((1, 2), [], job)
    go.set()
    await asyncio.gather(moving, removing, putting)
    assert heard == written
    assert [type(event) for event in heard] == [JobsReordered, JobsRemoved, JobChanged]
    assert [(job.id, job.path) for job in state.queue] == [(1, "/c.mp3")]
    state.store.close()
    again = SessionStore.open(state.store.directory, state.store.session_id)
    assert again.session.jobs == tuple(state.queue)
    again.close()
