"""`fwtui sessions`: what was interrupted, and how to be rid of it."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec.structs import replace

from fwtui.cli.completing import session_ids
from fwtui.cli.console import Console
from fwtui.cli.exits import exit_code_help
from fwtui.cli.resuming import described
from fwtui.cli.text import plural
from fwtui.config.locations import Locations
from fwtui.core.display import printable
from fwtui.core.job import status_word
from fwtui.errors import ExitCode, FwtuiError, UsageError

if TYPE_CHECKING:
    from fwtui.batch.workspace import Workspace
    from fwtui.core.session import Session
    from fwtui.storage.sessions import StoredSession

FORMATS = ("json", "toml", "csv")


@click.group(
    "sessions",
    invoke_without_command=True,
    subcommand_metavar="[COMMAND] [ARGS]...",  # older versions of click leave the brackets out
    short_help="List interrupted sessions, look into, export or discard them.",
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
            click.echo(_as_json(one.session) if json else described(one))
        if not stored:
            console.line("there is no unfinished session")
    return ExitCode.DONE


def _as_json(session: "Session") -> str:
    jobs = tuple(job.in_full for job in session.jobs)
    return msgspec.json.encode(replace(session, jobs=jobs)).decode()


@command.command("show", short_help="The files of a session and what became of them.")
@click.argument("session_id", shell_complete=session_ids)
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
@click.argument("session_ids", nargs=-1, required=True, shell_complete=session_ids)
def discard(session_ids: tuple[str, ...]) -> ExitCode:
    """Delete sessions and the progress inside their files.

    Transcripts that were written, and the media files, stay.
    """
    console = Console()
    asyncio.run(_discard(_workspace(), session_ids, console))
    return ExitCode.DONE


@command.command("export", short_help="A session as JSON, TOML or CSV, for other programs.")
@click.argument("session_id", shell_complete=session_ids)
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(FORMATS),
    help="Form of the data (default: by the name of --output, else json)",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(),
    help="File to write, replaced if it is there (default: stdout)",
)
@click.option("--logs", is_flag=True, help="With the lines of its log (JSON and TOML)")
def export(session_id: str, form: str | None, output: str | None, logs: bool) -> ExitCode:
    """Write the settings of a session, and of each file what became of it, with all attempts.

    Works for any session that is stored, also while another fwtui works on it. CSV has a line a
    file and no settings.
    """
    from fwtui.batch.export import export_session, write_export

    try:
        session = asyncio.run(_any_named(_workspace(), session_id, Console()))
    except UsageError as error:
        file = Locations.default().session_log(session_id)
        if not file.exists():
            raise
        raise UsageError(f"{error.title} any more: it is done", f"its log is {file}") from error
    named = Path(output).suffix[1:].lower() if output else ""
    form = form or (named if named in FORMATS else FORMATS[0])
    data = export_session(session, form, _log_of(session_id, form) if logs else None)
    if output:
        write_export(Path(output), data)
    else:
        click.echo(data, nl=False)
    return ExitCode.DONE


def _log_of(session_id: str, form: str) -> list[str]:
    """The lines of a session's log. Raises FwtuiError."""
    from fwtui.cli.logfile import session_lines

    if form == "csv":
        raise UsageError("CSV has no place for logs", "use --format json or toml")
    try:
        return session_lines(Locations.default(), session_id)
    except OSError as error:
        title = f"the log of {session_id} cannot be read: {error.strerror or error}"
        raise FwtuiError(title, "check the permissions of the state folder") from error


async def _any_named(workspace: "Workspace", name: str, console: Console) -> "Session":
    """The session of this name, in use or not. Raises UsageError."""
    listed = await workspace.all_sessions()
    for problem in listed.problems:
        console.always(printable(problem))
    for stored in listed.sessions:
        if stored.session.session_id == name:
            return stored.session
    raise UsageError(f"no session is called {name!r}", "see: fwtui sessions")


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
