"""One exit code for a batch, whether `fwtui run`, the screen or a background process ends it."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from fwtui.batch.hooks import batch_input
from fwtui.cli.console import Console
from fwtui.cli.progress import RunRecord
from fwtui.cli.run import conclude
from fwtui.core.events import AnyEvent, BatchFinished, BatchSnapshot
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Pending, State
from fwtui.core.settings import Settings
from fwtui.errors import ExitCode
from fwtui.tui.controller import BatchController
from tests.cli.batches import completed, failed, finished, job, snapshot
from tests.tui.fakes import ScriptedWorkspace

CANNOT_START = {
    FailureKind.ENGINE_UNUSABLE,
    FailureKind.MODEL_MISSING,
    FailureKind.LIBRARY_MISSING,
    FailureKind.CUDA_UNAVAILABLE,
    FailureKind.BAD_SETTINGS,
}
Ending = Callable[[Sequence[AnyEvent]], ExitCode]


def run(events: Sequence[AnyEvent]) -> ExitCode:
    """How `fwtui run` ends, and the process of a batch in the background."""
    record = RunRecord()
    for event in events:
        record(event)
    return conclude(record, Settings(), Console(quiet=True))


def screen(events: Sequence[AnyEvent]) -> ExitCode:
    async def ends() -> ExitCode:
        controller = BatchController(
            ScriptedWorkspace(), Settings(), lambda _: None, lambda _: None
        )
        for event in events:
            controller.model.fold(event)
        return controller.exit_code

    return asyncio.run(ends())


def background(events: Sequence[AnyEvent]) -> ExitCode:
    """What a batch without a terminal leaves to be read: here by its hook."""
    (jobs,) = (event.jobs for event in events if isinstance(event, BatchSnapshot))
    (end,) = (event for event in events if isinstance(event, BatchFinished))
    told = batch_input(end, jobs, Settings(), "20251214_120000", "")
    return ExitCode(int(told.variables["FWTUI_DONE_EXIT_CODE"]))


WAYS = pytest.mark.parametrize("ending", [run, screen, background])


def batch(*states: State, failure: Failure | None = None) -> Sequence[AnyEvent]:
    jobs = (job(number, state) for number, state in enumerate(states, 1))
    return snapshot(*jobs), finished(failure=failure)


@WAYS
@pytest.mark.parametrize("kind", FailureKind)
def test_failed_files(kind: FailureKind, ending: Ending) -> None:
    code = ExitCode.CANNOT_START if kind in CANNOT_START else ExitCode.SOME_FAILED
    assert ending(batch(failed(kind), failed(kind))) is code
    assert ending(batch(failed(kind), completed())) is ExitCode.SOME_FAILED
    assert ending(batch(failed(kind), Pending())) is ExitCode.STOPPED


@WAYS
@pytest.mark.parametrize("kind", FailureKind)
def test_a_failed_batch(kind: FailureKind, ending: Ending) -> None:
    failure = Failure(kind, "the batch cannot continue")
    assert ending(batch(Pending(), failure=failure)) is ExitCode.CANNOT_START


@WAYS
def test_without_failures(ending: Ending) -> None:
    assert ending(batch(completed(), completed())) is ExitCode.DONE
    assert ending(batch(completed(), Pending())) is ExitCode.STOPPED
