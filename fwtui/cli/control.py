"""Control of running batches: `fwtui pause`, `unpause`, `stop`, `add` and `attach`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fwtui.cli.completing import running_ids
from fwtui.cli.console import Console
from fwtui.cli.options import fwtui_command
from fwtui.cli.progress import counts_text
from fwtui.cli.request import files_from_options, names_from
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, Pause, Start
from fwtui.core.events import AnyEvent, BatchFinished, JobsAdded, Level, LogLine, Phase
from fwtui.core.paths import path_to_text
from fwtui.core.text import left_out_text, plural, printable, valid_unicode
from fwtui.core.view import BatchView
from fwtui.errors import BatchEndedError, ExitCode, FwtuiError, UsageError

if TYPE_CHECKING:
    from fwtui.batch.remote.client import Connection
    from fwtui.batch.remote.endpoints import Endpoint
    from fwtui.cli.run import Intake

_WORKING = {Phase.RUNNING, Phase.WATCHING}
_AT_REST = {Phase.PAUSING, Phase.PAUSED, Phase.STOPPING, Phase.IDLE}

Function = TypeVar("Function", bound=Callable[..., Any])


def session_argument(function: Function) -> Function:
    """Add the session of a running batch, optional when only one is running."""
    argument = click.argument("session_id", required=False, default="", shell_complete=running_ids)
    return argument(function)


@fwtui_command("pause", click.Command)
@session_argument
def pause(session_id: str) -> ExitCode:
    """Pause a running batch after its current chunk; the model stays in memory.

    SESSION_ID is needed only if several batches are running. `fwtui unpause` resumes the batch.
    """
    asyncio.run(_pause(session_id, Console()))
    return ExitCode.DONE


async def _pause(session_id: str, console: Console) -> None:
    endpoint = find_batch(session_id, "pause")
    name = printable(endpoint.session_id)
    async with connected(endpoint) as batch:
        if batch.phase is Phase.IDLE:
            console.line(f"session {name} is not running")
            return
        if batch.phase not in _AT_REST:
            batch.connection.write(Pause())
            await batch.until(lambda _: batch.phase in _AT_REST)
    console.line(f"session {name} pauses after the current chunk; to resume: fwtui unpause")


@fwtui_command("unpause", click.Command)
@session_argument
def unpause(session_id: str) -> ExitCode:
    """Resume a paused batch, or start one that was stopped on its screen.

    SESSION_ID is needed only if several batches are running.
    """
    asyncio.run(_unpause(session_id, Console()))
    return ExitCode.DONE


async def _unpause(session_id: str, console: Console) -> None:
    endpoint = find_batch(session_id, "unpause")
    async with connected(endpoint) as batch:
        if batch.phase not in _WORKING:
            batch.connection.write(Start())
            await batch.until(
                lambda event: batch.phase in _WORKING or isinstance(event, BatchFinished)
            )
        result = "resumed" if batch.phase in _WORKING else "has nothing to do"
    console.line(f"session {printable(endpoint.session_id)} {result}")


@fwtui_command("stop", click.Command)
@session_argument
def stop(session_id: str) -> ExitCode:
    """Stop a running batch at once and end its process.

    Nothing that was finished is lost: `fwtui run --resume` continues inside the file. If the batch
    belongs to a screen, the screen stays open. This command ends with exit code 0; the stopped
    batch ends with 3 if files remain. SESSION_ID is needed only if several batches are running.
    """
    asyncio.run(_stop(session_id, Console()))
    return ExitCode.DONE


async def _stop(session_id: str, console: Console) -> None:
    """Stop the batch and wait until its session is released."""
    from fwtui.batch.remote.protocol import End

    endpoint = find_batch(session_id, "stop")
    name = printable(endpoint.session_id)
    async with connected(endpoint) as batch:
        batch.connection.write(End())
        if batch.connection.welcome.where != "screen":
            await batch.until_end()
        elif batch.phase is not Phase.IDLE:
            await batch.until(lambda event: isinstance(event, BatchFinished))
        console.line(f"stopped session {name}: {counts_text(batch.view.counts)}")
        if batch.view.counts.unfinished:
            console.line(f"to resume: fwtui run --resume {name}")


@fwtui_command("add", click.Command)
@click.argument("paths", nargs=-1, type=click.Path(readable=False))
@files_from_options
@click.option(
    "--session",
    "session_id",
    default="",
    help="The batch to add to, if several are running",
    shell_complete=running_ids,
)
def add(
    paths: tuple[str, ...], session_id: str, files_from: tuple[str, ...], null: bool
) -> ExitCode:
    """Add files, folders, glob patterns and links to the end of a running batch's queue.

    They are transcribed with the settings of that batch.
    """
    paths = (*paths, *names_from(files_from, null=null))
    if not paths:
        raise UsageError("no files given", "for example: fwtui add recordings/")
    asyncio.run(_add(paths, session_id, Console()))
    return ExitCode.DONE


async def _add(paths: tuple[str, ...], session_id: str, console: Console) -> None:
    """Add the files and wait until they are in the queue."""
    from fwtui.cli.run import find_files, nothing_found

    endpoint = find_batch(session_id, "add --session")
    intake = await asyncio.to_thread(find_files, paths)
    if intake.is_empty:
        raise nothing_found(intake)
    for path in intake.empty:
        console.line(f"note: no audio or video file found in {printable(path)}")
    for note in intake.found.notes:
        console.line(f"note: {printable(note)}")
    async with connected(endpoint) as batch:
        wanted = {path_to_text(path) for path in intake.inputs}
        before = len(wanted & batch.inputs())
        if before < len(wanted):
            batch.connection.write(AddPaths(intake.inputs, intake.roots))
            await _until_queued(batch, wanted, intake)
        if batch.connection.welcome.where == "background" and batch.phase is Phase.IDLE:
            batch.connection.write(Start())  # it had just finished
            await batch.until(lambda _: batch.phase is not Phase.IDLE)
    known = f"; already in its queue: {before:,}" if before else ""
    name = printable(endpoint.session_id)
    if left_out := left_out_text(intake.found.left_out):
        console.line(f"note: left out: {printable(left_out)}")
    console.line(f"added {plural(len(wanted) - before, 'file')} to session {name}{known}")


async def _until_queued(batch: "RunningBatch", wanted: set[str], intake: "Intake") -> None:
    """Wait until all are in the queue. Raises FwtuiError if the batch reports an error."""
    missing = wanted - batch.inputs()
    expected = {valid_unicode(str(problem.failure)) for problem in intake.found.problems}

    def arrived(event: AnyEvent) -> bool:
        match event:
            case JobsAdded(jobs=jobs):
                missing.difference_update(job.source or job.path for job in jobs)
            case LogLine(level=Level.ERROR, job=None, text=text) if text not in expected:
                raise FwtuiError(f"the batch reported an error: {text}")
            case _:
                pass
        return not missing

    await batch.until(arrived)


@fwtui_command("attach", click.Command)
@session_argument
def attach(session_id: str) -> ExitCode:
    """Open the screen on a running batch: its queue, transcript, log and memory, with all keys.

    q closes the screen and the batch continues; S stops the batch. Several screens can be attached
    to one batch. SESSION_ID is needed only if several batches are running.
    """
    from fwtui.cli.screen import has_terminal, show
    from fwtui.config.sources import make_layers, merge_layers

    endpoint = find_batch(session_id, "attach")
    if not has_terminal():
        raise FwtuiError("the screen needs a terminal", "without one, use: fwtui status")
    asyncio.run(_check_connection(endpoint))
    locations = Locations.default()
    settings = merge_layers(make_layers(locations.config_file))  # the user's, for the screen
    return show(locations, settings, attach=endpoint)


async def _check_connection(endpoint: "Endpoint") -> None:
    """Raise LinkError before the screen opens, where it can be read afterwards."""
    async with connected(endpoint):
        return


def find_batch(wanted: str, command: str) -> "Endpoint":
    """The running batch of this session, or the only one. Raises FwtuiError.

    `command` is suggested, with a session, when several batches are running.
    """
    from fwtui.batch.remote.endpoints import running

    endpoints = running(Locations.default())
    names = [printable(endpoint.session_id) for endpoint in endpoints]
    if wanted:
        for endpoint in endpoints:
            if endpoint.session_id == wanted:
                return endpoint
        raise UsageError(
            f"session {wanted!r} is not running",
            f"running: {', '.join(names)}" if names else "no batch is running; see: fwtui sessions",
        )
    if not endpoints:
        raise FwtuiError("no batch is running", "see: fwtui status")
    if len(endpoints) > 1:
        raise UsageError(
            f"{len(endpoints)} batches are running: {', '.join(names)}",
            f"name one, for example: fwtui {command} {names[0]}",
        )
    return endpoints[0]


@contextlib.asynccontextmanager
async def connected(endpoint: "Endpoint") -> AsyncIterator["RunningBatch"]:
    """A connection to a running batch. Raises LinkError."""
    from fwtui.batch.remote.client import Connection

    connection = await Connection.open(endpoint)
    try:
        yield RunningBatch(connection)
    finally:
        connection.close()


class RunningBatch:
    """A connection to a batch, and its view as of the last event read."""

    def __init__(self, connection: "Connection") -> None:
        self.connection = connection
        self.view = BatchView()
        self.view.apply(connection.snapshot)

    @property
    def phase(self) -> Phase:
        """What the batch is doing."""
        return self.view.phase

    def inputs(self) -> set[str]:
        """The paths and links of the files in the queue."""
        return {job.source or job.path for job in self.view.jobs.values()}

    async def until(self, condition: Callable[[AnyEvent], bool]) -> None:
        """Read events until one meets the condition. Raises BatchEndedError."""
        while (event := await self._next()) is not None:
            if condition(event):
                return
        raise BatchEndedError("the batch has ended in the meantime", "see: fwtui status")

    async def until_end(self) -> None:
        """Read events until the batch has ended and released its session."""
        while await self._next() is not None:
            await asyncio.sleep(0)

    async def _next(self) -> AnyEvent | None:
        from fwtui.batch.remote.protocol import Ended, HaveTranscript

        event = await self.connection.read()
        if event is None or isinstance(event, Ended):
            return None
        assert not isinstance(event, HaveTranscript)  # none was requested
        self.view.apply(event)
        return event
