"""Finish a file (write its outputs from the journal) and a batch (write its report)."""

import asyncio
import dataclasses
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from fwtui.batch.conflicts import record_transcribed, rename_outputs, stem_path
from fwtui.batch.diarization import doubtful_speakers, speakers_of
from fwtui.batch.disk_wait import output_failure
from fwtui.batch.exit_code import exit_code
from fwtui.batch.file_run import FileRun
from fwtui.batch.output_folders import folder_missing
from fwtui.batch.quality import check_transcript, fast_subtitles, is_marked, left_out
from fwtui.batch.remote.batch_status import BatchResult
from fwtui.batch.retry import NOTHING_TRANSCRIBED, skipped_chunk
from fwtui.batch.state import BatchState, now
from fwtui.config.overrides import from_overrides, to_overrides
from fwtui.config.validate import load_replacements
from fwtui.core.attribution import with_speakers
from fwtui.core.channels import by_time
from fwtui.core.disk_errors import reason_of
from fwtui.core.events import BatchFinished, Level
from fwtui.core.failure import Failure
from fwtui.core.finding import Finding
from fwtui.core.job import Completed, Failed, Job
from fwtui.core.paths import REPORT_PREFIX, expand_home, path_to_text, text_to_path
from fwtui.core.segment import (
    AnyTranscript,
    MappedSegments,
    Segment,
    Transcript,
    TranscriptStream,
)
from fwtui.core.session import FilePlan, Spoken, each_with_language
from fwtui.core.settings import OutputSettings, Settings
from fwtui.core.speakers import Turn, labels_of, speaker_times
from fwtui.core.text import valid_unicode
from fwtui.core.voices import SpeakerTurns
from fwtui.disk.files import FILES, ensure_folder, is_folder, write_output
from fwtui.errors import FwtuiError
from fwtui.outputs.formats.edit import edited
from fwtui.outputs.formats.registry import existing, formats, read_only, write_transcript
from fwtui.outputs.naming import Names, is_one_of, with_number_of
from fwtui.report.render import render_report
from fwtui.report.report import Prediction, make_report

NO_SPEECH = "no speech found"


def warnings_of(
    plan: FilePlan, holes: Iterable[float], segments: int, changed: str = ""
) -> tuple[str, ...]:
    """What the user must know about a completed file.

    `holes`: the seconds at which windows were skipped; `changed`: what has become of the media
    file since it was read.
    """
    silence = () if segments else (NO_SPEECH,)
    later = (f"the transcript is of the file before it changed: {changed}",) if changed else ()
    return (*plan.warnings, *(skipped_chunk(seconds, plan) for seconds in holes), *silence, *later)


async def complete(state: BatchState, job: Job, run: FileRun) -> Completed | Failed:
    """Write the outputs of a file whose windows are all journaled.

    They are durable when this returns `Completed`. An error becomes `Failed` and keeps the
    progress, so that a retry only has to write them.
    """
    plan, settings = run.plan, run.settings
    assert plan is not None
    stem = stem_path(job.stem, settings.output)
    if (missing := await asyncio.to_thread(missing_folder, state, job, stem)) is not None:
        return Failed(now(), missing, run.started_at)
    holes = await asyncio.to_thread(state.store.skipped_windows, job.id)
    if holes and not await asyncio.to_thread(state.store.has_transcribed, job.id):
        return Failed(now(), NOTHING_TRANSCRIBED, run.started_at)
    try:
        written = await asyncio.to_thread(_write_outputs, state, job, run, stem)
    except (FwtuiError, OSError) as error:
        return Failed(now(), output_failure(error, stem.parent), run.started_at)
    state.output_folders.add(stem.parent)
    if plan.channels:  # the names of its speakers may change later
        await state.set_speakers(job.id, written.speakers)
    done = Completed(
        started_at=run.started_at,
        completed_at=now(),
        outputs=tuple(path_to_text(path) for path in written.paths),
        audio_seconds=plan.duration,
        work_seconds=run.worked,
        timed_seconds=run.timed,
        language=plan.language,
        segments=written.segments,
        warnings=(
            *warnings_of(plan, holes, written.segments, run.changed),
            *((written.speakers.warning,) if written.speakers.warning else ()),
            *kept_warning(job.kept_formats or ()),
            *read_only_warning(written.protected),
            *((job.name_note,) if job.name_note else ()),
        ),
        used=to_overrides(
            replace(settings, model=run.current.model, decoding=run.current.decoding)
        ),
        findings=written.findings,
        skipped_chunks=len(holes),
        speakers=speaker_times(written.speakers.turns),
    )
    await asyncio.to_thread(record_transcribed, state, job, plan, settings, done)
    return done


class _Written(NamedTuple):
    """What was written of a file; formats in `protected` were read-only."""

    paths: tuple[Path, ...]
    protected: tuple[str, ...]
    segments: int
    findings: tuple[Finding, ...]
    speakers: SpeakerTurns


def _write_outputs(state: BatchState, job: Job, run: FileRun, stem: Path) -> _Written:
    """Write the outputs from the journal, and check the text. Raises FwtuiError or OSError."""
    plan, settings = run.plan, run.settings
    assert plan is not None
    output, store = settings.output, state.store
    speakers = speakers_of(store, run) or SpeakerTurns("", ())
    spoken, marked = store.spoken(job.id), store.findings(job.id)
    transcript = transcript_of(store.stored_segments(job.id), plan, settings, spoken, marked)
    if output.drop_unspoken:
        marked = tuple(map(left_out, marked))
    labels = labels_of(speakers.turns, settings.speakers, job.speaker_names)
    text = written_text(transcript, settings, speakers.turns, labels, job)
    kept = job.kept_formats or ()
    protected = protected_formats(stem, output, kept)
    written = write_transcript(text, stem, output, store.owner, (*kept, *protected))
    findings = (
        *check_transcript(transcript, plan, spoken, settings.decoding, settings.quality, marked),
        *fast_subtitles(text, output),
        *doubtful_speakers(speakers.turns, settings.speakers),
    )
    segments = sum(1 for _ in transcript.segments)
    return _Written(written, protected, segments, findings, speakers)


def transcript_of(
    segments: Iterable[Segment],
    plan: FilePlan,
    settings: Settings,
    spoken: Sequence[Spoken],
    marked: Sequence[Finding],
) -> AnyTranscript:
    """The transcript of a file before it is edited, as a stream if its segments are one."""

    def change(each: Iterable[Segment]) -> Iterable[Segment]:
        each = in_order(each, plan)
        if settings.output.drop_unspoken:
            each = (one for one in each if not is_marked(one, marked))
        return each_with_language(each, spoken) if settings.decoding.multilingual else each

    if isinstance(segments, tuple):
        return Transcript(plan.language, tuple(change(segments)), plan.duration)
    return TranscriptStream(plan.language, MappedSegments(segments, change), plan.duration)


def written_text(
    transcript: AnyTranscript,
    settings: Settings,
    turns: tuple[Turn, ...],
    labels: dict[int, str],
    job: Job,
) -> AnyTranscript:
    """The transcript as it is written: with its speakers, and edited as the settings ask.

    Raises ConfigError if the file with the corrections is not valid any more.
    """
    output, language = settings.output, transcript.language
    rules = load_replacements(Path(output.replacements)) if output.replacements else None
    translated = settings.decoding.task == "translate"
    if isinstance(transcript, Transcript):
        transcript = replace(transcript, turns=turns, labels=labels, recording=recording_of(job))
    else:
        transcript = dataclasses.replace(
            transcript, turns=turns, labels=labels, recording=recording_of(job)
        )
    return edited(
        with_speakers(transcript),
        output,
        rules,
        lambda segment: "en" if translated else segment.language or language,
    )


def recording_of(job: Job) -> str:
    """What a file is called inside its outputs."""
    return valid_unicode(job.file.stem)


def in_order(segments: Iterable[Segment], plan: FilePlan) -> Iterable[Segment]:
    """The segments by time, those of each channel with its language if there are several."""
    if not plan.channels:
        return segments
    found = by_time(segments, [channel.number for channel in plan.channels])
    languages = {channel.number: channel.language for channel in plan.channels}
    if len(set(languages.values())) == 1:
        return found
    return (
        replace(one, language=None if one.channel is None else languages[one.channel])
        for one in found
    )


def _names_of_done(state: BatchState, job: Job) -> tuple[Names, Settings]:
    """The first choices for the names of a completed file's outputs, and its settings."""
    assert isinstance(job.state, Completed)
    settings = from_overrides(job.state.used) if job.state.used else state.settings
    return state.naming(settings).names_of(job, job.state.language or None), settings


def recording_name(state: BatchState, job: Job) -> str:
    """The name for the recording of a completed file that goes with its transcripts."""
    names, _ = _names_of_done(state, job)
    return with_number_of(job.stem, names, job.file)


async def rename_written(state: BatchState, job: Job) -> Job:
    """Give the transcripts of a completed file the name that its recording has now.

    If that is not possible they stay what they are, and the log says so.
    """
    done = job.state
    assert isinstance(done, Completed)
    names, settings = _names_of_done(state, job)
    if is_one_of(job.stem, names) or not done.outputs:
        return job
    output = settings.output

    def is_taken(wanted: Job) -> bool:
        return bool(existing(stem_path(wanted.stem, output), output))

    renamed = await rename_outputs(state, job, names, is_taken)
    stem = stem_path(renamed.stem, output)

    def move() -> tuple[str, ...]:
        ensure_folder(stem.parent, mode=0o777)
        moved = []
        for before in map(text_to_path, done.outputs):
            after = stem.with_name(f"{stem.name}{before.suffix}")
            FILES.replace(before, after)
            moved.append(path_to_text(after))
        FILES.sync_folder(stem.parent)
        known = state.history.owner(path_to_text(stem_path(job.stem, output)))
        if known is not None:  # the new name is its own, too
            state.history.add(replace(known, outputs=tuple(moved)))
        return tuple(moved)

    try:
        outputs = await asyncio.to_thread(move)
    except OSError as error:
        text = f"{job.name} was renamed, but not its transcripts: {reason_of(error)}"
        state.log(Level.WARNING, text, job.id)
        await state.put(job)
        return job
    renamed = replace(renamed, state=replace(done, outputs=outputs))
    await state.put(renamed)
    state.log(Level.INFO, f"{job.name}: its transcripts were renamed, as it was", job.id)
    return renamed


def missing_folder(state: BatchState, job: Job, stem: Path) -> Failure | None:
    """The failure if the folder of the outputs, or its drive, has disappeared.

    Outputs beside a recording need its folder. Raises OSError.
    """
    if (missing := state.output_folders.missing(stem.parent)) is not None:
        return missing
    beside = text_to_path(job.stem).is_absolute()
    return folder_missing(job.file.parent) if beside and not is_folder(job.file.parent) else None


def protected_formats(stem: Path, output: OutputSettings, kept: Collection[str]) -> tuple[str, ...]:
    """The formats that cannot be written because their files are read-only, if others can.

    Otherwise none: the file fails when they are written, and keeps its words. Raises OSError.
    """
    protected = tuple(name for name in read_only(stem, output) if name not in kept)
    return protected if {*formats(output)} - {*protected, *kept} else ()


def read_only_warning(names: Collection[str]) -> tuple[str, ...]:
    """The warning about formats whose files are read-only."""
    return (f"read-only and not replaced: {', '.join(names)}",) if names else ()


def kept_warning(kept: Sequence[str]) -> tuple[str, ...]:
    """The warning about formats that existed before and were not overwritten."""
    return (f"existed and was kept: {', '.join(kept)}",) if kept else ()


async def write_report(
    state: BatchState, began: datetime, peak_rss: float, prediction: Prediction | None = None
) -> str | None:
    """Write the report of the batch beside the transcripts; returns its path, None if it failed."""
    settings = state.settings
    session = state.store.session_id
    report = make_report(tuple(state.queue), settings, session, began, now(), peak_rss, prediction)
    folder = expand_home(text_to_path(path_to_text(settings.output.output_dir)))
    path = folder / f"{REPORT_PREFIX}{session}.txt"
    try:
        if (missing := await asyncio.to_thread(state.output_folders.missing, folder)) is not None:
            state.log(Level.ERROR, f"The report could not be written: {missing.title}")
            return None
        if await state.inputs.among((path,)):
            state.log(Level.ERROR, f"The report could not be written: {path} is a recording")
            return None
        text = render_report(report).encode()
        # if no file was completed, the folder may not exist yet
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(write_output, path, text, owner=state.store.owner)
    except FwtuiError as error:
        state.log(Level.ERROR, f"The report could not be written: {error.title}")
        return None
    except OSError as error:
        reason = error.strerror or str(error)
        state.log(Level.ERROR, f"The report could not be written: {folder}: {reason}")
        return None
    state.log(Level.INFO, f"Report: {path}")
    return path_to_text(path)


def result_of(state: BatchState, finished: BatchFinished | None, log: str) -> BatchResult:
    """What is kept of a batch when it has ended. `log`: the path of its log file."""
    counts = state.counts
    failure = finished.failure if finished else None
    return BatchResult(
        session_id=state.store.session_id,
        ended_at=now(),
        exit_code=exit_code(state.queue, failure),
        completed=counts.completed,
        failed=counts.failed,
        unfinished=counts.unfinished,
        total=counts.total,
        output_dir=state.settings.output.output_dir,
        log=log,
        report=(finished.report if finished else None) or "",
        failure=failure,
        to_check=counts.to_check,
        cancelled=counts.cancelled,
        skipped=counts.skipped,
        share=counts.shares().finished,
    )
