"""What goes with a file into an engine: its run, its scratch file, its request."""

import asyncio
from pathlib import Path

from fwtui.audio.identity import change_since
from fwtui.batch.attempts import NOT_STARTED, Run
from fwtui.batch.retry import first_rung, ladder
from fwtui.batch.state import Ledger, now
from fwtui.core.job import Job
from fwtui.core.paths import path_to_text
from fwtui.core.session import FilePlan, Resume
from fwtui.core.settings import Settings
from fwtui.engine.protocol import Transcribe
from fwtui.sessions.scratch import new_scratch


def new_run(job: Job, settings: Settings, device: str, recent_rungs: list[int]) -> Run:
    """A run with the settings of this moment."""
    rungs = ladder(settings, device)
    rung = min(first_rung(recent_rungs), len(rungs) - 1)
    return Run(job.id, settings, rungs, rung, now())


async def finished_plan(ledger: Ledger, job: Job, run: Run) -> FilePlan | None:
    """The plan of a file whose windows were all done before, if they still count."""
    point = await asyncio.to_thread(ledger.store.resume_point, job.id)
    if point is None or not point.is_done:
        return None
    if point.plan.text_hash != run.settings.text_hash():
        return None
    if await asyncio.to_thread(change_since, job.file, point.plan.fingerprint):
        return None  # the engine looks too, and says why the file starts over
    return point.plan


async def resume_point(ledger: Ledger, run: Run) -> Resume | None:
    """Where the run goes on; puts the run there."""
    point = await asyncio.to_thread(ledger.store.resume_point, run.job)
    run.place, run.cancelled = NOT_STARTED, False
    run.position = point.seconds if point else 0.0
    run.resume_seek = point.state.seek if point and point.state else 0
    return point


async def transcribe_request(
    ledger: Ledger, scratch: Path, job: Job, run: Run, point: Resume | None
) -> Transcribe:
    """The request for a file; its scratch file, in the folder `scratch`, is recorded."""
    run.scratch = new_scratch(scratch, ledger.store.session_id, job.id)
    await ledger.add_temp(run.scratch)
    return Transcribe(
        job=job.id,
        path=job.path,
        decoding=run.current.decoding,
        text_hash=run.settings.text_hash(),
        scratch=path_to_text(run.scratch),
        resume=point,
        skip_window=run.skip_window,
        careful=run.careful,
        quality=run.settings.quality,
        scratch_limit=run.settings.batch.scratch_limit_mb << 20,
    )
