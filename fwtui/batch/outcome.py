"""Ends: of a file, its outputs made from the journal; of a batch, its report."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from fwtui.batch.ledger import Ledger, now
from fwtui.batch.pace import Prediction
from fwtui.batch.report import make_report
from fwtui.batch.report_text import render_report
from fwtui.batch.run import Run
from fwtui.config.sparse import sparse
from fwtui.core.display import printable
from fwtui.core.events import Level
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Completed, Failed, Job
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.segment import Transcript
from fwtui.core.session import FilePlan
from fwtui.errors import DiskFullError, FwtuiError, StorageError
from fwtui.storage.atomic import write_atomic
from fwtui.writers.registry import write_transcript

NO_SPEECH = "no speech was found"
LEAVE_OUT = "leaving this window out"  # the remedy of an attempt


def left_out(seconds: float) -> str:
    """The warning about a window that killed the engine, at `seconds` of the file."""
    return f"the window at {seconds:.0f} s is left out: the engine died there twice"


def warnings_of(
    plan: FilePlan, holes: Iterable[float], segments: int, changed: str = ""
) -> tuple[str, ...]:
    """What the user must know of a completed file.

    `holes` are where windows are left out; `changed` is what the file went through meanwhile.
    """
    silence = () if segments else (NO_SPEECH,)
    later = (f"the transcript is of the file as it was before {changed}",) if changed else ()
    return (*plan.warnings, *(left_out(seconds) for seconds in holes), *silence, *later)


def gone(folder: Path) -> Failure:
    """The failure when a folder that was there is not: making it anew would be on another disk."""
    return Failure(
        FailureKind.OUTPUT,
        f"The output folder {printable(str(folder))} has gone",
        "Connect its drive again, or make the folder anew.",
        place=path_to_text(folder),
    )


async def complete(ledger: Ledger, job: Job, run: Run) -> Completed | Failed:
    """Write the outputs of a file whose windows are all journaled.

    They are durable when this returns `Completed`; an error becomes `Failed` and leaves the
    progress as it is, so a retry only writes again.
    """
    assert run.plan is not None
    found = await ledger.transcript(job.id)
    holes = await asyncio.to_thread(ledger.store.left_out, job.id)
    transcript = Transcript(run.plan.language, found.segments, run.plan.duration)
    output = run.settings.output
    stem = text_to_path(path_to_text(output.output_dir)).expanduser() / text_to_path(job.stem)
    if stem.parent in ledger.output_folders and not await asyncio.to_thread(stem.parent.is_dir):
        return Failed(now(), gone(stem.parent), run.started_at)
    try:
        written = await asyncio.to_thread(
            write_transcript, transcript, stem, output, ledger.store.owner
        )
    except FwtuiError as error:
        full = isinstance(error, DiskFullError)
        kind = FailureKind.DISK_FULL if full else FailureKind.OUTPUT
        place, needed = (error.place, error.needed) if isinstance(error, StorageError) else ("", 0)
        failure = Failure(kind, error.title, error.hint, "", place, needed)
        return Failed(now(), failure, run.started_at)
    ledger.output_folders.add(stem.parent)
    return Completed(
        started_at=run.started_at,
        completed_at=now(),
        outputs=tuple(path_to_text(path) for path in written),
        audio_seconds=run.plan.duration,
        work_seconds=run.worked,
        language=run.plan.language,
        segments=len(transcript.segments),
        warnings=warnings_of(run.plan, holes, len(transcript.segments), run.changed),
        used=sparse(replace(run.settings, model=run.current.model, decoding=run.current.decoding)),
    )


async def write_report(
    ledger: Ledger, began: datetime, peak_rss: float, prediction: Prediction | None = None
) -> str | None:
    """Write the report of the batch beside the transcripts: its path, or None if that failed."""
    settings = ledger.settings
    session = ledger.store.session_id
    report = make_report(tuple(ledger.queue), settings, session, began, now(), peak_rss, prediction)
    folder = text_to_path(path_to_text(settings.output.output_dir)).expanduser()
    path = folder / f"fwtui-report-{session}.txt"
    try:
        text = render_report(report).encode()
        # when no file was completed, the folder need not be there yet
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(write_atomic, path, text, owner=ledger.store.owner)
    except FwtuiError as error:
        ledger.log(Level.ERROR, f"The report was not written: {error.title}")
        return None
    except OSError as error:
        reason = error.strerror or str(error)
        ledger.log(Level.ERROR, f"The report was not written: {folder}: {reason}")
        return None
    ledger.log(Level.INFO, f"Report: {path}")
    return path_to_text(path)
