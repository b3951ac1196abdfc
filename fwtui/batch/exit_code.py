"""The exit code of a batch: one rule for `fwtui run`, the screen, hooks and `fwtui status`."""

from collections.abc import Iterable

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Completed, Failed, Job
from fwtui.errors import ExitCode

# No file caused these: the engine could not even start.
_CANNOT_START = frozenset(
    {
        FailureKind.MODEL_MISSING,
        FailureKind.LIBRARY_MISSING,
        FailureKind.CUDA_UNAVAILABLE,
        FailureKind.BAD_SETTINGS,
        FailureKind.ENGINE_UNUSABLE,
    }
)


def exit_code(jobs: Iterable[Job], failure: Failure | None) -> ExitCode:
    """The exit code of a batch; `failure` is why it could not continue at all, if so."""
    jobs = tuple(jobs)
    if failure is not None:
        return ExitCode.CANNOT_START
    if any(not job.is_finished for job in jobs):
        return ExitCode.STOPPED
    kinds = {job.state.failure.kind for job in jobs if isinstance(job.state, Failed)}
    if not kinds:
        cut = any(isinstance(job.state, Completed) and job.state.skipped_chunks for job in jobs)
        return ExitCode.SOME_FAILED if cut else ExitCode.DONE
    if kinds <= _CANNOT_START and not any(isinstance(job.state, Completed) for job in jobs):
        return ExitCode.CANNOT_START
    return ExitCode.SOME_FAILED
