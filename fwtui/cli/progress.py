"""Progress of a batch on stderr: one live line on a terminal, separate lines elsewhere."""

import os
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Protocol

from fwtui.batch.exit_code import exit_code
from fwtui.cli.console import Console
from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    BatchProgress,
    BatchSnapshot,
    EngineChanged,
    FoldersChanged,
    JobChanged,
    JobProgress,
    JobsAdded,
    Level,
    LogLine,
    SegmentsFound,
    SettingsChanged,
)
from fwtui.core.failure import Failure
from fwtui.core.job import Cancelled, Completed, Failed, Job, JobId, Pending, Processing, Skipped
from fwtui.core.notification import end_text, terminal_signal
from fwtui.core.paths import text_to_path
from fwtui.core.settings import DoneSettings
from fwtui.core.text import (
    agreed,
    cells,
    clipped,
    clock,
    percent,
    plural,
    printable,
    subtitle_time,
    text_so_far,
    without_name,
)
from fwtui.core.view import BatchView, JobCounts
from fwtui.errors import ExitCode


class RunRecord:
    """A batch's view, the progress of its files, and how it ended; a listener of its events."""

    def __init__(self) -> None:
        self.view = BatchView()
        self.progress: dict[JobId, JobProgress] = {}
        self.batch: BatchProgress | None = None
        self.finished: BatchFinished | None = None
        self._resumed_at: dict[JobId, float] = {}
        self._done_before: set[JobId] = set()

    def __call__(self, event: AnyEvent) -> None:
        """Take one event into account."""
        self.view.apply(event)
        match event:
            case BatchSnapshot() | JobsAdded():
                self._note_earlier_work(event.jobs)
            case JobChanged() if event.job.is_finished:
                self.progress.pop(event.job.id, None)
            case JobProgress():
                self.progress[event.id] = event
            case BatchProgress():
                self.batch = event
            case BatchFinished():
                self.finished = event
            case _:
                pass

    def _note_earlier_work(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            match job.state:
                case Pending(done_seconds=seconds):
                    self._resumed_at[job.id] = seconds
                case Completed():
                    self._done_before.add(job.id)
                case _:
                    pass

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio of the files that this run finished, without earlier runs."""
        return sum(
            job.state.audio_seconds - self._resumed_at.get(job.id, 0.0)
            for job in self.view.jobs.values()
            if isinstance(job.state, Completed) and job.id not in self._done_before
        )

    @property
    def failure(self) -> Failure | None:
        """Why the batch could not continue at all."""
        return self.finished.failure if self.finished else None

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the batch."""
        return exit_code(self.view.jobs.values(), self.failure)


def summary(record: RunRecord, output_dir: str, times: str = "×") -> Iterator[str]:
    """The lines about the whole batch; those about failed files are `failures`."""
    yield counts_text(record.view.counts)
    finished = record.finished
    if finished and finished.seconds > 0 and record.audio_seconds > 0:
        speed = record.audio_seconds / finished.seconds
        yield (
            f"{clock(record.audio_seconds)} of audio in {clock(finished.seconds)}"
            f" ({speed:.1f}{times} real time)"
        )
    yield from where(record.view.counts, output_dir)
    if finished and finished.report:
        yield f"report: {printable(finished.report)}"


def where(counts: JobCounts, output_dir: str) -> Iterator[str]:
    """Where the transcripts are, and whether some should be checked."""
    if counts.completed:
        yield f"transcripts are in {printable(output_dir)}"
    if counts.to_check:
        yield f"{plural(counts.to_check, 'file')} to check: see the warnings"


def failures(record: RunRecord) -> Iterator[str]:
    """For each failed file: its path and what happened, then what to do about it.

    Then where its text so far is, also for cancelled files that have any.
    """
    for job in record.view.jobs.values():
        if isinstance(job.state, Failed):
            path = printable(job.source or str(job.file))
            title = without_name(job.state.failure.title, job.name)
            yield f"failed: {path}: {printable(title)}"
            if job.state.failure.hint:
                yield f"  {printable(job.state.failure.hint)}"
        if isinstance(job.state, Failed | Cancelled) and (
            kept := text_so_far(job.text_seconds, record.view.session_id, job.name)
        ):
            if isinstance(job.state, Cancelled):
                yield f"cancelled: {printable(job.source or str(job.file))}"
            yield f"  {kept}"


class FileCounts(Protocol):
    """How many files are in which state."""

    @property
    def completed(self) -> int:
        """Files that are done."""

    @property
    def failed(self) -> int:
        """Files that failed."""

    @property
    def cancelled(self) -> int:
        """Files that were cancelled."""

    @property
    def skipped(self) -> int:
        """Files that were skipped."""

    @property
    def unfinished(self) -> int:
        """Files that are waiting or running."""

    @property
    def total(self) -> int:
        """All files."""


def counts_text(counts: FileCounts) -> str:
    """`1 of 4 files done, 1 failed, 2 remaining`: together they are all files."""
    parts = [f"{counts.completed} of {plural(counts.total, 'file')} done"]
    for count, state in (
        (counts.failed, "failed"),
        (counts.cancelled, "cancelled"),
        (counts.skipped, "skipped"),
        (counts.unfinished, "remaining"),
    ):
        parts += [f"{count} {state}"] if count else []
    return ", ".join(parts)


# A terminal over a slow line should not be flooded; a log file much less.
_LIVE_SECONDS = 0.1
_PLAIN_SECONDS = 30.0
_BAR = 20


class ProgressDisplay:
    """Shows on a console what a batch is doing; a listener that comes after its `record`."""

    def __init__(
        self,
        console: Console,
        record: RunRecord,
        *,
        verbose: bool = False,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._console = console
        self._record = record
        self._levels = {Level.WARNING, Level.ERROR} | ({Level.INFO} if verbose else set())
        self._verbose = verbose
        self._now = now
        self._drawn = -_PLAIN_SECONDS
        self._announced: set[JobId] = set()
        self._reported: set[JobId] = set()
        self._watched: dict[str, str] = {}
        self._done = DoneSettings()

    def __call__(self, event: AnyEvent) -> None:
        """Show one event, if it matters to the user."""
        match event:
            case JobChanged():
                self._job(event.job)
            case JobProgress():
                self._progress(event)
            case EngineChanged(loading=True):
                self._console.live("loading the model")
            case SegmentsFound() if self._verbose:
                for segment in event.segments:
                    times = f"{subtitle_time(segment.start)} --> {subtitle_time(segment.end)}"
                    self._console.line(f"[{times}] {printable(segment.text)}")
            case LogLine() if event.level in self._levels:
                self._console.line(f"{event.level}: {printable(event.text)}")
            case FoldersChanged():
                self._folders(event)
            case BatchSnapshot() | SettingsChanged():
                self._done = event.settings.done
            case BatchFinished():
                self._console.clear()
                if event.is_notable:
                    self._console.ring(terminal_signal(self._done, end_text(event), os.environ))
            case _:
                pass

    def _folders(self, event: FoldersChanged) -> None:
        for status in event.folders:
            path = printable(str(text_to_path(status.folder.path)))
            if self._watched.get(path) != status.state and status.state in {"watching", "polling"}:
                self._console.line(f"{status.state} {path}; to stop: Ctrl-C, or fwtui stop")
            self._watched[path] = status.state

    def _job(self, job: Job) -> None:
        name = printable(job.name)
        match job.state:
            case Processing(preparing=False) if job.id not in self._announced:
                self._announced.add(job.id)
                if not self._console.is_live:
                    self._drawn = self._now()
                    self._console.line(f"{self._position()} {name}: started")
            case Completed(audio_seconds=audio, speed=pace) if job.id not in self._reported:
                self._reported.add(job.id)
                speed = f", {pace:.1f}{self._console.times} real time" if pace else ""
                self._console.line(f"done: {name} ({clock(audio)}{speed})")
            case Skipped(reason=reason):
                self._console.line(f"skipped: {name}: {printable(reason)}")
            case Processing() | Pending():
                self._reported.discard(job.id)
            case _:
                pass

    def _progress(self, event: JobProgress) -> None:
        job = self._record.view.jobs.get(event.id)
        wait = _LIVE_SECONDS if self._console.is_live else _PLAIN_SECONDS
        # Nobody waits for a file that is prepared while another one is transcribed.
        if job is None or (event.preparing and self._is_running()):
            return
        if self._now() - self._drawn < wait:
            return
        self._drawn = self._now()
        if self._console.is_live:
            self._console.live(self.live_line(job, event, self._console.width))
        elif not event.preparing:
            self._console.line(f"{self._position()} {printable(job.name)}: {self._figures(event)}")

    def _is_running(self) -> bool:
        return any(
            isinstance(job.state, Processing) and not job.state.preparing
            for job in self._record.view.jobs.values()
        )

    def live_line(self, job: Job, event: JobProgress, width: int) -> str:
        """The live line, at most `width` - 1 columns, the name cut first and then the bar."""
        position, figures = self._position(), self._figures(event)
        bar = self._bar(_share(event))
        for middle in (f" {bar} ", " "):
            room = width - 1 - cells(position) - 1 - cells(middle) - cells(figures)
            if room >= 8:
                return f"{position} {clipped(agreed(printable(job.name)), room)}{middle}{figures}"
        return clipped(f"{position} {figures}", max(0, width - 1))

    def _position(self) -> str:
        counts = self._record.view.counts
        return f"[{min(counts.finished + 1, counts.total)}/{counts.total}]"

    def _figures(self, event: JobProgress) -> str:
        done = f"{percent(_share(event)):>4}"
        if event.preparing:
            return f"{done} {self._preparation(event.id)}"
        if event.listening:
            return f"{done} of its speakers"
        eta = self._record.batch.eta if self._record.batch else None
        eta = event.eta if eta is None and len(self._record.view.jobs) == 1 else eta
        left = f"  ETA {clock(eta)}" if eta is not None else ""
        return f"{done}  {event.speed:.1f}{self._console.times} real time{left}"

    def _preparation(self, job_id: JobId) -> str:
        job = self._record.view.jobs.get(job_id)
        match job.state if job is not None else None:
            case Processing(downloading=True):
                return "downloading"
            case _:
                return "preparing"

    def _bar(self, share: float) -> str:
        full = round(share * _BAR)
        done, left = ("█", "░") if self._console.is_unicode else ("#", ".")
        return done * full + left * (_BAR - full)


def _share(event: JobProgress) -> float:
    return min(1.0, max(0.0, event.done / event.total)) if event.total > 0 else 0.0
