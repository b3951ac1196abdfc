"""Engines that die: at one window, while preparing, at the start, for want of memory.

The deaths are real; what makes them happen at a chosen place is code put into the child.
"""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fwtui.batch.exit_code import exit_code
from fwtui.core.commands import RetryJobs
from fwtui.core.events import EngineChanged, SegmentsFound
from fwtui.core.failure import FailureKind
from fwtui.core.job import Completed, Failed
from fwtui.core.settings import DecodingSettings
from tests.batch.driver import MINUTE, SHORT, BatchDriver, settings_for

AT_A_WINDOW = """
import os, signal
from fwtui.engine.windows import WindowLoop
step = WindowLoop.step
def dying(self, state):
    if 2000 <= state.seek < 5000:
        os.kill(os.getpid(), signal.SIGSEGV)
    return step(self, state)
WindowLoop.step = dying
"""
WHILE_PREPARING = """
import os, signal
import fwtui.engine.prepare as p
decode = p.decode_to_wav
def dying(path, *rest):
    if path.name.startswith("poison"):
        os.kill(os.getpid(), signal.SIGABRT)
    return decode(path, *rest)
p.decode_to_wav = dying
"""
AT_THE_START = "import sys; sys.exit(7)"
GARBAGE = r"import os, time; os.write(1, b'noise\n'); time.sleep(600)"
ALLOCATION = """
from fwtui.engine.windows import WindowLoop
step = WindowLoop.step
def failing(self, state):
    if self.options.beam_size > 1 and state.seek > 2000:
        raise RuntimeError("mkl_malloc: failed to allocate memory")
    return step(self, state)
WindowLoop.step = failing
"""
NO_ROOM_FOR_TWO = """
import fwtui.engine.prepare as p
decode = p.decode_to_wav
def failing(path, wav, *rest):
    if path.name.startswith("big") and len(list(wav.parent.glob("*.wav"))):
        raise MemoryError
    return decode(path, wav, *rest)
p.decode_to_wav = failing
"""
NO_MEMORY = """
from fwtui.engine.windows import WindowLoop
def failing(self, state):
    raise MemoryError
WindowLoop.step = failing
"""


def segments(batch: BatchDriver, job: int) -> list[Any]:
    return [
        segment
        for event in batch.events
        if isinstance(event, SegmentsFound) and event.id == job
        for segment in event.segments
    ]


async def test_a_window_that_kills_twice_is_left_out_and_told(tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE, SHORT], AT_A_WINDOW) as batch:
        finished = await batch.to_the_end()
    assert finished.completed == 2
    state = batch.jobs[1].state
    assert isinstance(state, Completed)
    assert (exit_code(batch.jobs.values(), finished.failure), state.skipped_chunks) == (1, 1)
    assert any("was skipped" in warning for warning in state.warnings)
    assert [a.failure.kind for a in batch.jobs[1].attempts] == [FailureKind.ENGINE_DIED] * 2
    assert batch.jobs[2].attempts == ()
    found = segments(batch, 1)
    assert not any(2000 <= segment.seek < 5000 for segment in found)
    assert any(segment.seek >= 5000 for segment in found)
    assert [segment.id for segment in found] == list(range(1, len(found) + 1))


async def test_what_was_left_out_once_is_not_told_of_a_whole_transcript(tmp_path: Path) -> None:
    """Another try from the start has no hole, whatever its earlier attempts were."""
    poison = tmp_path / "poison"
    poison.touch()
    code = AT_A_WINDOW.replace("if 2000", f"if os.path.exists({str(poison)!r}) and 2000")
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE], code) as batch:
        await batch.to_the_end()
        hurt = batch.jobs[1].state
        assert isinstance(hurt, Completed)
        assert any("was skipped" in warning for warning in hurt.warnings)
        poison.unlink()
        since = len(batch.events)
        batch.send(RetryJobs((1,)))
        await batch.to_the_end(since)
        whole = batch.jobs[1].state
        assert isinstance(whole, Completed)
        assert whole.warnings == ()


async def test_a_file_that_kills_while_it_is_prepared_harms_no_other(tmp_path: Path) -> None:
    poison = tmp_path / "poison.flac"
    poison.write_bytes(SHORT.read_bytes())
    paths = [MINUTE, poison, SHORT]
    async with BatchDriver(settings_for(tmp_path / "out"), paths, WHILE_PREPARING) as batch:
        finished = await batch.to_the_end()
    assert (finished.completed, finished.failed) == (2, 1)
    state = batch.jobs[2].state
    assert isinstance(state, Failed)
    assert state.failure.kind is FailureKind.ENGINE_DIED
    long = batch.jobs[1].state
    assert isinstance(long, Completed)
    assert long.warnings == ()


async def test_an_engine_that_never_starts_ends_the_batch(tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE, SHORT], AT_THE_START) as batch:
        finished = await batch.to_the_end()
        assert finished.failure is not None
        assert "exit code 7" in finished.failure.title
        assert finished.completed == finished.failed == 0
        loads = [e for e in batch.events if isinstance(e, EngineChanged) and e.loading]
        assert len(loads) == 2


async def test_an_engine_that_speaks_something_else_is_not_called_out_of_memory(
    tmp_path: Path,
) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [SHORT], GARBAGE) as batch:
        finished = await batch.to_the_end()
        assert finished.failure is not None
        assert finished.failure.kind is FailureKind.ENGINE_DIED
        assert "unreadable reply" in finished.failure.title


async def test_the_ladder_goes_on_inside_the_file(tmp_path: Path) -> None:
    decoding = DecodingSettings(beam_size=2, temperature_increment_on_fallback=None)
    async with BatchDriver(settings_for(tmp_path / "out", decoding), [MINUTE], ALLOCATION) as batch:
        finished = await batch.to_the_end()
    assert finished.completed == 1
    attempts = batch.jobs[1].attempts
    assert [attempt.remedy for attempt in attempts] == ["a fresh engine", "beam size 1"]
    assert all(attempt.at_seconds > 0 for attempt in attempts)
    found = segments(batch, 1)
    assert [segment.id for segment in found] == list(range(1, len(found) + 1))
    assert any("beam size 1" in line and MINUTE.name in line for line in batch.log)


async def test_a_file_without_room_beside_another_is_tried_alone(tmp_path: Path) -> None:
    big = tmp_path / "big.flac"
    big.write_bytes(SHORT.read_bytes())
    settings = settings_for(tmp_path / "out")
    settings = replace(settings, model=replace(settings.model, compute_type="int8"))
    async with BatchDriver(settings, [MINUTE, big], NO_ROOM_FOR_TWO) as batch:
        finished = await batch.to_the_end()
    assert finished.completed == 2
    assert [attempt.remedy for attempt in batch.jobs[2].attempts] == ["a fresh engine"]


async def test_the_end_of_the_ladder_fails_the_file_and_a_resume_tries_it_again(
    tmp_path: Path,
) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [SHORT], NO_MEMORY) as batch:
        finished = await batch.to_the_end()
    assert finished.failed == 1
    state = batch.jobs[1].state
    assert isinstance(state, Failed)
    assert state.failure.title.startswith("Failed (Memory Error)")
    remedies = [attempt.remedy for attempt in batch.jobs[1].attempts]
    assert remedies == ["a fresh engine", "compute type int8"]
    again = await BatchDriver.resumed()
    async with again:
        again.send(RetryJobs((1,)))
        finished = await again.to_the_end()
    assert finished.completed == 1


AT_EVERY_WINDOW = """
import os, signal
from fwtui.engine.windows import WindowLoop
from fwtui.engine.batched import BatchDecoder
def dying(self, *_):
    os.kill(os.getpid(), signal.SIGSEGV)
WindowLoop.step = BatchDecoder.decode = dying
"""
AT_A_FILE = AT_A_WINDOW.replace("2000 <= state.seek < 5000", "self.content_frames > 4000")


@pytest.mark.parametrize("batched", [False, True])
async def test_an_engine_that_dies_at_every_window_cannot_work(
    tmp_path: Path, batched: bool
) -> None:
    """Nothing is done, earlier transcripts stay, and the files that are left wait."""
    settings = settings_for(tmp_path / "out")
    settings = replace(settings, decoding=replace(settings.decoding, batched=batched))
    (tmp_path / "out").mkdir()
    earlier = tmp_path / "out" / f"{SHORT.stem}.txt"
    earlier.write_text("earlier")
    others = []
    for number in range(3):
        others.append(tmp_path / f"{number}.flac")
        others[-1].write_bytes(SHORT.read_bytes())
    async with BatchDriver(settings, [SHORT, *others], AT_EVERY_WINDOW) as batch:
        finished = await batch.to_the_end()
    assert finished.completed == 0
    assert exit_code(batch.jobs.values(), finished.failure) == 4
    states = [job.state for job in batch.jobs.values()]
    failed = [state for state in states if isinstance(state, Failed)]
    assert {state.failure.kind for state in failed} == {FailureKind.ENGINE_UNUSABLE}
    assert len(failed) == 2
    assert earlier.read_text() == "earlier"


async def test_a_file_of_which_nothing_was_transcribed_is_failed_and_starts_anew(
    tmp_path: Path,
) -> None:
    poison = tmp_path / "poison"
    poison.touch()
    code = AT_A_FILE.replace("if self", f"if os.path.exists({str(poison)!r}) and self")
    out = tmp_path / "out"
    async with BatchDriver(settings_for(out), [SHORT, MINUTE], code) as batch:
        finished = await batch.to_the_end()
        assert (finished.completed, finished.failed) == (1, 1)
        assert exit_code(batch.jobs.values(), finished.failure) == 1
        state = batch.jobs[2].state
        assert isinstance(state, Failed)
        assert state.failure.kind is FailureKind.ENGINE_UNUSABLE
        assert not list(out.glob(f"{MINUTE.stem}*"))
        poison.unlink()
        since = len(batch.events)
        batch.send(RetryJobs((2,)))
        await batch.to_the_end(since)
        assert exit_code(batch.jobs.values(), None) == 0
        whole = batch.jobs[2].state
        assert isinstance(whole, Completed)
        assert (whole.warnings, whole.skipped_chunks) == ((), 0)
