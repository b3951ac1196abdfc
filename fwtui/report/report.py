"""The report of a batch, whatever its format: figures, and remarks on single files."""

import csv
import heapq
import io
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from fwtui.config.fields import differing
from fwtui.config.overrides import from_overrides
from fwtui.core.events import MemoryPoint
from fwtui.core.finding import Finding, finding_text
from fwtui.core.job import (
    Attempt,
    Cancelled,
    Completed,
    Failed,
    Job,
    Pending,
    Processing,
    Skipped,
    State,
    state_label,
    state_name,
)
from fwtui.core.paths import text_to_path
from fwtui.core.settings import Settings
from fwtui.core.speakers import labels_of
from fwtui.core.text import clock, percent, printable, valid_unicode
from fwtui.core.view import Shares, shares_of

_JOINT = "; "


class Prediction(msgspec.Struct, frozen=True):
    """An estimate of `seconds` left, after so many of work; `took` is what it was, if known."""

    after: float
    seconds: float
    took: float | None = None

    @property
    def error(self) -> float | None:
        """The share of what it took by which the estimate was too long (negative: too short)."""
        return self.seconds / self.took - 1 if self.took else None


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that did not reach the end of the file."""

    at: datetime
    at_seconds: float
    error: str
    remedy: str


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One file. Times in seconds; `speed` is x real time; None and empty: does not apply.

    `path` and `outputs` are for people: undecodable bytes of names are escaped.
    """

    path: str
    state: str
    audio_seconds: float | None = None
    done_seconds: float | None = None
    work_seconds: float | None = None
    speed: float | None = None
    language: str = ""
    segments: int | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error_kind: str = ""
    error: str = ""
    hint: str = ""
    reason: str = ""
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    outputs: tuple[str, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()
    source: str = ""
    speakers: tuple["SpeakerRecord", ...] = ()


class SpeakerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A speaker of a file, with the seconds that he or she speaks."""

    name: str
    seconds: float


def speaker_records(job: Job) -> tuple[SpeakerRecord, ...]:
    """The speakers of a job by their numbers; those with the same name are one."""
    if not isinstance(job.state, Completed) or not job.state.speakers:
        return ()
    settings = from_overrides(job.state.used or {}).speakers
    labels = labels_of(job.state.speakers, settings, job.speaker_names)
    seconds: dict[str, float] = {}
    for one in job.state.speakers:
        name = labels[one.speaker]
        seconds[name] = seconds.get(name, 0.0) + one.seconds
    return tuple(SpeakerRecord(name=name, seconds=found) for name, found in seconds.items())


def speaker_texts(job: Job) -> list[tuple[str, str]]:
    """Each speaker of a job, and for how long he or she speaks, with the share of all speech."""
    records = speaker_records(job)
    spoken = sum(one.seconds for one in records)
    return [
        (one.name, f"{clock(one.seconds)} ({one.seconds / spoken if spoken else 0.0:.0%})")
        for one in records
    ]


def file_record(job: Job) -> FileRecord:
    """The row of a job."""
    record = FileRecord(
        path=valid_unicode(str(job.file)),
        state=state_name(job.state),
        audio_seconds=job.duration or None,
        started_at=getattr(job.state, "started_at", None),
        completed_at=getattr(job.state, "completed_at", None),
        attempts=tuple(_attempt_record(attempt) for attempt in job.attempts),
        source=valid_unicode(job.source or ""),
    )
    match job.state:
        case Pending(done_seconds=done):
            return msgspec.structs.replace(record, done_seconds=done)
        case Completed() as state:
            return msgspec.structs.replace(
                record,
                audio_seconds=state.audio_seconds,
                done_seconds=state.audio_seconds,
                work_seconds=state.work_seconds,
                speed=state.speed,
                language=state.language,
                segments=state.segments,
                warnings=state.warnings,
                findings=state.findings,
                outputs=tuple(valid_unicode(str(text_to_path(path))) for path in state.outputs),
                speakers=speaker_records(job),
            )
        case Failed(failure=failure):
            return msgspec.structs.replace(
                record, error_kind=failure.kind, error=failure.title, hint=failure.hint
            )
        case Skipped(reason=reason):
            return msgspec.structs.replace(record, reason=reason)
        case Processing() | Cancelled():
            return record


def _attempt_record(attempt: Attempt) -> AttemptRecord:
    return AttemptRecord(
        at=attempt.at,
        at_seconds=attempt.at_seconds,
        error=attempt.failure.title,
        remedy=attempt.remedy,
    )


def to_csv(records: Iterable[FileRecord]) -> str:
    """A table with a line of names and a line a file (RFC 4180); several values in a cell by `; `.

    Control characters in names and texts are escaped.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(FileRecord.__struct_fields__)
    for record in records:
        writer.writerow(_cell(value) for value in msgspec.structs.astuple(record))
    return text.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.3f}"
        case datetime():
            return value.isoformat(timespec="seconds")
        case AttemptRecord():
            then = f", then {value.remedy}" if value.remedy else ""
            return printable(f"{value.error} at {value.at_seconds:.0f} s{then}")
        case SpeakerRecord():
            return printable(f"{value.name} {value.seconds:.0f} s")
        case Finding():
            return printable(f"{value.start:.0f}-{value.end:.0f} s {finding_text(value)}")
        case tuple():
            return _JOINT.join(_cell(item) for item in value)
        case _:
            return printable(str(value))


HEADINGS = ("State", "Length", "Time", "Speed", "Language", "Segments", "File")
# Columns that hold numbers stand at their right edge; the file, last, is never padded.
RIGHT = (False, True, True, True, False, True, False)


class BatchReport(msgspec.Struct, frozen=True):
    """A batch at its end.

    `audio_seconds` and `work_seconds` count completed files. `speed` is that of the audio that the
    work was spent on, which is less for resumed files; None if nothing was measured. `peak_rss` in
    MB, 0 if not measured. `prediction` is the first estimate of the time left. `memory` is empty if
    the curve was not recorded. `shares` are the parts of the batch.
    """

    session_id: str
    started: datetime
    finished: datetime
    settings: Settings
    jobs: tuple[Job, ...]
    peak_rss: float
    audio_seconds: float
    work_seconds: float
    speed: float | None
    prediction: Prediction | None = None
    memory: tuple[MemoryPoint, ...] = ()
    shares: Shares = Shares()

    @property
    def counts(self) -> dict[str, int]:
        """Number of files by the name of their state; without states that no file has."""
        return dict(Counter(state_name(job.state) for job in self.jobs))

    @property
    def failures(self) -> tuple[tuple[Job, Failed], ...]:
        """The failed files, with titles and hints in `Failed.failure`."""
        return tuple((job, job.state) for job in self.jobs if isinstance(job.state, Failed))

    @property
    def retried(self) -> tuple[Job, ...]:
        """The files that needed more than one attempt, whatever their state."""
        return tuple(job for job in self.jobs if job.attempts)

    @property
    def seconds(self) -> float:
        """How long the batch took; 0 if the clock was set back."""
        return max(0.0, (self.finished - self.started).total_seconds())

    def slowest(self, most: int) -> tuple[tuple[Job, Completed, float], ...]:
        """The completed files that took longest for their length, with their speeds."""
        measured = (
            (job, job.state, speed)
            for job in self.jobs
            if isinstance(job.state, Completed) and (speed := job.state.speed)
        )
        return tuple(heapq.nsmallest(most, measured, key=lambda one: one[2]))


def make_report(
    jobs: Iterable[Job],
    settings: Settings,
    session_id: str,
    started: datetime,
    finished: datetime,
    peak_rss: float,
    prediction: Prediction | None = None,
    memory: tuple[MemoryPoint, ...] = (),
    shares: Shares | None = None,
) -> BatchReport:
    """The report of a batch; `peak_rss` in MB, both times with or both without a time zone.

    `shares`: those of a batch that runs.

    Reports are passed on, so the user's own settings are not in them.
    """
    jobs = tuple(jobs)
    done = [job.state for job in jobs if isinstance(job.state, Completed)]
    audio = sum(state.audio_seconds for state in done)
    timed = sum(state.audio_timed for state in done if state.work_seconds > 0)
    work = sum(state.work_seconds for state in done)
    return BatchReport(
        session_id=session_id,
        started=started,
        finished=finished,
        settings=settings.with_user_settings_of(Settings()),
        jobs=jobs,
        peak_rss=peak_rss,
        audio_seconds=audio,
        work_seconds=work,
        speed=timed / work if work > 0 and timed > 0 else None,
        prediction=prediction,
        memory=memory,
        shares=shares or shares_of(jobs),
    )


def summary(report: BatchReport, folder: Path | None) -> list[tuple[str, str]]:
    """Titles and texts of the whole batch, as far as they are known."""
    rows = [
        ("Session", report.session_id),
        ("Started", _moment(report.started)),
        ("Finished", f"{_moment(report.finished)} (after {clock(report.seconds)})"),
        ("Model", f"{report.settings.model.model} ({report.settings.model.compute_type})"),
        ("Files", _counted(report)),
        ("Progress", percent(report.shares.finished) if report.jobs else ""),
        ("Folder", str(folder) if folder else ""),
        ("Output folder", report.settings.output.output_dir),
        ("Audio", clock(report.audio_seconds)),
        ("Processing time", clock(report.work_seconds)),
        ("Speed", f"{times(report.speed)} real time" if report.speed else ""),
        ("Estimate", _predicted(report.prediction)),
        ("Peak memory", f"{report.peak_rss:.0f} MB" if report.peak_rss else ""),
    ]
    return [(title, one_line(text)) for title, text in rows if text]


def _predicted(prediction: Prediction | None) -> str:
    if prediction is None or prediction.took is None or prediction.error is None:
        return ""
    off = f"{abs(prediction.error):.0%} {'too long' if prediction.error > 0 else 'too short'}"
    estimate = f"{clock(prediction.seconds)} left after {clock(prediction.after)}"
    return f"{estimate}, actually {clock(prediction.took)} ({off})"


def _counted(report: BatchReport) -> str:
    names = Counter(state_label(job.state) for job in report.jobs)
    states = ", ".join(f"{count} {name}" for name, count in names.items())
    return f"{len(report.jobs)} ({states})" if states else "0"


def row(job: Job, folder: Path | None) -> tuple[str, ...]:
    """A file's cells below `HEADINGS`."""
    name = one_line(str(job.file.relative_to(folder) if folder else job.file))
    match job.state:
        case Completed() as done:
            return (
                state_label(done),
                clock(done.audio_seconds),
                clock(done.work_seconds),
                times(done.speed),
                one_line(done.language),
                str(done.segments),
                name,
            )
        case other:
            length = clock(job.duration) if job.duration else "-"
            return (state_label(other), length, "-", "-", "-", "-", name)


class RemarkKind(StrEnum):
    """The headings of what a report says about single files."""

    FAILURES = "Failures"
    ATTEMPTS = "Attempts"
    WARNINGS = "Warnings"
    TO_CHECK = "Please check"
    SPEAKERS = "Speakers"
    NOT_DONE = "Not done"


def remarks(report: BatchReport) -> dict[RemarkKind, list[tuple[str, list[str]]]]:
    """Every kind, with whole paths and the lines about each; kinds may have none."""
    return {
        kind: [
            (one_line(str(job.file)), lines)
            for job in report.jobs
            if (lines := [one_line(line) for line in _remarks(kind, job) if line])
        ]
        for kind in RemarkKind
    }


def _remarks(kind: RemarkKind, job: Job) -> Sequence[str]:
    match kind:
        case RemarkKind.FAILURES:
            if not isinstance(job.state, Failed):
                return []
            failure = job.state.failure
            return [failure.title, failure.hint, _text_kept(job.state.done_seconds)]
        case RemarkKind.ATTEMPTS:
            return [_attempt(attempt) for attempt in job.attempts]
        case RemarkKind.WARNINGS:
            return job.state.warnings if isinstance(job.state, Completed) else ()
        case RemarkKind.TO_CHECK:
            return _to_check(job)
        case RemarkKind.SPEAKERS:
            return [f"{name}: {text}" for name, text in speaker_texts(job)]
        case RemarkKind.NOT_DONE:
            return _why_not_done(job.state)


def _text_kept(seconds: float) -> str:
    """Where the text of an unfinished file is; empty if there is none."""
    if seconds <= 0:
        return ""
    return f"the text of its first {clock(seconds)} is kept; to get it: fwtui sessions text"


def _to_check(job: Job) -> list[str]:
    found = job.state.findings if isinstance(job.state, Completed) else ()
    return [f"{clock(one.start)} to {clock(one.end)}  {finding_text(one)}" for one in found]


def _attempt(attempt: Attempt) -> str:
    remedy = f"; retried with {attempt.remedy}" if attempt.remedy else ""
    where = f"at {clock(attempt.at_seconds)}"
    return f"{_moment(attempt.at)} {where}: {attempt.failure.title}{remedy}"


def _why_not_done(state: State) -> list[str]:
    match state:
        case Pending(done_seconds=seconds) if seconds > 0:
            return [f"interrupted at {clock(seconds)}; resume to continue from there"]
        case Pending() | Processing():
            return ["not started; resume to transcribe it"]
        case Cancelled(done_seconds=seconds):
            return ["cancelled", _text_kept(seconds or 0.0)]
        case Skipped(reason=reason):
            return [reason if reason.startswith("skipped") else f"skipped: {reason}"]
        case Completed() | Failed():
            return []


def changed_settings(settings: Settings) -> list[tuple[str, str]]:
    """Names and values of the settings that differ from the defaults."""

    def shown(value: object) -> str:
        match value:
            case None:
                return "none"
            case bool():
                return "true" if value else "false"
            case _:
                return one_line(str(value))

    return [(field.key, shown(value)) for field, value in differing(settings)]


def common_folder(jobs: Sequence[Job]) -> Path | None:
    """The deepest folder that holds all files; None if there is none, or only the root."""
    try:
        folder = Path(os.path.commonpath([job.file.parent for job in jobs]))
    except ValueError:  # no files, several drives, or a mix of absolute and relative paths
        return None
    return folder if folder.name else None


def one_line(text: str) -> str:
    """Text from outside in one harmless line."""
    return printable(" ".join(text.splitlines()))


def _moment(at: datetime) -> str:
    """The time on the reader's clock, with its offset from UTC if `at` has a time zone."""
    local = at.astimezone() if at.tzinfo else at
    return local.isoformat(sep=" ", timespec="seconds")


def times(speed: float | None) -> str:
    """Times real time with one decimal, or a dash."""
    return "-" if speed is None else f"{speed:.1f}\u00d7"
