"""Lengths and an ETA before the first window, and a model that is kept: in real batches."""

import math
import shutil
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from fwtui.batch.durations import DurationMeter
from fwtui.batch.estimate import Performance, PerformanceHistory
from fwtui.batch.workspace import Workspace
from fwtui.config.fields import apply
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, ChangeSettings, Quit, RetryJobs, Start
from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    BatchProgress,
    EngineChanged,
    Forecast,
    JobChanged,
    JobsAdded,
    LogLine,
    MemorySampled,
    SegmentsFound,
)
from fwtui.core.job import Completed, JobId, Pending
from fwtui.core.settings import MemorySettings, OutputSettings
from fwtui.memory.measure import MemoryMeter
from tests.batch.driver import SHORT, BatchDriver, settings_for

# The model waits until the test lets it go.
HELD = """
import os, time
from fwtui.engine.windows import WindowLoop
step = WindowLoop.step
def held(self, state):
    while not os.path.exists({go!r}):
        time.sleep(0.01)
    return step(self, state)
WindowLoop.step = held
"""


async def test_lengths_and_an_eta_are_there_before_the_first_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fwtui.batch.memory_sampling.SAMPLE_SECONDS", 0.05)
    settings = settings_for(tmp_path / "out", output=OutputSettings(add_report=True))
    async with BatchDriver(settings, [SHORT]) as batch:
        await batch.to_the_end()
    assert Locations.default().history.exists()
    go, bad = tmp_path / "go", tmp_path / "bad.mp3"
    bad.write_text("no sound")
    paths = [SHORT, *(Path(shutil.copy(SHORT, tmp_path / f"{n}.flac")) for n in range(8)), bad]
    async with BatchDriver(settings, paths, HELD.format(go=str(go))) as batch:
        batch.send(Start())
        known: set[JobId] = set()

        def all_waiting_are_known(event: JobChanged) -> bool:
            known.update({event.job.id} if event.job.media is not None else ())
            return known >= set(range(2, 10))

        await batch.until(JobChanged, all_waiting_are_known)
        progress = await batch.until(BatchProgress, lambda e: e.eta is not None)
        assert not any(isinstance(event, SegmentsFound) for event in batch.events)
        assert progress.eta is not None
        waiting = batch.jobs[9]
        assert isinstance(waiting.state, Pending)
        go.touch()
        finished = await batch.until(BatchFinished)
    assert (finished.completed, finished.failed) == (9, 1)
    assert any(isinstance(event, Forecast) and event.measured for event in batch.events)


async def test_no_reading_follows_the_end_of_a_batch_that_is_left_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fwtui.batch.memory_sampling.SAMPLE_SECONDS", 0.0)
    async with BatchDriver(settings_for(tmp_path / "out"), [SHORT]) as batch:

        def quit_at_the_end(event: AnyEvent) -> None:
            if isinstance(event, BatchFinished):
                batch.send(Quit())

        batch.actor.subscribe(quit_at_the_end)
        await batch.to_the_end()
    assert any(isinstance(event, MemorySampled) for event in batch.events)
    assert isinstance(batch.events[-1], BatchFinished)


async def test_what_the_engine_looks_at_itself_needs_no_child_but_what_comes_later_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    measure = DurationMeter.measure

    def noted(
        self: DurationMeter, paths: Iterable[Path]
    ) -> AsyncIterator[tuple[Path, float | None]]:
        asked.extend(paths)
        return measure(self, paths)

    monkeypatch.setattr(DurationMeter, "measure", noted)
    go = tmp_path / "go"
    more = [Path(shutil.copy(SHORT, tmp_path / f"{n}.flac")) for n in range(8)]
    async with BatchDriver(
        settings_for(tmp_path / "out"), [SHORT], HELD.format(go=str(go))
    ) as batch:
        batch.send(Start())
        await batch.until(JobChanged, lambda e: e.job.media is not None)
        assert asked == []
        batch.send(AddPaths(tuple(str(path) for path in more)))
        last = len(more) + 1
        await batch.until(JobChanged, lambda e: e.job.id == last and e.job.media is not None)
        assert isinstance(batch.jobs[last].state, Pending)
        assert asked[-1] == more[-1]
        go.touch()


async def test_a_model_is_kept_for_the_next_batch_and_then_let_go(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out")
    settings = replace(settings, memory=MemorySettings(keep_model_minutes=0.02))
    async with BatchDriver(settings, [SHORT]) as batch:
        await batch.to_the_end()
        pid = await batch.engine_pid()
        await batch.until(LogLine, lambda e: "model unloaded" in e.text)
        await batch.until(LogLine, lambda e: "Unloading the engine freed" in e.text)
        assert not psutil.pid_exists(pid)


async def test_a_kept_model_serves_the_next_batch_without_a_load(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out")
    settings = replace(settings, memory=MemorySettings(keep_model_minutes=60))
    async with BatchDriver(settings, [SHORT]) as batch:
        await batch.to_the_end()
        since = len(batch.events)
        batch.send(RetryJobs((1,), restart=True))
        finished = await batch.to_the_end(since)
        assert finished.completed == 1
        assert isinstance(batch.jobs[1].state, Completed)
        loads = [e for e in batch.events if isinstance(e, EngineChanged) and e.loading]
        assert len(loads) == 1
        pid = await batch.engine_pid()
    assert not psutil.pid_exists(pid)  # quitting does not wait for the hour


async def test_a_batch_that_will_not_fit_is_told_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = MemoryMeter.read
    monkeypatch.setattr(
        MemoryMeter, "read", lambda self: replace(read(self), available=2600.0, system_total=4096.0)
    )
    settings = settings_for(tmp_path / "out")
    large = replace(settings.model, model="large-v3", compute_type="float32")
    async with BatchDriver(replace(settings, model=large), [SHORT]) as batch:
        told = await batch.until(Forecast)
        assert (told.fits, told.measured) == (False, False)
        assert told.proposal["model.compute_type"] == "int8"
        assert any("This batch needs an estimated" in line for line in batch.log)
        since = len(batch.events)
        batch.send(ChangeSettings(apply(batch.actor.state.settings, told.proposal)))
        again = await batch.until(Forecast, since=since)
        assert again.fits


async def test_a_queue_that_is_looked_at_is_measured_before_its_start(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out")
    history = PerformanceHistory(Locations.default().history)
    history.add(settings, Performance(audio=100.0, work=10.0))
    history.save()
    bad = tmp_path / "bad.mp3"
    bad.write_text("no sound")
    paths = [Path(shutil.copy(SHORT, tmp_path / f"{n}.flac")) for n in range(3)]
    workspace = Workspace(Locations.default(), where="screen")
    for model, is_known in ((settings.model.model, True), ("another", False)):
        wanted = replace(settings, model=replace(settings.model, model=model))
        batch = BatchDriver(wanted)
        batch.actor = await workspace.start(wanted)
        async with batch:
            await batch.add(bad, *paths)
            known: set[JobId] = set()

            def all_are_known(event: JobChanged, known: set[JobId] = known) -> bool:
                known.update({event.job.id} if event.job.media is not None else ())
                return known == {2, 3, 4}

            await batch.until(JobChanged, all_are_known)
            progress = await batch.until(BatchProgress, since=len(batch.events))
            counts = batch.actor.state.counts
            assert (counts.measured, counts.waiting) == (3, 4)
            assert progress.total_seconds == pytest.approx(4 * batch.jobs[2].duration)
            eta = progress.total_seconds / 10.0
            assert progress.eta == (pytest.approx(eta) if is_known else None)
            assert not any(isinstance(event, EngineChanged) for event in batch.events)


async def test_lengths_that_are_known_come_with_the_files(tmp_path: Path) -> None:
    paths = [str(shutil.copy(SHORT, tmp_path / f"{n}.flac")) for n in range(6)]
    lengths = dict(zip(paths, (7.5, 0.0, -1.0, math.inf, math.nan), strict=False))
    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.send(AddPaths((str(tmp_path),), lengths={**lengths, "/elsewhere.mp3": 3.0}))
        added = await batch.until(JobsAdded)
        assert [job.duration for job in added.jobs] == [7.5, 0, 0, 0, 0, 0]
