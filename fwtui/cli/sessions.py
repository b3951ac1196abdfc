"""`fwtui sessions`: what was interrupted, and how to be rid of it."""

import asyncio
from typing import TYPE_CHECKING

import click
import msgspec

from fwtui.cli.console import Console
from fwtui.cli.exits import exit_code_help
from fwtui.cli.resuming import described
from fwtui.cli.text import plural
from fwtui.config.locations import Locations
from fwtui.core.display import printable
from fwtui.core.job import status_word
from fwtui.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from fwtui.batch.workspace import Workspace
    from fwtui.storage.sessions import StoredSession


@click.group(
    "sessions",
    invoke_without_command=True,
    short_help="List interrupted sessions, look into one, or discard some.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--json", is_flag=True, help="One JSON object per session on stdout")
@click.pass_context
def command(ctx: click.Context, json: bool) -> ExitCode:
    """List the sessions that can be resumed, the last changed first."""
    if ctx.invoked_subcommand is None:
        console = Console()
        stored = asyncio.run(_all(_workspace(), console))
        for one in stored:
            click.echo(msgspec.json.encode(one.session).decode() if json else described(one))
        if not stored:
            console.line("there is no unfinished session")
    return ExitCode.DONE


@command.command("show", short_help="The files of a session and what became of them.")
@click.argument("session_id")
def show(session_id: str) -> ExitCode:
    """List the files of a session and what became of them."""
    (stored,) = asyncio.run(_named(_workspace(), (session_id,), Console()))
    click.echo(described(stored))
    for job in stored.session.jobs:
        failure = getattr(job.state, "failure", None)
        reason = f"  {printable(str(failure))}" if failure else ""
        click.echo(f"{status_word(job.state):<10}  {printable(str(job.file))}{reason}")
    return ExitCode.DONE


@command.command("discard", short_help="Delete sessions; transcripts and media files stay.")
@click.argument("session_ids", nargs=-1, required=True)
def discard(session_ids: tuple[str, ...]) -> ExitCode:
    """Delete sessions and the progress inside their files.

    Transcripts that were written, and the media files, stay.
    """
    console = Console()
    asyncio.run(_discard(_workspace(), session_ids, console))
    return ExitCode.DONE


async def _discard(workspace: "Workspace", ids: tuple[str, ...], console: Console) -> None:
    for stored in await _named(workspace, ids, console):
        gone = await workspace.discard(stored)
        name = printable(stored.session.session_id)
        console.line(f"discarded {name}: {plural(len(gone.files), 'file')}, {gone.bytes} bytes")


def _workspace() -> "Workspace":
    from fwtui.batch.workspace import Workspace

    return Workspace(Locations.default())


async def _all(workspace: "Workspace", console: Console) -> tuple["StoredSession", ...]:
    listed = await workspace.incomplete()
    for problem in listed.problems:
        console.always(printable(problem))
    return listed.sessions


async def _named(
    workspace: "Workspace", ids: tuple[str, ...], console: Console
) -> tuple["StoredSession", ...]:
    """The sessions of these names, all or none. Raises UsageError, SessionInUseError."""
    there = {stored.session.session_id: stored for stored in await _all(workspace, console)}
    for name in ids:
        if name not in there:
            raise UsageError(f"no unfinished session is called {name!r}", "see: fwtui sessions")
        if (holder := there[name].in_use) is not None:
            from fwtui.storage.lock import in_use

            raise in_use(name, holder)
    return tuple(there[name] for name in ids)
