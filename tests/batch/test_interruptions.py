"""What users do at awkward moments: to jobs behind others, to dying engines, twice in a row."""

import asyncio
import os
import signal
from pathlib import Path

from fwtui.core.commands import Pause, RetryJobs, SkipJobs, Start
from fwtui.core.events import BatchFinished, JobChanged, JobProgress, Phase, PhaseChanged
from fwtui.core.job import Cancelled, Completed
from fwtui.core.settings import BatchSettings
from tests.batch.driver import LONG, SHORT, Batch, settings_for


async def test_a_skipped_file_can_be_retried_in_the_same_engine(tmp_path: Path) -> None:
    async with Batch(settings_for(tmp_path / "out"), [LONG, SHORT]) as batch:
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


async def test_skipping_the_file_behind_leaves_the_engine_alone(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out", batch=BatchSettings(cancel_seconds=1.0))
    async with Batch(settings, [LONG, SHORT]) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        await batch.until(JobProgress, lambda e: e.id == 2)
        batch.send(SkipJobs((2,)))
        await batch.state(2, Cancelled)
        assert not isinstance(batch.jobs[1].state, Completed)
        await batch.until(BatchFinished)
        assert not any("killed" in line for line in batch.log)


async def test_going_on_and_pausing_at_once_rests_again(tmp_path: Path) -> None:
    async with Batch(settings_for(tmp_path / "out"), [LONG]) as batch:
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
    async with Batch(settings_for(tmp_path / "out"), [LONG]) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        pid = await batch.engine_pid()
        os.kill(pid, signal.SIGSTOP)
        batch.send(SkipJobs((1,)))
        while not batch.runner._slot.is_cancelling(1):
            await asyncio.sleep(0)
        os.kill(pid, signal.SIGKILL)
        await batch.until(BatchFinished)
        assert isinstance(batch.jobs[1].state, Cancelled)
