"""What became of a batch, as data and as a text to keep beside the transcripts."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.batch.pace import Prediction
from fwtui.config.fields import differing
from fwtui.core.display import cells, printable
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

_HEADINGS = ("State", "Length", "Time", "Speed", "Language", "Segments", "File")
# Columns that hold numbers stand at their right edge; the file, last, is never padded.
_RIGHT = (False, True, True, True, False, True, False)
_GAP = "  "


class BatchReport(msgspec.Struct, frozen=True):
    """A batch at its end.

    `audio_seconds` and `work_seconds` count completed files; `speed` is their quotient, None if
    nothing was completed. `peak_rss` in MB, 0 if not measured. `prediction`: the time that was said
    to be left, as soon as it could be said, and what it came to.
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


def make_report(
    jobs: Iterable[Job],
    settings: Settings,
    session_id: str,
    started: datetime,
    finished: datetime,
    peak_rss: float,
    prediction: Prediction | None = None,
) -> BatchReport:
    """The report of a batch; `peak_rss` in MB, both times with or both without a time zone."""
    jobs = tuple(jobs)
    done = [job.state for job in jobs if isinstance(job.state, Completed)]
    audio = sum(state.audio_seconds for state in done)
    work = sum(state.work_seconds for state in done)
    return BatchReport(
        session_id=session_id,
        started=started,
        finished=finished,
        settings=settings,
        jobs=jobs,
        peak_rss=peak_rss,
        audio_seconds=audio,
        work_seconds=work,
        speed=_speed(audio, work),
        prediction=prediction,
    )


def render_report(report: BatchReport) -> str:
    """The report as aligned plain text, ending in a line break."""
    folder = _common_folder(report.jobs)
    sections = [
        _section("fwtui batch report", _summary(report, folder), underline="="),
        _section("Files", _files(report, folder)),
        _section("Failures", _failures(report)),
        _section("Attempts", _attempts(report)),
        _section("Warnings", _warnings(report)),
        _section("Not done", _not_done(report)),
        _section("Settings that differ from the defaults", _settings(report.settings)),
    ]
    return "\n".join(section for section in sections if section)


def _section(title: str, lines: Iterable[str], underline: str = "-") -> str:
    """A headed block of lines; empty if there are none."""
    body = "".join(f"{line}\n" for line in lines)
    return f"{title}\n{underline * len(title)}\n{body}" if body else ""


def _summary(report: BatchReport, folder: Path | None) -> Iterator[str]:
    lasted = (report.finished - report.started).total_seconds()
    rows = [
        ("Session", report.session_id),
        ("Started", _moment(report.started)),
        ("Finished", f"{_moment(report.finished)} (after {_clock(lasted)})"),
        ("Model", f"{report.settings.model.model} ({report.settings.model.compute_type})"),
        ("Files", _counted(report)),
        ("Folder", str(folder) if folder else ""),
        ("Output", report.settings.output.output_dir),
        ("Audio", f"{_clock(report.audio_seconds)} completed"),
        ("Work", _clock(report.work_seconds)),
        ("Speed", f"{_times(report.speed)} real time" if report.speed else ""),
        ("ETA", _predicted(report.prediction)),
        ("Memory peak", f"{report.peak_rss:.0f} MB" if report.peak_rss else ""),
    ]
    return _pairs([(title, _line(text)) for title, text in rows if text])


def _predicted(prediction: Prediction | None) -> str:
    if prediction is None or prediction.took is None or prediction.error is None:
        return ""
    off = f"{abs(prediction.error):.0%} {'too long' if prediction.error > 0 else 'too short'}"
    said = f"{_clock(prediction.seconds)} said after {_clock(prediction.after)}"
    return f"{said}, {_clock(prediction.took)} taken ({off})"


def _counted(report: BatchReport) -> str:
    states = ", ".join(f"{count} {word}" for word, count in report.counts.items())
    return f"{len(report.jobs)} ({states})" if states else "0"


def _files(report: BatchReport, folder: Path | None) -> Iterator[str]:
    if not report.jobs:
        return
    rows = [_HEADINGS, *(_row(job, folder) for job in report.jobs)]
    widths = [max(cells(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        columns = [
            _padded(text, width, right=right)
            for text, width, right in zip(row[:-1], widths, _RIGHT, strict=False)
        ]
        yield _GAP.join([*columns, row[-1]])


def _row(job: Job, folder: Path | None) -> tuple[str, ...]:
    name = _line(str(job.file.relative_to(folder) if folder else job.file))
    match job.state:
        case Completed() as done:
            return (
                status_word(done),
                _clock(done.audio_seconds),
                _clock(done.work_seconds),
                _times(_speed(done.audio_seconds, done.work_seconds)),
                _line(done.language),
                str(done.segments),
                name,
            )
        case other:
            length = _clock(job.duration) if job.duration else "-"
            return (status_word(other), length, "-", "-", "-", "-", name)


def _failures(report: BatchReport) -> Iterator[str]:
    for job, state in report.failures:
        yield from _about(job, [state.failure.title, state.failure.hint])


def _attempts(report: BatchReport) -> Iterator[str]:
    for job in report.retried:
        yield from _about(job, [_attempt(attempt) for attempt in job.attempts])


def _attempt(attempt: Attempt) -> str:
    remedy = f"; next: {attempt.remedy}" if attempt.remedy else ""
    where = f"at {_clock(attempt.at_seconds)}"
    return f"{_moment(attempt.at)} {where}: {attempt.failure.title}{remedy}"


def _warnings(report: BatchReport) -> Iterator[str]:
    for job in report.jobs:
        if isinstance(job.state, Completed):
            yield from _about(job, job.state.warnings)


def _not_done(report: BatchReport) -> Iterator[str]:
    for job in report.jobs:
        yield from _about(job, _why_not_done(job.state))


def _why_not_done(state: State) -> list[str]:
    match state:
        case Pending(done_seconds=seconds) if seconds > 0:
            return [f"interrupted at {_clock(seconds)}; a resume goes on from there"]
        case Pending() | Processing():
            return ["not reached; a resume does it"]
        case Cancelled():
            return ["cancelled"]
        case Skipped(reason=reason):
            return [f"skipped: {reason}"]
        case Completed() | Failed():
            return []


def _settings(settings: Settings) -> Iterator[str]:
    def shown(value: object) -> str:
        match value:
            case None:
                return "none"
            case bool():
                return "true" if value else "false"
            case _:
                return _line(str(value))

    return _pairs([(field.key, shown(value)) for field, value in differing(settings)])


def _about(job: Job, lines: Sequence[str]) -> Iterator[str]:
    """The file's whole path, and under it what there is to say; nothing if there is nothing."""
    said = [_line(line) for line in lines if line]
    if said:
        yield _line(str(job.file))
        yield from (f"{_GAP}{line}" for line in said)


def _pairs(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max((len(title) for title, _ in rows), default=0)
    return (f"{title:<{width}}{_GAP}{text}" for title, text in rows)


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - cells(text))
    return space + text if right else text + space


def _common_folder(jobs: Sequence[Job]) -> Path | None:
    """The deepest folder that holds all files; None if there is none, or only the root."""
    try:
        folder = Path(os.path.commonpath([job.file.parent for job in jobs]))
    except ValueError:  # no files, several drives, or a mix of absolute and relative paths
        return None
    return folder if folder.name else None


def _line(text: str) -> str:
    """Text from outside in one harmless line."""
    return printable(" ".join(text.splitlines()))


def _moment(at: datetime) -> str:
    """The time on the reader's clock, with its offset from UTC if `at` has a time zone."""
    local = at.astimezone() if at.tzinfo else at
    return local.isoformat(sep=" ", timespec="seconds")


def _clock(seconds: float) -> str:
    """`m:ss` or `h:mm:ss`."""
    minutes, second = divmod(max(0, round(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def _speed(audio: float, work: float) -> float | None:
    return audio / work if work > 0 else None


def _times(speed: float | None) -> str:
    return "-" if speed is None else f"{speed:.1f} x"
