"""What the events of a batch add up to: jobs, exit code, summary."""

from collections.abc import Iterable, Iterator

from fwtui.batch.exit_code import exit_code
from fwtui.cli.text import clock, plural
from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    BatchProgress,
    BatchSnapshot,
    JobChanged,
    JobProgress,
    JobsAdded,
    JobsRemoved,
)
from fwtui.core.failure import Failure
from fwtui.core.job import Completed, Failed, Job, JobId, Pending, Skipped
from fwtui.core.table import JobTable
from fwtui.core.text import printable
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
