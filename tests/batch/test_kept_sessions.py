"""A session is kept while anything in it is not done; reasons stay until a retry has ended."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import combinations_with_replacement
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from fwtui.batch.discovery import Found, find_in_portions
from fwtui.batch.workspace import Workspace
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, Pause, Quit, RetryJobs, SkipJobs, Start
from fwtui.core.events import BatchFinished, JobChanged, JobsAdded
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Cancelled, Failed, Job, Pending, Processing, Skipped, State
from fwtui.core.session import Session
from fwtui.core.settings import Settings
from fwtui.sessions.store import SessionStore
from fwtui.tui.glyphs import UNICODE
from fwtui.tui.screens.resume import describe_unfinished
from tests.batch.driver import MINUTE, PATIENCE, SHORT, BatchDriver, settings_for
from tests.patient import WAITING
from tests.sessions import samples

NOW = datetime(2026, 1, 1)
REASON = Failure(FailureKind.BAD_MEDIA, "Not a media file")
STATES: dict[str, State] = {
    "waiting": Pending(),
    "running": Processing(NOW),
    "done": samples.completed(),
    "failed": Failed(NOW, REASON),
    "cancelled": Cancelled(NOW, NOW, kept=True),
    "cancelled by 0.1": Cancelled(NOW, NOW),
    "skipped": Skipped(NOW, "skipped by you"),
}
UNFINISHED = {"waiting", "running", "failed", "cancelled"}


def session_of(names: tuple[str, ...]) -> Session:
    jobs = [Job(n, f"/a/{n}.wav", state=STATES[name]) for n, name in enumerate(names)]
    return Session("20260101_000000", NOW, Settings(), tuple(jobs))


@pytest.mark.parametrize("names", combinations_with_replacement(STATES, 3))
def test_what_is_unfinished_and_what_a_resume_queues_again(names: tuple[str, ...]) -> None:
    session = session_of(names)
    assert session.is_incomplete == bool(UNFINISHED & set(names))
    again = {names[job.id] for job in session.to_retry}
    assert again <= {"failed", "cancelled"}
    assert ("failed" in again) == ("failed" in names)
    # Cancelled files are resumed when nothing else is left to do: else a resume would do nothing.
    others = {"waiting", "running", "failed"} & set(names)
    assert ("cancelled" in again) == ("cancelled" in names and not others)
    parts = session.completed, session.failed, session.pending, session.cancelled, session.skipped
    assert sorted(job.id for part in parts for job in part) == [0, 1, 2]


async def test_the_progress_of_a_cancelled_file_is_kept(tmp_path: Path) -> None:
    """The last file is cancelled, and fwtui is left; a resume finishes it."""
    settings = settings_for(tmp_path / "out")
    async with BatchDriver(settings, [MINUTE]) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(SkipJobs((1,)))
        await batch.until(BatchFinished)
    (stored,) = (await batch.workspace.incomplete()).sessions
    assert stored.session.seconds_inside(stored.session.jobs[0]) > 0
    text = describe_unfinished(stored, UNICODE).plain
    assert "Cancelled    1" in text
    assert "Cancelled files (will be resumed)" in text
    assert "resumes at" in text
    async with await BatchDriver.resumed() as batch:
        batch.send(RetryJobs(tuple(job.id for job in stored.session.to_retry)))
        batch.send(Start())
        await batch.until(BatchFinished)
        assert batch.jobs[1].failure is None
    assert (await batch.workspace.incomplete()).sessions == ()


@pytest.mark.parametrize("state", [Pending(30.0), Processing(NOW, preparing=False)])
async def test_reasons_of_failures_stay_until_the_retry_has_ended(state: State) -> None:
    """Whatever happens meanwhile: resumed and left without starting, again and again; killed."""
    workspace = Workspace(Locations.default())
    store = SessionStore.create(Locations.default().sessions, Settings(), NOW)
    job = Job(1, "/a/1.wav", state=Failed(NOW, REASON))
    store.commit(JobsAdded((job,)))
    store.close()
    for is_waiting in (False, True):
        async with await BatchDriver.resumed() as batch:
            batch.send(RetryJobs((1,)))
            if not is_waiting:
                await batch.until(JobChanged)
        (stored,) = (await workspace.incomplete()).sessions
        assert [job.failure for job in stored.session.failed] == [REASON]
        assert REASON.title in describe_unfinished(stored, UNICODE).plain
    store = SessionStore.open(Locations.default().sessions, store.session_id)
    store.commit(JobChanged(replace(store.session.jobs[0], state=state)))
    store._journal.close()  # type: ignore[union-attr]  # as a kill leaves it
    store._lock.release()
    (stored,) = (await workspace.incomplete()).sessions
    assert [job.failure for job in stored.session.failed] == [REASON]


async def test_what_is_done_and_was_never_reported_is_offered_and_then_gone() -> None:
    """Its fwtui was killed between the last file and the report."""
    store = SessionStore.create(Locations.default().sessions, Settings(), NOW)
    store.commit(JobsAdded((Job(1, "/a/1.wav", state=samples.completed()),)))
    store.close()
    async with await BatchDriver.resumed() as batch:
        batch.send(Start())
        finished = await batch.until(BatchFinished)
        assert finished.completed == 1
    assert (await batch.workspace.all_sessions()).sessions == ()


async def test_a_search_that_a_signal_ends_is_continued(tmp_path: Path) -> None:
    """With the same files as if nothing had happened, none of them twice."""
    go = threading.Event()

    def find(paths: Iterable[str]) -> Iterator[Found]:
        yield from find_in_portions([str(MINUTE)])
        go.wait()
        yield from find_in_portions([str(SHORT)])

    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.actor.discovery.find = find
        batch.send(AddPaths((str(MINUTE), str(SHORT))))
        await batch.until(JobsAdded)
        batch.actor.keep_search()
        batch.send(Quit())
        await asyncio.wait_for(batch._task, PATIENCE)
    go.set()
    (stored,) = (await batch.workspace.incomplete()).sessions
    assert stored.session.asked == (str(MINUTE), str(SHORT))
    async with await BatchDriver.resumed() as batch:
        await batch.until(JobsAdded)
        while batch.actor.discovery.is_searching or batch.actor.state.store.asked:
            await asyncio.sleep(0.01)
        assert [job.name for job in batch.jobs.values()] == [MINUTE.name, SHORT.name]
    (stored,) = (await batch.workspace.incomplete()).sessions
    assert stored.session.asked == ()
    assert len(stored.session.jobs) == 2


async def test_the_session_file_is_complete_from_the_beginning_to_the_end(tmp_path: Path) -> None:
    """When files were added, when the batch is paused, and when it rests."""

    def states(batch: BatchDriver) -> list[str]:
        store = batch.actor.state.store
        data = (store.directory / f"{store.session_id}.json").read_bytes()
        return [file["status"] for file in msgspec.json.decode(data)["files"]]

    async def until(batch: BatchDriver, wanted: list[str]) -> None:
        async with asyncio.timeout(PATIENCE):
            while states(batch) != wanted:
                await asyncio.sleep(0.02)

    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE], engine=WAITING) as batch:
        await until(batch, ["pending"])
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(Pause())
        await until(batch, ["processing"])
        batch.send(Start())
        await batch.until(BatchFinished)
        await until(batch, ["completed"])
        await batch.add(SHORT)
        await until(batch, ["completed", "pending"])
