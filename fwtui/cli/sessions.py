"""`fwtui sessions`: list, inspect, export and discard sessions; choosing one to resume."""

import asyncio
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec.structs import replace

from fwtui.cli.completing import session_ids
from fwtui.cli.console import Console
from fwtui.cli.options import OPTIONAL_SUBCOMMAND, fwtui_command
from fwtui.config.locations import Locations
from fwtui.core.job import state_label
from fwtui.core.text import percent, plural, printable, size_text, text_so_far
from fwtui.errors import ExitCode, FwtuiError, StorageError, UsageError

if TYPE_CHECKING:
    from fwtui.batch.workspace import Workspace
    from fwtui.core.session import Session
    from fwtui.sessions.catalog import StoredSession


def incomplete(sessions: Iterable["StoredSession"]) -> tuple["StoredSession", ...]:
    """The sessions that can be resumed, in the same order."""
    return tuple(stored for stored in sessions if stored.is_unfinished)


def choose(
    sessions: Iterable["StoredSession"], wanted: str, console: Console
) -> "StoredSession | None":
    """The session to resume: the `wanted` one, or by default the newest that is not in use.

    Queues that were never started, and sessions that are not to be offered, come last.

    None if there is nothing to resume. Raises UsageError for an unknown session,
    SessionInUseError for one that another fwtui is using.
    """
    candidates = incomplete(sessions)
    if wanted:
        return _session_named(candidates, wanted)
    free = [stored for stored in candidates if stored.in_use is None]
    if candidates and not free:
        raise _in_use(candidates[0])
    free.sort(key=lambda stored: not stored.is_offered)  # interrupted work first
    if len(candidates) > 1:
        console.line(f"{len(candidates)} sessions can be resumed; resuming the newest not in use:")
        for stored in candidates:
            mark = "->" if stored is free[0] else "  "
            console.line(f"{mark} {described(stored)}")
    return free[0] if free else None


def described(stored: "StoredSession") -> str:
    """One line about a session."""
    session = stored.session
    counts = [f"{len(session.completed)} of {plural(len(session.jobs), 'file')} done"]
    for jobs, state in (
        (session.failed, "failed"),
        (session.cancelled, "cancelled"),
        (session.skipped, "skipped"),
    ):
        counts += [f"{len(jobs)} {state}"] if jobs else []
    counts.append(percent(session.shares.finished))
    if session.never_started:
        counts.append("not started")
    if session.asked:
        counts.append("files still to be looked up")
    if session.folders:
        counts.append(f"watches {plural(len(session.folders), 'folder')}")
    if stored.in_use is not None:
        counts.append(f"in use by {printable(str(stored.in_use))}")
    created = session.created_at.strftime("%Y-%m-%d %H:%M")
    return f"{printable(session.session_id)}  {created}  {', '.join(counts)}"


def has_session(locations: Locations, name: str) -> bool:
    """Whether a session of ours has this id. Raises StorageError."""
    from fwtui.sessions.session_files import SessionFiles

    try:
        files = SessionFiles(locations.sessions, name)
    except StorageError:  # not an id at all
        return False
    return files.exists()


def mention_unfinished(sessions: Iterable["StoredSession"], console: Console) -> None:
    """Print a line if a session could be resumed."""
    free = [stored for stored in sessions if stored.is_offered and stored.in_use is None]
    if free:
        name = printable(free[0].session.session_id)
        console.line(
            f"note: {plural(len(free), 'unfinished session')};"
            f" to resume the newest: fwtui run --resume {name}"
        )


def _session_named(candidates: tuple["StoredSession", ...], wanted: str) -> "StoredSession":
    for stored in candidates:
        if stored.session.session_id == wanted:
            if stored.in_use is not None:
                raise _in_use(stored)
            return stored
    known = ", ".join(stored.session.session_id for stored in candidates)
    raise UsageError(
        f"no unfinished session is called {wanted!r}",
        f"unfinished: {known}" if known else "there is nothing to resume",
    )


def _in_use(stored: "StoredSession") -> FwtuiError:
    from fwtui.disk.lock import in_use

    assert stored.in_use is not None
    return in_use(stored.session.session_id, stored.in_use)


FORMATS = ("json", "toml", "csv")
# Those of transcripts; a test compares them with the writers, which are imported when needed.
OUTPUT_FORMATS = (
    "txt",
    "vtt",
    "srt",
    "tsv",
    "json",
    "lrc",
    "ass",
    "csv",
    "md",
    "docx",
    "html",
    "rttm",
)


@fwtui_command(
    "sessions", click.Group, invoke_without_command=True, subcommand_metavar=OPTIONAL_SUBCOMMAND
)
@click.option("--json", is_flag=True, help="Print one JSON object per session on stdout")
@click.pass_context
def command(ctx: click.Context, json: bool) -> ExitCode:
    """List the sessions that can be resumed, most recently changed first.

    A session is deleted when its batch is done; what was transcribed is in `fwtui history`.
    """
    if ctx.invoked_subcommand is None:
        console = Console()
        stored = asyncio.run(_all(_workspace(), console))
        for one in stored:
            click.echo(_as_json(one.session) if json else described(one))
        if not stored:
            console.line("no unfinished sessions; finished batches: fwtui history")
    return ExitCode.DONE


def _as_json(session: "Session") -> str:
    jobs = tuple(job.with_explicit_stem for job in session.jobs)
    return msgspec.json.encode(replace(session, jobs=jobs)).decode()


@command.command("show", short_help="List the files of a session and their states.")
@click.argument("session_id", shell_complete=session_ids)
def show(session_id: str) -> ExitCode:
    """List the files of a session and their states."""
    (stored,) = asyncio.run(_named(_workspace(), (session_id,), Console()))
    click.echo(described(stored))
    for job in stored.session.jobs:
        failure = job.failure
        reason = f"  {printable(failure.beside(job.name))}" if failure else ""
        click.echo(f"{state_label(job.state):<9}  {printable(str(job.file))}{reason}")
        resume = stored.session.resumable.get(job.id)
        seconds = resume.seconds if resume else 0.0
        if kept := text_so_far(seconds, stored.session.session_id, job.name):
            click.echo(f"{'':<9}  {kept}")
    return ExitCode.DONE


@command.command("text", short_help="Print or write the text of unfinished files so far.")
@click.argument("session_id", shell_complete=session_ids)
@click.argument("files", nargs=-1)
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(OUTPUT_FORMATS),
    default="txt",
    show_default=True,
    help="Format of the text",
)
@click.option(
    "--output_dir",
    "--output-dir",
    "-o",
    "folder",
    type=click.Path(readable=False),
    help="Folder to write to, one file each (default: print it)",
)
def text(session_id: str, files: tuple[str, ...], form: str, folder: str | None) -> ExitCode:
    """Print the text of failed, cancelled and interrupted files, as far as it is transcribed.

    FILES are names or paths of recordings in the session, by default all that are unfinished and
    have a text. The session stays as it is, also while another fwtui is using it. Written files
    are called "NAME (unfinished)".
    """
    from fwtui.batch.unfinished_text import read_unfinished, write_unfinished

    locations = Locations.default()
    session = asyncio.run(_any_named(_workspace(), session_id, Console()))
    found = read_unfinished(session, locations.sessions, files)
    if folder is not None:
        for path in write_unfinished(found, session.settings.output, form, Path(folder)):
            click.echo(printable(str(path)))
        return ExitCode.DONE
    for one in found:
        if len(found) > 1:
            click.echo(f"# {printable(str(one.job.file))}")
        click.echo(one.rendered(form, session.settings.output), nl=False)
    return ExitCode.DONE


@command.command("discard", short_help="Delete sessions; transcripts and recordings stay.")
@click.argument("session_ids", nargs=-1, shell_complete=session_ids)
@click.option("--all", "every", is_flag=True, help="All unfinished sessions not in use")
@click.option("--failed", is_flag=True, help="Only those in which files failed")
@click.option(
    "--older-than",
    "--older_than",
    "older_than",
    metavar="AGE",
    help="Only those not changed for so long: 30d, 12h, 2w",
)
def discard(
    session_ids: tuple[str, ...], every: bool, failed: bool, older_than: str | None
) -> ExitCode:
    """Delete sessions and the progress inside their files.

    Recordings and transcripts that were written stay. Name the sessions, or choose them with the
    options, of which all that are given must apply.
    """
    age = parse_age(older_than) if older_than is not None else None
    chosen = every or failed or age is not None
    if chosen == bool(session_ids):
        raise UsageError(
            "name the sessions, or choose them: --all, --failed, --older-than 30d",
            "see: fwtui sessions",
        )
    console = Console()
    asyncio.run(_discard(_workspace(), session_ids, console, failed=failed, age=age))
    return ExitCode.DONE


_UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(m|min|h|d|w)", re.IGNORECASE | re.ASCII)


def parse_age(text: str) -> timedelta:
    """A length of time as it is typed: 30d, 12h. Raises UsageError."""
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is not an age", "for example: 30d, 12h, 2w or 45min")
    return timedelta(seconds=float(found[1]) * _UNITS[found[2].lower()])


def to_discard(
    sessions: Iterable["StoredSession"], now: datetime, *, failed: bool, age: timedelta | None
) -> list["StoredSession"]:
    """The sessions, not in use, that failed and are old enough, where that is asked for."""
    return [
        stored
        for stored in sessions
        if stored.in_use is None
        and (stored.session.failed or not failed)
        and (age is None or now - stored.modified > age)
    ]


@command.command("export", short_help="Export a session as JSON, TOML or CSV.")
@click.argument("session_id", shell_complete=session_ids)
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(FORMATS),
    help="Format (default: by the suffix of --output, otherwise json)",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(readable=False),
    help="File to write or overwrite (default: stdout)",
)
@click.option("--logs", is_flag=True, help="Include the session's log (JSON and TOML only)")
def export(session_id: str, form: str | None, output: str | None, logs: bool) -> ExitCode:
    """Export the settings of a session, and the state and all attempts of each of its files.

    Any stored session can be exported, even while another fwtui is using it. CSV has one line per
    file, without the settings.
    """
    from fwtui.report.render import export_session, write_export

    try:
        session = asyncio.run(_any_named(_workspace(), session_id, Console()))
    except UsageError as error:
        file = Locations.default().session_log(session_id)
        if not file.exists():
            raise
        raise UsageError(f"session {session_id!r} is finished", f"its log is {file}") from error
    named = Path(output).suffix[1:].lower() if output else ""
    form = form or (named if named in FORMATS else FORMATS[0])
    data = export_session(session, form, _log_of(session_id, form) if logs else None)
    if output:
        write_export(Path(output), data, (job.file for job in session.jobs))
    else:
        click.echo(data, nl=False)
    return ExitCode.DONE


def _log_of(session_id: str, form: str) -> list[str]:
    """The lines of a session's log. Raises FwtuiError."""
    from fwtui.cli.logfile import session_lines

    if form == "csv":
        raise UsageError("--logs cannot be used with CSV", "use --format json or toml")
    try:
        return session_lines(Locations.default(), session_id)
    except OSError as error:
        title = f"cannot read the log of {session_id}: {error.strerror or error}"
        raise FwtuiError(title, "check the permissions of the state folder") from error


async def _any_named(workspace: "Workspace", name: str, console: Console) -> "Session":
    """The session with this id, in use or not. Raises UsageError."""
    listed = await workspace.all_sessions()
    for problem in listed.problems:
        console.always(printable(problem))
    for stored in listed.sessions:
        if stored.session.session_id == name:
            return stored.session
    raise UsageError(f"no session is called {name!r}", "see: fwtui sessions")


async def _discard(
    workspace: "Workspace",
    ids: tuple[str, ...],
    console: Console,
    *,
    failed: bool,
    age: timedelta | None,
) -> None:
    if ids:
        chosen = list(await _named(workspace, ids, console))
    else:
        known = await _all(workspace, console)
        chosen = to_discard(known, datetime.now(), failed=failed, age=age)
        if in_use := sum(stored.in_use is not None for stored in known):
            console.line(f"note: {plural(in_use, 'session')} in use, left alone")
        if not chosen:
            console.line("no sessions to discard")
    for stored in chosen:
        discarded = await workspace.discard(stored)
        name = printable(stored.session.session_id)
        count = plural(len(discarded.files), "file")
        console.line(f"discarded {name}: {count}, {size_text(discarded.bytes)}")


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
    """The sessions with these ids, all or none. Raises UsageError, SessionInUseError."""
    known = {stored.session.session_id: stored for stored in await _all(workspace, console)}
    for name in ids:
        if name not in known:
            raise UsageError(f"no unfinished session is called {name!r}", "see: fwtui sessions")
        if (holder := known[name].in_use) is not None:
            from fwtui.disk.lock import in_use

            raise in_use(name, holder)
    return tuple(known[name] for name in ids)
