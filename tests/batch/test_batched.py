"""Batched mode with the whole runner: short files together, resume, and engines that die of it."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui import demo
from fwtui.batch.worker import JobStage
from fwtui.core.commands import SkipJobs, Start, Stop
from fwtui.core.events import BatchFinished, MemorySampled, SegmentsFound
from fwtui.core.failure import FailureKind
from fwtui.core.job import Cancelled, Completed, Failed
from fwtui.core.settings import BatchSettings, DecodingSettings, Settings
from tests.batch.driver import MINUTE, PATIENCE, SHORT, BatchDriver, outputs, settings_for
from tests.engine.support import write_wav
from tests.whisper_audio import decode_audio

BATCHED = DecodingSettings(
    beam_size=1, temperature_increment_on_fallback=None, batched=True, batch_size=2
)
CLIPS = demo.clips()[:4]
# The first batch waits for this many files, so that they are in it together.
TOGETHER = """
import time
from fwtui.engine.batches import BatchedFiles
fill = BatchedFiles._fill
def together(self):
    first = self._next is not None and not self._next.request.careful
    while first and 1 + len(self.inbox._prepared) < {count}:
        time.sleep(0.01)
    return fill(self)
BatchedFiles._fill = together
"""
# A batch with more than one file waits for the gate.
GATE = """
import os, time
from fwtui.engine.batched import BatchDecoder
decode = BatchDecoder.decode
def waiting(self, parts):
    while len(parts) > 1 and not os.path.exists({gate!r}):
        time.sleep(0.01)
    return decode(self, parts)
BatchDecoder.decode = waiting
"""
# The second batch never comes, so the file can be stopped inside.
ONE_BATCH = """
import time
from fwtui.engine.batched import BatchDecoder
decode = BatchDecoder.decode
def once(self, parts):
    while parts[0].file.state.clip:
        time.sleep(0.01)
    return decode(self, parts)
BatchDecoder.decode = once
"""
DIES_OF_POISON = """
import os, signal
from fwtui.engine.batched import BatchDecoder
decode = BatchDecoder.decode
def dying(self, parts):
    if any("poison" in part.file.prepared.request.path for part in parts):
        os.kill(os.getpid(), signal.SIGSEGV)
    return decode(self, parts)
BatchDecoder.decode = dying
"""
NO_ROOM_FOR_TWO = """
from fwtui.engine.batched import BatchDecoder
decode = BatchDecoder.decode
def failing(self, parts):
    if sum(part.count for part in parts) > 1:
        raise RuntimeError("mkl_malloc: failed to allocate memory")
    return decode(self, parts)
BatchDecoder.decode = failing
"""


def settings(out: Path) -> Settings:
    return settings_for(out, BATCHED)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Long enough for three chunks, whatever the model's window is."""
    path = tmp_path / "talk.wav"
    write_wav(path, decode_audio(MINUTE))
    return path


def segment_ids(batch: BatchDriver) -> list[int]:
    return [s.id for e in batch.events if isinstance(e, SegmentsFound) for s in e.segments]


async def test_files_together_have_the_outputs_of_files_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.mp3"
    notes.write_text("not sound")
    async with BatchDriver(settings(tmp_path / "together"), [CLIPS[0], notes, *CLIPS[1:]]) as batch:
        finished = await batch.to_the_end()
    assert (finished.completed, finished.failed) == (4, 1)
    assert any("Model utilisation" in line for line in batch.log)
    alone = replace(settings(tmp_path / "alone"), decoding=replace(BATCHED, batch_size=1))
    async with BatchDriver(alone, CLIPS) as batch:
        await batch.to_the_end()
    assert outputs(tmp_path / "together") == outputs(tmp_path / "alone")


async def test_a_stopped_file_goes_on_after_its_last_batch(tmp_path: Path, talk: Path) -> None:
    async with BatchDriver(settings(tmp_path / "whole"), [talk]) as batch:
        await batch.to_the_end()
        state = batch.jobs[1].state
        assert isinstance(state, Completed)
        assert state.work_seconds > 0
    async with BatchDriver(settings(tmp_path / "halves"), [talk], ONE_BATCH) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(Stop())
        await batch.until(BatchFinished)
    async with await BatchDriver.resumed() as again:
        await again.to_the_end()
    seen, later = segment_ids(batch), segment_ids(again)
    assert seen[0] == 1
    assert seen + later == list(range(1, len(seen + later) + 1))
    assert outputs(tmp_path / "whole") == outputs(tmp_path / "halves")


async def test_neighbours_of_a_file_that_kills_are_not_blamed(tmp_path: Path) -> None:
    poison = tmp_path / "poison.flac"
    poison.write_bytes(SHORT.read_bytes())
    code = TOGETHER.format(count=3) + DIES_OF_POISON
    wide = replace(settings(tmp_path / "out"), decoding=replace(BATCHED, batch_size=9))
    async with BatchDriver(wide, [CLIPS[1], poison, CLIPS[2]], code) as batch:
        finished = await batch.to_the_end()
    assert (finished.completed, finished.failed) == (2, 1)
    state = batch.jobs[2].state
    assert isinstance(state, Failed)
    assert state.failure.kind is FailureKind.ENGINE_DIED
    remedies = [[attempt.remedy for attempt in batch.jobs[job].attempts] for job in (1, 2, 3)]
    alone = "no other file in the engine"
    assert remedies == [[alone], [alone, "a fresh engine"], [alone]]


async def test_a_cancelled_file_ends_with_its_batch_and_its_neighbour_loses_nothing(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    code = TOGETHER.format(count=2) + GATE.format(gate=str(gate))
    impatient = settings_for(tmp_path / "out", BATCHED, batch=BatchSettings(cancel_seconds=0.0))
    async with BatchDriver(impatient, [SHORT, MINUTE], code) as batch:
        batch.send(Start())
        slot = next(iter(batch.actor._pool))
        async with asyncio.timeout(PATIENCE):
            while slot._in_flight.at(JobStage.IN_MODEL) != (1, 2):
                await asyncio.sleep(0.01)
            batch.send(SkipJobs((2,)))
            while not slot.is_cancelling(2):
                await asyncio.sleep(0.01)
        await batch.until(MemorySampled, since=len(batch.events))  # the patience is over
        assert not slot.is_overdue(2)
        gate.touch()
        await batch.until(BatchFinished)
    assert isinstance(batch.jobs[1].state, Completed)
    assert isinstance(batch.jobs[2].state, Cancelled)
    assert not any("killed" in line for line in batch.log)


async def test_a_batch_without_room_gets_smaller_until_it_fits(tmp_path: Path, talk: Path) -> None:
    async with BatchDriver(settings(tmp_path / "out"), [talk, SHORT], NO_ROOM_FOR_TWO) as batch:
        finished = await batch.to_the_end()
    assert finished.completed == 2
    remedies = [attempt.remedy for attempt in batch.jobs[1].attempts]
    assert remedies == ["a fresh engine", "batch size 1"]
