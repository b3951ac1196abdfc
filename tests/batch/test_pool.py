"""Several engines on one queue."""

import os
import signal
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui import demo
from fwtui.batch.devices import device_indexes
from fwtui.core.commands import Start
from fwtui.core.events import BatchFinished, EngineChanged, JobChanged, Phase, PhaseChanged
from fwtui.core.job import Completed, JobId, Processing
from fwtui.core.settings import BatchSettings, ModelSettings, Settings
from fwtui.memory.gpu import GpuMeter
from tests.batch.driver import LONG, MINUTE, RESTING, SHORT, BatchDriver, children, settings_for
from tests.memory.test_measure import nvml

TWO = BatchSettings(workers=2)
# The first process to make the file is an engine; all others end at once.
ONE_WORKS = """
import os, sys
try:
    os.close(os.open({mine!r}, os.O_CREAT | os.O_EXCL))
except FileExistsError:
    sys.exit("no engine today")
"""
# The first file rests in its engine until the file is there.
FIRST_WAITS = """
import time
from pathlib import Path
from fwtui.engine.reporter import Reporter
rest = Reporter.hold
def wait(teller, jobs):
    while 1 in jobs and not Path({go!r}).exists():
        time.sleep(0.02)
    return rest(teller, jobs)
Reporter.hold = wait
"""


@pytest.mark.parametrize(
    ("device", "indexes", "workers", "gpus", "expected"),
    [
        ("auto", "0", 1, 0, (0,)),
        ("auto", "0,1,2,3", 1, 0, (0,)),
        ("auto", "0,1,2,3", 1, 4, (0, 1, 2, 3)),
        ("cuda", "1, 0,1", 2, 0, (1, 0, 1, 0)),
        ("cpu", "2", 3, 4, (0, 0, 0)),
    ],
)
def test_device_indexes(
    device: str, indexes: str, workers: int, gpus: int, expected: tuple[int, ...]
) -> None:
    model = ModelSettings(device=device, device_index=indexes)  # type: ignore[arg-type]
    settings = Settings(model=model, batch=BatchSettings(workers=workers))
    assert device_indexes(settings, gpus) == expected


async def test_a_driver_that_wakes_up_while_a_batch_starts_has_its_gpus_used(
    tmp_path: Path,
) -> None:
    """Its GPUs are not in the first reading, which waits for no driver."""
    answer = threading.Event()
    model = ModelSettings(model=str(demo.model_dir()), device_index="0,1")
    settings = replace(settings_for(tmp_path / "out"), model=model)
    async with BatchDriver(settings, [SHORT]) as batch:
        batch.actor._meter._gpus = GpuMeter(lambda: (answer.wait(), nvml())[1], patience=0.01)
        batch.send(Start())
        threading.Timer(0.2, answer.set).start()
        await batch.until(PhaseChanged, lambda event: event.phase is Phase.RUNNING)
        assert [slot.device for slot in batch.actor._pool._workers] == [0, 1]


def slots_of(batch: BatchDriver, job: JobId) -> list[int]:
    """The slots in which a file was transcribed, in order."""
    changes = [event.job for event in batch.events if isinstance(event, JobChanged)]
    states = [changed.state for changed in changes if changed.id == job]
    return [state.slot for state in states if isinstance(state, Processing) and not state.preparing]


async def test_two_engines_share_a_queue(tmp_path: Path) -> None:
    """What waits behind a long file goes to the engine that has nothing to do."""
    clips = [clip for clip in demo.clips() if clip not in {LONG, SHORT}]
    settings = settings_for(tmp_path / "out", batch=TWO)
    go, others_children = tmp_path / "go", children()
    engine = FIRST_WAITS.format(go=str(go))
    async with BatchDriver(settings, [MINUTE, SHORT, *clips], engine=engine) as batch:
        batch.send(Start())
        others = [job for job in batch.jobs if job != 1]
        for job in others:
            await batch.state(job, Completed)
            assert slots_of(batch, job) == [1]
        go.touch()
        finished = await batch.until(BatchFinished)
        assert finished.completed == len(batch.jobs)
        assert slots_of(batch, 1) == [0]
        assert children(others_children) == []


async def test_the_end_of_one_engine_leaves_the_other_alone(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out", batch=TWO)
    copy = tmp_path / "copy.flac"
    copy.write_bytes(MINUTE.read_bytes())
    go = tmp_path / "go"
    async with BatchDriver(settings, [MINUTE, copy], RESTING.format(go=str(go))) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        await batch.windows(2, 1)
        by_slot = {e.slot: e.info for e in batch.events if isinstance(e, EngineChanged) and e.info}
        os.kill(by_slot[0].pid, signal.SIGKILL)
        go.touch()
        finished = await batch.until(BatchFinished)
        assert finished.completed == 2
        assert len(batch.jobs[1].attempts) == 1
        assert batch.jobs[2].attempts == ()


async def test_an_engine_that_cannot_be_used_leaves_its_files_to_the_others(tmp_path: Path) -> None:
    engine = ONE_WORKS.format(mine=str(tmp_path / "mine"))
    settings = settings_for(tmp_path / "out", batch=TWO)
    async with BatchDriver(settings, [MINUTE, *demo.clips()[:3]], engine=engine) as batch:
        finished = await batch.to_the_end()
        assert finished.completed == 4
        assert finished.failure is None
        assert any("cannot be used; the others continue" in line for line in batch.log)
