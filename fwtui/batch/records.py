"""What became of each file, flat: the rows that all exports of sessions and reports share."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

import msgspec

from fwtui.core.finding import Finding, said_of
from fwtui.core.job import (
    Attempt,
    Cancelled,
    Completed,
    Failed,
    Job,
    Pending,
    Processing,
    Skipped,
    status_word,
)
from fwtui.core.paths import text_to_path, valid_text
from fwtui.core.text import printable

_JOINT = "; "


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An engine start that did not reach the end of the file."""

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


def file_record(job: Job) -> FileRecord:
    """The row of a job."""
    record = FileRecord(
        path=valid_text(str(job.file)),
        state=status_word(job.state),
        audio_seconds=job.duration or None,
        started_at=getattr(job.state, "started_at", None),
        completed_at=getattr(job.state, "completed_at", None),
        attempts=tuple(_attempt_record(attempt) for attempt in job.attempts),
        source=valid_text(job.source or ""),
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
                speed=speed_of(state),
                language=state.language,
                segments=state.segments,
                warnings=state.warnings,
                findings=state.findings,
                outputs=tuple(valid_text(str(text_to_path(path))) for path in state.outputs),
            )
        case Failed(failure=failure):
            return msgspec.structs.replace(
                record, error_kind=failure.kind, error=failure.title, hint=failure.hint
            )
        case Skipped(reason=reason):
            return msgspec.structs.replace(record, reason=reason)
        case Processing() | Cancelled():
            return record


def speed_of(state: Completed) -> float | None:
    """Times real time, None if no work was measured."""
    return state.audio_seconds / state.work_seconds if state.work_seconds > 0 else None


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
        case Finding():
            return printable(f"{value.start:.0f}-{value.end:.0f} s {said_of(value)}")
        case tuple():
            return _JOINT.join(_cell(item) for item in value)
        case _:
            return printable(str(value))
