"""Limits that are really exceeded, and memory that really runs out, in real engines."""

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.cli.progress import RunRecord
from fwtui.core.commands import ChangeSettings, Start
from fwtui.core.events import (
    BatchFinished,
    EngineChanged,
    MemoryAlert,
    MemorySampled,
    SegmentsFound,
    SegmentsReset,
)
from fwtui.core.failure import FailureKind
from fwtui.core.job import Completed, Failed
from fwtui.core.settings import DecodingSettings, MemorySettings, OutputSettings, Settings
from fwtui.errors import ExitCode
from tests.batch.driver import LONG, MINUTE, SHORT, BatchDriver, outputs, settings_for

# The engine holds more with such windows after the file's first, and goes on when two readings have
# been judged since: `{ticks}` is a file whose size is the number of readings.
BALLAST = """
import os, time
from fwtui.engine.windows import WindowLoop
step, held = WindowLoop.step, []
def ticks():
    try:
        return os.stat({ticks!r}).st_size
    except FileNotFoundError:
        return 0
def growing(self, state):
    if state.seek == 0 or not {when}:
        return step(self, state)
    while not ticks():  # before there is a limit
        time.sleep(0.01)
    if {size}:
        held.append(bytearray(b"x") * ({size} << 20))
    before = ticks()
    while ticks() < before + 2:
        time.sleep(0.01)
    return step(self, state)
WindowLoop.step = growing
"""
# From here on the kernel gives this process no more address space.
NO_MORE_FOR_TWO_BEAMS = """
import resource
from fwtui.engine.windows import WindowLoop
step = WindowLoop.step
def tight(self, state):
    if self.options.beam_size > 1:
        pages = int(open("/proc/self/statm").read().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 20), -1))
    return step(self, state)
WindowLoop.step = tight
"""
TOO_LITTLE_TO_START = "import resource; resource.setrlimit(resource.RLIMIT_AS, (300 << 20, -1))"
BIG_FAILS_AND_INT8_IS_UNKNOWN = """
import threading
import fwtui.engine.prepare as p, fwtui.engine.loop as w
decode, load = p.decode_to_wav, w.Transcriber.__init__
loaded = threading.Event()
def failing(path, *rest):
    if path.name.startswith("big"):
        loaded.wait()  # the file is prepared while the model loads, and may fail sooner
        raise MemoryError
    return decode(path, *rest)
def refusing(self, settings, *rest):
    if settings.compute_type == "int8":
        raise ValueError("Requested int8 compute type, but the target device or backend do not "
                         "support efficient int8 computation.")
    load(self, settings, *rest)
    loaded.set()
p.decode_to_wav, w.Transcriber.__init__ = failing, refusing
"""
TWO_BEAMS = DecodingSettings(beam_size=2, temperature_increment_on_fallback=None, language="en")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def limited(settings: Settings, limit: str) -> Settings:
    return replace(settings, memory=MemorySettings(warn="off", limit=limit))


def loads(batch: BatchDriver) -> int:
    return sum(isinstance(e, EngineChanged) and e.loading for e in batch.events)


def count_ticks(batch: BatchDriver, ticks: Path) -> None:
    def tick(event: object) -> None:
        if isinstance(event, MemorySampled):
            with ticks.open("ab") as file:
                file.write(b".")

    batch.actor.subscribe(tick)


async def run_up_to_a_limit(batch: BatchDriver, ticks: Path, room: int) -> BatchFinished:
    """Let the engine use `room` MB more than for its first window, and run to the end."""
    batch.send(Start())
    await batch.windows(1, 1)
    since = len(batch.events)
    now = (await batch.until(MemorySampled, lambda e: e.reading.engines > 0, since)).reading
    batch.send(ChangeSettings(limited(batch.settings, f"{now.rss + room:.0f}MB")))
    count_ticks(batch, ticks)
    return await end_of(batch)


async def end_of(batch: BatchDriver) -> BatchFinished:
    """Wait as long as there is progress: on a busy machine so many readings take long."""

    def progress() -> int:
        return sum(isinstance(event, EngineChanged | SegmentsFound) for event in batch.events)

    while True:
        before = progress()
        try:
            return await batch.until(BatchFinished)
        except TimeoutError:
            if progress() == before:
                raise


async def test_a_growing_engine_is_replaced_inside_the_file_and_the_text_is_the_same(
    tmp_path: Path, whole_minute: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fwtui.batch.memory_sampling.SAMPLE_SECONDS", 0.1)
    ticks = tmp_path / "ticks"
    code = BALLAST.format(ticks=str(ticks), when="(state.seek < 5000)", size=250)
    async with BatchDriver(settings_for(tmp_path / "grown"), [MINUTE], code) as batch:
        finished = await run_up_to_a_limit(batch, ticks, room=200)
    assert (finished.completed, finished.failed) == (1, 0)
    assert loads(batch) >= 2
    assert batch.jobs[1].attempts == ()  # nothing went wrong
    assert len([e for e in batch.events if isinstance(e, SegmentsReset)]) == 1
    assert outputs(tmp_path / "grown") == whole_minute
    alerts = [e for e in batch.events if isinstance(e, MemoryAlert)]
    assert alerts[0].hard
    assert "memory.limit is" in alerts[0].text
    assert any("Unloading the engine freed" in line for line in batch.log)
    state = batch.jobs[1].state
    assert isinstance(state, Completed)
    assert state.work_seconds > 0


async def test_what_a_fresh_engine_does_not_cure_goes_down_the_ladder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fwtui.batch.memory_sampling.SAMPLE_SECONDS", 0.1)
    ticks = tmp_path / "ticks"
    code = BALLAST.format(ticks=str(ticks), when="(self.options.beam_size > 1)", size=400)
    async with BatchDriver(settings_for(tmp_path / "out", TWO_BEAMS), [LONG], code) as batch:
        finished = await run_up_to_a_limit(batch, ticks, room=200)
    assert finished.completed == 1
    attempts = batch.jobs[1].attempts
    assert [attempt.remedy for attempt in attempts] == ["a fresh engine", "beam size 1"]
    assert {attempt.failure.kind for attempt in attempts} == {FailureKind.OUT_OF_MEMORY}
    assert loads(batch) == 4  # the first, one on trial, and one for each step


async def test_a_limit_below_the_models_own_need_ends_the_batch_with_a_message(
    tmp_path: Path,
) -> None:
    record = RunRecord()
    async with BatchDriver(
        limited(settings_for(tmp_path / "out"), "50MB"), [SHORT, MINUTE]
    ) as batch:
        batch.actor.subscribe(record)
        finished = await batch.to_the_end()
    assert finished.failure is not None
    assert "model alone exceeds the memory limit" in finished.failure.title
    assert "memory.limit is 50 MB" in finished.failure.title
    assert "set the limit to" in finished.failure.hint
    assert (loads(batch), finished.completed, finished.failed) == (1, 0, 0)
    assert record.exit_code is ExitCode.CANNOT_START


async def test_a_soft_limit_alerts_once_and_cleans_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fwtui.batch.memory_sampling.SAMPLE_SECONDS", 0.1)
    settings = replace(settings_for(tmp_path / "out"), memory=MemorySettings(warn="10MB"))
    ticks = tmp_path / "ticks"
    code = BALLAST.format(ticks=str(ticks), when="True", size=0)
    async with BatchDriver(settings, [MINUTE], code) as batch:
        count_ticks(batch, ticks)
        batch.send(Start())
        finished = await end_of(batch)
    assert finished.completed == 1
    (alert,) = [e for e in batch.events if isinstance(e, MemoryAlert)]
    assert not alert.hard
    assert "memory.warn is 10 MB" in alert.text
    assert loads(batch) == 1


@linux
async def test_allocations_that_really_fail_go_down_the_ladder(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out", TWO_BEAMS)
    async with BatchDriver(settings, [SHORT], NO_MORE_FOR_TWO_BEAMS) as batch:
        finished = await batch.to_the_end()
    assert finished.completed == 1
    attempts = batch.jobs[1].attempts
    assert [attempt.remedy for attempt in attempts] == ["a fresh engine", "beam size 1"]
    assert {attempt.failure.kind for attempt in attempts} == {FailureKind.OUT_OF_MEMORY}
    state = batch.jobs[1].state
    assert isinstance(state, Completed)
    assert state.warnings == ()  # nothing was left out


@linux
async def test_an_engine_that_cannot_even_start_for_want_of_memory_fails_the_file_and_is_told(
    tmp_path: Path,
) -> None:
    record = RunRecord()
    settings = settings_for(tmp_path / "out", output=OutputSettings(add_report=True))
    async with BatchDriver(settings, [SHORT], TOO_LITTLE_TO_START) as batch:
        batch.actor.subscribe(record)
        finished = await batch.to_the_end()
    assert (finished.failed, finished.failure) == (1, None)
    state = batch.jobs[1].state
    assert isinstance(state, Failed)
    assert state.failure.title.startswith("Failed (Memory Error): ")
    remedies = [attempt.remedy for attempt in batch.jobs[1].attempts]
    assert remedies == ["a fresh engine", "compute type int8"], batch.jobs[1].attempts
    assert record.exit_code is ExitCode.SOME_FAILED
    assert finished.report is not None
    report = Path(finished.report).read_text()
    assert "Failed (Memory Error)" in report
    assert "retried with compute type int8" in report
    (stored,) = (await batch.workspace.incomplete()).sessions
    assert len(stored.session.failed[0].attempts) == 2


async def test_a_step_whose_model_does_not_load_fails_its_file_only(tmp_path: Path) -> None:
    big = tmp_path / "big.flac"
    big.write_bytes(SHORT.read_bytes())
    settings = settings_for(tmp_path / "out")
    async with BatchDriver(settings, [big, SHORT], BIG_FAILS_AND_INT8_IS_UNKNOWN) as batch:
        finished = await batch.to_the_end()
    assert (finished.completed, finished.failed, finished.failure) == (1, 1, None)
    state = batch.jobs[1].state
    assert isinstance(state, Failed)
    assert state.failure.kind is FailureKind.OUT_OF_MEMORY
    assert "Failed (Memory Error): retrying with less memory failed" in state.failure.title
