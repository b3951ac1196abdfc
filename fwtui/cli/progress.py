"""ProgressDisplay of a batch on stderr: one live line on a terminal, plain lines elsewhere."""

import os
from collections.abc import Callable, Iterable, Iterator
from time import monotonic

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
    JobsRemoved,
    Level,
    LogLine,
    SegmentsFound,
    SettingsChanged,
)
from fwtui.core.failure import Failure
from fwtui.core.job import Completed, Failed, Job, JobId, Pending, Processing, Skipped
from fwtui.core.notification import news, terminal_signal
from fwtui.core.paths import text_to_path
from fwtui.core.settings import DoneSettings
from fwtui.core.table import JobTable
from fwtui.core.text import cells, clipped, clock, plural, printable, subtitle_time
from fwtui.errors import ExitCode


class Tally:
    """The batch as far as its events have told. Jobs are in the order of their arrival."""

    def __init__(self) -> None:
        self.session_id = ""
        self.jobs = JobTable()
        self.progress: dict[JobId, JobProgress] = {}
        self.batch: BatchProgress | None = None
        self.finished: BatchFinished | None = None
        self._before: dict[JobId, float] = {}
        self._done_before: set[JobId] = set()

    def __call__(self, event: AnyEvent) -> None:
        """Take one event into account."""
        match event:
            case BatchSnapshot():
                self.session_id = event.session_id
                self._add(event.jobs)
            case JobsAdded():
                self._add(event.jobs)
            case JobsRemoved():
                for job_id in event.ids:
                    self.jobs.pop(job_id, None)
            case JobChanged():
                self.jobs[event.job.id] = event.job
                if event.job.is_finished:
                    self.progress.pop(event.job.id, None)
            case JobProgress():
                self.progress[event.id] = event
            case BatchProgress():
                self.batch = event
            case BatchFinished():
                self.finished = event
            case _:
                pass

    def _add(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self.jobs[job.id] = job
            match job.state:
                case Pending(done_seconds=seconds):
                    self._before[job.id] = seconds
                case Completed():
                    self._done_before.add(job.id)
                case _:
                    pass

    @property
    def completed(self) -> tuple[Job, ...]:
        """Jobs whose transcripts are on disk."""
        return tuple(job for job in self.jobs.values() if isinstance(job.state, Completed))

    @property
    def failed(self) -> tuple[Job, ...]:
        """Jobs that could not be transcribed."""
        return tuple(job for job in self.jobs.values() if isinstance(job.state, Failed))

    @property
    def unfinished(self) -> tuple[Job, ...]:
        """Jobs that a resume goes on with."""
        return tuple(job for job in self.jobs.values() if not job.is_finished)

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio of the files that this run finished, without what was done before."""
        return sum(
            job.state.audio_seconds - self._before.get(job.id, 0.0)
            for job in self.completed
            if isinstance(job.state, Completed) and job.id not in self._done_before
        )

    @property
    def obstacle(self) -> Failure | None:
        """Why the batch could not go on at all."""
        return self.finished.failure if self.finished else None

    @property
    def exit_code(self) -> ExitCode:
        """The code that says what happened."""
        return exit_code(self.jobs.values(), self.obstacle)


def summary(tally: Tally, output_dir: str) -> Iterator[str]:
    """The lines that tell what became of the batch, but for the failed files."""
    yield ", ".join(counts(tally))
    finished = tally.finished
    if finished and finished.seconds > 0 and tally.audio_seconds > 0:
        speed = tally.audio_seconds / finished.seconds
        yield (
            f"{clock(tally.audio_seconds)} of audio in {clock(finished.seconds)}"
            f" ({speed:.1f}x real time)"
        )
    if tally.completed:
        yield f"transcripts are in {printable(output_dir)}"
    if doubtful := [job for job in tally.completed if getattr(job.state, "findings", ())]:
        yield f"{plural(len(doubtful), 'file')} with passages to check: see the warnings"
    if finished and finished.report:
        yield f"report: {printable(finished.report)}"


def failures(tally: Tally) -> Iterator[str]:
    """For each failed file: its name and what happened, then what to do about it."""
    for job in tally.failed:
        if isinstance(job.state, Failed):
            whose = printable(job.source or str(job.file))
            yield f"failed: {whose}: {printable(job.state.failure.title)}"
            if job.state.failure.hint:
                yield f"  {printable(job.state.failure.hint)}"


def counts(tally: Tally) -> Iterator[str]:
    """How many files are done, failed, skipped and still to do."""
    yield f"{len(tally.completed)} of {plural(len(tally.jobs), 'file')} done"
    if tally.failed:
        yield f"{len(tally.failed)} failed"
    if skipped := sum(isinstance(job.state, Skipped) for job in tally.jobs.values()):
        yield f"{skipped} skipped"
    if tally.unfinished:
        yield f"{len(tally.unfinished)} still to do"


# A terminal over a slow line should not be flooded; a log file much less.
_LIVE_SECONDS = 0.1
_PLAIN_SECONDS = 30.0
_BAR = 20


class ProgressDisplay:
    """Tells on a console what a batch is doing. Hear events after the `tally` has heard them."""

    def __init__(
        self,
        console: Console,
        tally: Tally,
        *,
        verbose: bool = False,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._console = console
        self._tally = tally
        self._levels = {Level.WARNING, Level.ERROR} | ({Level.INFO} if verbose else set())
        self._verbose = verbose
        self._now = now
        self._drawn = -_PLAIN_SECONDS
        self._announced: set[JobId] = set()
        self._told: set[JobId] = set()
        self._watched: dict[str, str] = {}
        self._done = DoneSettings()

    def __call__(self, event: AnyEvent) -> None:
        """Show one event, if it is worth it."""
        match event:
            case JobChanged():
                self._job(event.job)
            case JobProgress():
                self._progress(event)
            case EngineChanged(loading=True):
                self._console.live("loading the model ...")
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
                if event.is_news:
                    self._console.ring(terminal_signal(self._done, news(event), os.environ))
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
                    self._console.line(f"{self._place()} {name}: started")
            case Completed(audio_seconds=audio, work_seconds=work) if job.id not in self._told:
                self._told.add(job.id)
                speed = f", {audio / work:.1f}x real time" if work > 0 else ""
                self._console.line(f"done: {name} ({clock(audio)}{speed})")
            case Skipped(reason=reason):
                self._console.line(f"skipped: {name}: {printable(reason)}")
            case Processing() | Pending():
                self._told.discard(job.id)
            case _:
                pass

    def _progress(self, event: JobProgress) -> None:
        job = self._tally.jobs.get(event.id)
        wait = _LIVE_SECONDS if self._console.is_live else _PLAIN_SECONDS
        # A file being prepared beside one that runs is not what people are waiting for.
        if job is None or (event.preparing and self._is_running()):
            return
        if self._now() - self._drawn < wait:
            return
        self._drawn = self._now()
        if self._console.is_live:
            self._console.live(self.live_line(job, event, self._console.width))
        elif not event.preparing:
            self._console.line(f"{self._place()} {printable(job.name)}: {self._figures(event)}")

    def _is_running(self) -> bool:
        return any(
            isinstance(job.state, Processing) and not job.state.preparing
            for job in self._tally.jobs.values()
        )

    def live_line(self, job: Job, event: JobProgress, width: int) -> str:
        """The live line, at most `width` - 1 columns, the name cut first and then the bar."""
        place, figures = self._place(), self._figures(event)
        bar = self._bar(_share(event))
        for middle in (f" {bar} ", " "):
            room = width - 1 - cells(place) - 1 - cells(middle) - cells(figures)
            if room >= 8:
                return f"{place} {clipped(printable(job.name), room)}{middle}{figures}"
        return clipped(f"{place} {figures}", max(0, width - 1))

    def _place(self) -> str:
        finished = sum(job.is_finished for job in self._tally.jobs.values())
        total = len(self._tally.jobs)
        return f"[{min(finished + 1, total)}/{total}]"

    def _figures(self, event: JobProgress) -> str:
        percent = f"{_share(event) * 100:3.0f}%"
        if event.preparing:
            return f"{percent} {self._word(event.id)}"
        eta = self._tally.batch.eta if self._tally.batch else None
        eta = event.eta if eta is None and len(self._tally.jobs) == 1 else eta
        left = f"  ETA {clock(eta)}" if eta is not None else ""
        return f"{percent}  {event.speed:.1f}x real time{left}"

    def _word(self, job_id: JobId) -> str:
        job = self._tally.jobs.get(job_id)
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
