"""How a batch ended, from the states of its jobs: the exit code that says so."""

from collections.abc import Iterable

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Completed, Failed, Job
from fwtui.errors import ExitCode

# Nothing in the files is to blame for these: the engine could not even begin.
_CANNOT_START = frozenset(
    {
        FailureKind.MODEL_MISSING,
        FailureKind.LIBRARY_MISSING,
        FailureKind.CUDA_UNAVAILABLE,
        FailureKind.BAD_SETTINGS,
    }
)


def exit_code(jobs: Iterable[Job], obstacle: Failure | None) -> ExitCode:
    """The exit code of a batch; `obstacle` is why it could not go on at all."""
    jobs = tuple(jobs)
    if obstacle is not None:
        return ExitCode.CANNOT_START
    if any(not job.is_finished for job in jobs):
        return ExitCode.STOPPED
    kinds = {job.state.failure.kind for job in jobs if isinstance(job.state, Failed)}
    if not kinds:
        return ExitCode.DONE
    if kinds <= _CANNOT_START and not any(isinstance(job.state, Completed) for job in jobs):
        return ExitCode.CANNOT_START
    return ExitCode.SOME_FAILED
