"""What users do at awkward moments: to jobs behind others, to dying engines, twice in a row."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui import demo
from fwtui.batch.discovery import Found, find_in_portions
from fwtui.core.commands import (
    AddPaths,
    ChangeSettings,
    Pause,
    Quit,
    RetryJobs,
    SkipJobs,
    Start,
    Stop,
)
from fwtui.core.events import (
    AddingChanged,
    AnyEvent,
    BatchFinished,
    BatchSnapshot,
    DurableChange,
    EngineChanged,
    JobChanged,
    JobProgress,
    JobsAdded,
    Level,
    LogLine,
    MemorySampled,
    Phase,
    PhaseChanged,
)
from fwtui.core.job import Cancelled, Completed, Pending, Skipped
from fwtui.core.settings import BatchSettings
from fwtui.errors import DiskFullError
from tests.batch.driver import LONG, MINUTE, RESTING, SHORT, BatchDriver, settings_for
from tests.patient import WAITING


async def test_a_skipped_file_can_be_retried_in_the_same_engine(tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE, SHORT], WAITING) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(SkipJobs((1,)))
        await batch.state(1, Cancelled)
        pid = await batch.engine_pid()
        since = len(batch.events)
        batch.send(RetryJobs((1,)))
        await batch.until(JobProgress, lambda e: e.id == 1 and not e.preparing, since)
        changes = [e for e in batch.events[since:] if isinstance(e, JobChanged) and e.job.id == 1]
        assert len(changes) < 10  # not given up and sent again and again
        assert await batch.engine_pid() == pid


async def test_figures_of_a_file_that_was_cancelled_and_resumed(tmp_path: Path) -> None:
    """Its end is logged each time, and its speed counts only what was done since."""
    settings, go = settings_for(tmp_path / "out"), tmp_path / "go"
    async with BatchDriver(settings, [MINUTE], RESTING.format(go=str(go))) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(SkipJobs((1,)))
        await batch.state(1, Cancelled)
        go.touch()
        since = len(batch.events)
        batch.send(RetryJobs((1,)))
        batch.send(Start())
        first = await batch.until(JobProgress, lambda e: e.id == 1 and not e.preparing, since)
        done = await batch.state(1, Completed)
        await batch.until(BatchFinished, lambda _: True, since)
    assert isinstance(done, Completed)
    assert first.done > 0
    assert done.audio_timed == pytest.approx(done.audio_seconds - first.done)
    assert done.speed == pytest.approx(done.audio_timed / done.work_seconds)
    starts, ends = (
        sum(line.startswith(f"[File: {MINUTE.name}] {word}") for line in batch.log)
        for word in ("Starting", "Finished")
    )
    assert (starts, ends) == (2, 2)


async def test_skipping_the_file_behind_leaves_the_engine_alone(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out", batch=BatchSettings(cancel_seconds=1.0))
    go = tmp_path / "go"
    async with BatchDriver(settings, [MINUTE, SHORT], RESTING.format(go=str(go))) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        await batch.until(JobProgress, lambda e: e.id == 2)
        batch.send(SkipJobs((2,)))
        await batch.state(2, Skipped)
        assert not isinstance(batch.jobs[1].state, Completed)
        go.touch()
        await batch.until(BatchFinished)
        assert not any("killed" in line for line in batch.log)


async def test_a_share_that_hangs_holds_up_nothing_else(tmp_path: Path) -> None:
    """Commands that follow wait for the files, except those that end work."""
    answer = threading.Event()

    def hanging(paths: Iterable[str]) -> Iterator[Found]:
        answer.wait()
        return find_in_portions(paths)

    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.actor.discovery.find = hanging
        batch.send(AddPaths((str(SHORT),)))
        batch.send(Start())
        batch.send(Stop())
        batch.send(SkipJobs((1,)))
        await batch.until(MemorySampled, since=len(batch.events))
        seen: list[AnyEvent] = []
        batch.actor.subscribe(seen.append)()
        assert isinstance(seen[0], BatchSnapshot)
        assert seen[0].adding == AddingChanged(adding=True)
        answer.set()
        await batch.state(1, Skipped)
        told = [e for e in batch.events if isinstance(e, AddingChanged)]
        assert told == [
            AddingChanged(adding=True),
            AddingChanged(adding=True, then_starts=True),
            AddingChanged(adding=True),
            AddingChanged(adding=False),
        ]
        assert not any(isinstance(event, PhaseChanged) for event in batch.events)
        answer.clear()
        batch.send(AddPaths((str(MINUTE),)))
        batch.send(Quit())
        await asyncio.wait_for(batch._task, 20)
    answer.set()


async def test_what_was_found_before_a_share_hangs_is_in_the_queue(tmp_path: Path) -> None:
    answer = threading.Event()

    def hanging(paths: Iterable[str]) -> Iterator[Found]:
        yield from find_in_portions([SHORT.as_posix()])
        answer.wait()
        yield from find_in_portions(paths)

    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.actor.discovery.find = hanging
        batch.send(AddPaths((str(SHORT), str(MINUTE))))
        await batch.until(JobsAdded, lambda added: added.jobs[0].name == SHORT.name)
        answer.set()
        await batch.until(JobsAdded, lambda added: added.jobs[0].name == MINUTE.name)
        await batch.until(LogLine, lambda line: line.text == "1 file is already in the queue")


def one_by_one(go: threading.Event) -> Callable[[Iterable[str]], Iterator[Found]]:
    """Finds each path by itself, those after the first when `go` is set."""

    def find(paths: Iterable[str]) -> Iterator[Found]:
        for path in paths:
            yield from find_in_portions([path])
            go.wait()

    return find


async def test_a_queue_that_is_half_added_is_not_kept(tmp_path: Path) -> None:
    """A session with some of the files would be resumed as if it had all."""
    go = threading.Event()
    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.actor.discovery.find = one_by_one(go)
        batch.send(AddPaths((str(SHORT), str(MINUTE))))
        await batch.until(JobsAdded)
        batch.send(Quit())
        await asyncio.wait_for(batch._task, 20)
    go.set()
    assert any("not added" in line for line in batch.log)
    assert (await batch.workspace.incomplete()).sessions == ()


async def test_a_command_does_not_wait_for_all_that_is_found(tmp_path: Path) -> None:
    """The search is over long before its files are in the queue."""
    paths = tuple(str(tmp_path / f"{number}.mp3") for number in range(30))
    for path in paths:
        Path(path).touch()

    def find(paths: Iterable[str]) -> Iterator[Found]:
        for path in paths:
            yield from find_in_portions([path])

    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.actor.discovery.find = find
        batch.send(AddPaths(paths))
        await batch.until(JobsAdded)
        batch.send(Start())
        batch.send(Quit())
        await asyncio.wait_for(batch._task, 20)
    assert AddingChanged(adding=True, then_starts=True) in batch.events
    assert any("not added" in line for line in batch.log)
    assert (await batch.workspace.incomplete()).sessions == ()


async def test_what_was_there_before_is_kept(tmp_path: Path) -> None:
    go = threading.Event()
    async with BatchDriver(settings_for(tmp_path / "out"), [LONG]) as batch:
        batch.actor.discovery.find = one_by_one(go)
        batch.send(AddPaths((str(SHORT), str(MINUTE))))
        await batch.until(JobsAdded, lambda added: added.jobs[0].name == SHORT.name)
        batch.send(Quit())
        await asyncio.wait_for(batch._task, 20)
    go.set()
    (stored,) = (await batch.workspace.incomplete()).sessions
    assert [job.name for job in stored.session.jobs] == [LONG.name]


async def test_after_trouble_with_the_disk_nothing_more_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither holes in the queue, nor a word about what is not in it."""
    go = threading.Event()
    go.set()
    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        store = batch.actor.state.store
        append = store.append

        def full_for_one(changes: Sequence[DurableChange]) -> None:
            (change,) = changes
            if isinstance(change, JobsAdded) and change.jobs[0].name == MINUTE.name:
                raise DiskFullError("no room")
            append(changes)

        monkeypatch.setattr(store, "append", full_for_one)
        batch.actor.discovery.find = one_by_one(go)
        batch.send(AddPaths((str(SHORT), str(MINUTE), str(LONG))))
        await batch.until(LogLine, lambda line: line.level is Level.ERROR)
        while batch.actor.discovery.is_searching:
            await asyncio.sleep(0)
        assert [job.name for job in batch.actor.state.queue] == [SHORT.name]
        await batch.add(SHORT, LONG)
        assert [job.name for job in batch.actor.state.queue] == [SHORT.name, LONG.name]
        told = [line for line in batch.log if "already" in line or "No media" in line]
        assert told == ["1 file is already in the queue"]


async def test_a_batch_that_starts_at_once_is_measured_without_an_engine_first(
    tmp_path: Path,
) -> None:
    """Or nobody could tell what of a GPU's memory is the engine's."""
    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.send(AddPaths((str(SHORT),)))
        batch.send(Start())
        first = await batch.until(MemorySampled)
        assert first.reading.engines == 0
        await batch.until(BatchFinished)


async def test_files_that_are_added_at_the_last_moment_are_done_too(tmp_path: Path) -> None:
    answer = threading.Event()

    def slow(paths: Iterable[str]) -> Iterator[Found]:
        answer.wait()
        return find_in_portions(paths)

    async with BatchDriver(settings_for(tmp_path / "out"), [SHORT]) as batch:
        batch.actor.discovery.find = slow
        batch.send(Start())
        batch.send(AddPaths((str(demo.clips()[1]),)))
        await batch.state(1, Completed)
        answer.set()
        finished = await batch.until(BatchFinished)
    assert finished.completed == 2


async def test_settings_changed_twice_before_a_job_starts(tmp_path: Path) -> None:
    """A job that had to wait for another engine takes the settings of when it starts."""
    settings = settings_for(tmp_path / "out")
    other = replace(settings, model=replace(settings.model, compute_type="float32"))
    go = tmp_path / "go"
    async with BatchDriver(settings, [MINUTE, SHORT], RESTING.format(go=str(go))) as batch:
        batch.send(SkipJobs((2,)))
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(ChangeSettings(other))
        batch.send(RetryJobs((2,)))
        since = len(batch.events)
        await batch.state(2, Pending, since)
        batch.send(ChangeSettings(settings))
        go.touch()
        await batch.until(BatchFinished)
    loads = [e for e in batch.events if isinstance(e, EngineChanged) and e.loading]
    assert len(loads) == 1


async def test_going_on_and_pausing_at_once_rests_again(tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [LONG]) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(Pause())
        await batch.until(PhaseChanged, lambda e: e.phase is Phase.PAUSED)
        for _ in range(3):
            since = len(batch.events)
            batch.send(Start())
            batch.send(Pause())
            await batch.until(PhaseChanged, lambda e: e.phase is Phase.PAUSED, since)


async def test_a_skipped_file_is_not_tried_again_when_its_engine_dies(tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE], WAITING) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        pid = await batch.engine_pid()
        os.kill(pid, signal.SIGSTOP)
        batch.send(SkipJobs((1,)))
        slot = next(iter(batch.actor._pool))
        while not slot.is_cancelling(1):
            await asyncio.sleep(0)
        os.kill(pid, signal.SIGKILL)
        await batch.until(BatchFinished)
        assert isinstance(batch.jobs[1].state, Cancelled)
