"""What became of a batch: its figures, and what there is to say about it, whatever the format."""

import heapq
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.batch.pace import Prediction
from fwtui.batch.records import speed_of
from fwtui.config.fields import differing
from fwtui.core.events import MemoryPoint
from fwtui.core.finding import said_of
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
    status_word,
)
from fwtui.core.settings import Settings
from fwtui.core.text import printable

HEADINGS = ("State", "Length", "Time", "Speed", "Language", "Segments", "File")
# Columns that hold numbers stand at their right edge; the file, last, is never padded.
RIGHT = (False, True, True, True, False, True, False)


class BatchReport(msgspec.Struct, frozen=True):
    """A batch at its end.

    `audio_seconds` and `work_seconds` count completed files; `speed` is their quotient, None if
    nothing was completed. `peak_rss` in MB, 0 if not measured. `prediction`: the time that was said
    to be left, as soon as it could be said, and what it came to. `memory` is empty where nobody
    kept the curve.
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

    @property
    def counts(self) -> dict[str, int]:
        """Number of files by the name of their state; states without files are left out."""
        return dict(Counter(status_word(job.state) for job in self.jobs))

    @property
    def failures(self) -> tuple[tuple[Job, Failed], ...]:
        """The failed files, with titles and hints in `Failed.failure`."""
        return tuple((job, job.state) for job in self.jobs if isinstance(job.state, Failed))

    @property
    def retried(self) -> tuple[Job, ...]:
        """The files, whatever became of them, that needed more than one attempt."""
        return tuple(job for job in self.jobs if job.attempts)

    @property
    def seconds(self) -> float:
        """How long the batch took."""
        return (self.finished - self.started).total_seconds()

    def slowest(self, most: int) -> tuple[tuple[Job, Completed, float], ...]:
        """The completed files that took longest for their length, with their speeds."""
        measured = (
            (job, job.state, speed)
            for job in self.jobs
            if isinstance(job.state, Completed) and (speed := speed_of(job.state))
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
) -> BatchReport:
    """The report of a batch; `peak_rss` in MB, both times with or both without a time zone.

    Reports are passed on: what is the user's own of the settings is not in them.
    """
    jobs = tuple(jobs)
    done = [job.state for job in jobs if isinstance(job.state, Completed)]
    audio = sum(state.audio_seconds for state in done)
    work = sum(state.work_seconds for state in done)
    return BatchReport(
        session_id=session_id,
        started=started,
        finished=finished,
        settings=settings.with_own_of(Settings()),
        jobs=jobs,
        peak_rss=peak_rss,
        audio_seconds=audio,
        work_seconds=work,
        speed=audio / work if work > 0 else None,
        prediction=prediction,
        memory=memory,
    )


def summary(report: BatchReport, folder: Path | None) -> list[tuple[str, str]]:
    """Titles and texts of the whole batch; what is not known is left out."""
    rows = [
        ("Session", report.session_id),
        ("Started", _moment(report.started)),
        ("Finished", f"{_moment(report.finished)} (after {clock(report.seconds)})"),
        ("Model", f"{report.settings.model.model} ({report.settings.model.compute_type})"),
        ("Files", _counted(report)),
        ("Folder", str(folder) if folder else ""),
        ("Output", report.settings.output.output_dir),
        ("Audio", f"{clock(report.audio_seconds)} completed"),
        ("Work", clock(report.work_seconds)),
        ("Speed", f"{times(report.speed)} real time" if report.speed else ""),
        ("ETA", _predicted(report.prediction)),
        ("Memory peak", f"{report.peak_rss:.0f} MB" if report.peak_rss else ""),
    ]
    return [(title, one_line(text)) for title, text in rows if text]


def _predicted(prediction: Prediction | None) -> str:
    if prediction is None or prediction.took is None or prediction.error is None:
        return ""
    off = f"{abs(prediction.error):.0%} {'too long' if prediction.error > 0 else 'too short'}"
    said = f"{clock(prediction.seconds)} said after {clock(prediction.after)}"
    return f"{said}, {clock(prediction.took)} taken ({off})"


def _counted(report: BatchReport) -> str:
    states = ", ".join(f"{count} {word}" for word, count in report.counts.items())
    return f"{len(report.jobs)} ({states})" if states else "0"


def row(job: Job, folder: Path | None) -> tuple[str, ...]:
    """A file's cells below `HEADINGS`."""
    name = one_line(str(job.file.relative_to(folder) if folder else job.file))
    match job.state:
        case Completed() as done:
            return (
                status_word(done),
                clock(done.audio_seconds),
                clock(done.work_seconds),
                times(speed_of(done)),
                one_line(done.language),
                str(done.segments),
                name,
            )
        case other:
            length = clock(job.duration) if job.duration else "-"
            return (status_word(other), length, "-", "-", "-", "-", name)


def remarks(report: BatchReport) -> dict[str, list[tuple[str, list[str]]]]:
    """By heading: whole paths, and what there is to say about each."""
    sections: dict[str, Callable[[Job], Sequence[str]]] = {
        "Failures": _failure,
        "Attempts": lambda job: [_attempt(attempt) for attempt in job.attempts],
        "Warnings": lambda job: job.state.warnings if isinstance(job.state, Completed) else (),
        "To check": _to_check,
        "Not done": lambda job: _why_not_done(job.state),
    }
    return {
        title: [
            (one_line(str(job.file)), said)
            for job in report.jobs
            if (said := [one_line(line) for line in lines_of(job) if line])
        ]
        for title, lines_of in sections.items()
    }


def _failure(job: Job) -> list[str]:
    failure = job.state.failure if isinstance(job.state, Failed) else None
    return [failure.title, failure.hint] if failure else []


def _to_check(job: Job) -> list[str]:
    found = job.state.findings if isinstance(job.state, Completed) else ()
    return [f"{clock(one.start)} to {clock(one.end)}  {said_of(one)}" for one in found]


def _attempt(attempt: Attempt) -> str:
    remedy = f"; next: {attempt.remedy}" if attempt.remedy else ""
    where = f"at {clock(attempt.at_seconds)}"
    return f"{_moment(attempt.at)} {where}: {attempt.failure.title}{remedy}"


def _why_not_done(state: State) -> list[str]:
    match state:
        case Pending(done_seconds=seconds) if seconds > 0:
            return [f"interrupted at {clock(seconds)}; a resume goes on from there"]
        case Pending() | Processing():
            return ["not reached; a resume does it"]
        case Cancelled():
            return ["cancelled"]
        case Skipped(reason=reason):
            return [f"skipped: {reason}"]
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


def clock(seconds: float) -> str:
    """`m:ss` or `h:mm:ss`."""
    minutes, second = divmod(max(0, round(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def times(speed: float | None) -> str:
    """`12.0 x`, or a dash."""
    return "-" if speed is None else f"{speed:.1f} x"
