"""`fwtui run`: a batch without a screen."""

import asyncio
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from fwtui.cli.completing import session_ids
from fwtui.cli.console import Console, exit_code_help
from fwtui.cli.jsonlines import JsonLines
from fwtui.cli.logfile import SessionLog, close_log, log_event, open_log
from fwtui.cli.models import provide
from fwtui.cli.options import (
    OptionalValue,
    SettingsCommand,
    changes_from,
    settings_from,
    settings_options,
    telling_options,
)
from fwtui.cli.process import TERMINAL_GONE, Listener, drive, leave_terminal
from fwtui.cli.progress import ProgressDisplay, Tally, failures, summary
from fwtui.cli.request import Request
from fwtui.cli.sessions import choose, hint
from fwtui.config.fields import Value, apply
from fwtui.config.locations import Locations
from fwtui.config.overrides import from_overrides
from fwtui.config.sources import misspelt_variables
from fwtui.config.validate import validated, warnings
from fwtui.core.commands import AddPaths, AnyCommand, ChangeSettings, RetryJobs, Start
from fwtui.core.events import Level
from fwtui.core.inputs import is_link
from fwtui.core.job import Job
from fwtui.core.settings import Settings
from fwtui.core.text import printable
from fwtui.errors import ExitCode, FwtuiError, UsageError

if TYPE_CHECKING:
    from fwtui.batch.batch import Batch
    from fwtui.batch.discovery import Problem


def check_links(paths: Iterable[str]) -> None:
    """Raise FwtuiError if there are links and what downloads them is not installed."""
    if any(is_link(path) for path in paths):
        from fwtui.batch.ytdlp import NEEDED, is_installed

        if not is_installed():
            raise FwtuiError(NEEDED.title, NEEDED.hint)


_SESSION_ID = re.compile(r"\d{8}_\d{6}\S*")


@dataclass(frozen=True)
class Intake:
    """The files and links that the paths are, what could not be read, which paths led to none.

    `roots` are the folders that files were found in.
    """

    files: tuple[str, ...] = ()
    problems: tuple["Problem", ...] = ()
    empty: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """What becomes a row of the queue: also what cannot be read, as a failed one."""
        return *self.files, *(str(problem.path) for problem in self.problems), *self.links


@click.command(
    "run",
    cls=SettingsCommand,
    short_help="Transcribe without a screen: for scripts, ssh and cron.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--resume",
    cls=OptionalValue,
    bare="",
    fits=_SESSION_ID,
    metavar="[SESSION_ID]",
    shell_complete=session_ids,
    help="Go on with an unfinished session, the newest one if no id is given",
)
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="OLD=NEW",
    help=r"With --resume: a folder of another machine is here, as in 'D:\Audio=/mnt/audio'",
)
@telling_options
@settings_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    paths: tuple[str, ...],
    resume: str | None,
    maps: tuple[str, ...],
    json: bool,
    verbose: bool,
    quiet: bool,
    detach: bool,
    **_: Value,
) -> ExitCode:
    """Transcribe files, folders (recursively), glob patterns and links (http, https).

    Progress goes to stderr. The transcripts are written to --output_dir, one set of files for
    each media file. An interrupted batch goes on where it was with --resume. With --detach it
    runs in the background, its session id is printed, and the exit code says whether it began:
    see `fwtui attach`, `status`, `stop`. A terminal that goes away does the same, unless
    --on_hangup is stop.
    """
    if not paths and resume is None:
        raise UsageError("no files given", "for example: fwtui run recordings/ --model small")
    if maps and resume is None:
        raise UsageError("--map is for --resume", "the files of a new batch are named as they are")
    locations = Locations.default()
    settings = settings_from(ctx, locations)
    request = Request(
        paths=paths,
        settings=validated(settings) if resume is None else settings,
        changes=changes_from(ctx, locations),
        resume=resume,
        maps=_maps(maps),
    )
    return perform(request, locations, json=json, verbose=verbose, quiet=quiet, detach=detach)


def perform(
    request: Request, locations: Locations, *, json: bool, verbose: bool, quiet: bool, detach: bool
) -> ExitCode:
    """Do what the request says, here or in the background, told of as the options say."""
    if verbose and quiet:
        raise UsageError("--verbose and --quiet contradict each other")
    console, tally = Console(quiet=quiet), Tally()
    if detach:
        if json or verbose:
            raise UsageError("--detach shows no events here", "see: fwtui status --json")
        return _detach(request, locations, console)
    session_log = SessionLog(locations)
    listeners: list[Listener] = [
        tally,
        ProgressDisplay(console, tally, verbose=verbose),
        log_event,
        session_log,
    ]
    lines = JsonLines() if json else None
    if lines is not None:
        listeners.append(lines)
    open_log(locations, request.settings.log)
    try:
        return asyncio.run(run(request, locations, console, tally, listeners))
    finally:
        if lines is not None:
            lines.close()
        session_log.close()
        close_log()


def _detach(request: Request, locations: Locations, console: Console) -> ExitCode:
    from fwtui.cli.background import start_background

    if request.resume is None:  # here there is somebody to ask and to tell
        _check_not_empty(request, find_files(request.paths))
        asyncio.run(provide((request.settings.model,), console))
    begun = start_background(request, locations)
    for line in begun.notes.splitlines():
        console.line(line)
    console.line(f"the batch runs in the background (process {begun.pid}); to see it: fwtui attach")
    click.echo(begun.session_id)
    return ExitCode.DONE


def _check_not_empty(request: Request, intake: Intake) -> None:
    """Raises UsageError: there is nothing to do."""
    nothing = not intake.files and not intake.links
    if nothing and request.resume is None and not request.watch:
        raise nothing_found(intake)


async def run(
    request: Request,
    locations: Locations,
    console: Console,
    tally: Tally,
    listeners: Sequence[Listener],
    *,
    background: bool = False,
) -> ExitCode:
    """Do what the request says; the exit code tells what became of it.

    `tally` must be among the listeners. `background`: there is no terminal from the beginning.
    """
    intake = await asyncio.to_thread(find_files, request.paths)
    _check_not_empty(request, intake)
    for path in intake.empty:
        console.line(f"note: no audio or video file found in {printable(path)}")
    offered = None if background else console
    runner, settings, commands = await _open(locations, request, intake, console, offered)
    for warning in warnings(settings):
        console.line(f"warning: {warning}")
    for name, close in misspelt_variables(os.environ):
        console.line(f"warning: {printable(name)} is no setting; did you mean {close}?")

    def hang_up() -> bool:
        if runner.state.settings.batch.on_hangup == "stop":
            return False
        leave_terminal(locations.session_log(runner.session_id))
        console.leave()
        runner.go_to_background()
        runner.state.log(Level.INFO, TERMINAL_GONE)
        return True

    if background:
        runner.go_to_background()
    await drive(runner, commands, listeners, console, hang_up)
    return conclude(tally, settings, console)


def find_files(paths: tuple[str, ...]) -> Intake:
    """The media files that the paths lead to, each once; blocks on the disk.

    Raises FwtuiError for links when yt-dlp is not there.
    """
    from fwtui.batch.discovery import find_media

    files: dict[str, None] = {}
    problems: list[Problem] = []
    empty: list[str] = []
    roots: dict[str, None] = {}
    links: dict[str, None] = {}
    for path in paths:
        found = find_media([path])
        roots |= dict.fromkeys(root for root in found.roots if root)
        files |= dict.fromkeys(found.files)
        problems += found.problems
        links |= dict.fromkeys(found.links)
        if not found.files and not found.problems and not found.links:
            empty.append(path)
    check_links(links)
    return Intake(tuple(files), tuple(problems), tuple(empty), tuple(roots), tuple(links))


def conclude(tally: Tally, settings: Settings, console: Console) -> ExitCode:
    """Tell what became of the batch, and return it as an exit code."""
    for line in failures(tally):
        console.always(line)
    beside = settings.output.output_layout == "source"
    place = "the folders of their recordings" if beside else settings.output.output_dir
    for line in summary(tally, place):
        console.line(line)
    if tally.obstacle is not None and console.is_quiet:  # else the log line has said it
        console.error(FwtuiError(tally.obstacle.title, tally.obstacle.hint))
    if tally.unfinished:
        console.always(f"to go on: fwtui run --resume {printable(tally.session_id)}")
    elif tally.failed:
        console.line(f"to try again: fwtui run --resume {printable(tally.session_id)}")
    return tally.exit_code


async def _open(
    locations: Locations,
    request: Request,
    intake: Intake,
    console: Console,
    offered: Console | None,
) -> tuple["Batch", Settings, list[AnyCommand]]:
    """A runner, the settings it works with, and the commands that set it going.

    Missing models are downloaded with a word on `offered`, if there is one.
    """
    from fwtui.batch.workspace import Workspace

    workspace = Workspace(locations)
    found = await workspace.incomplete()
    for problem in found.problems:
        console.line(f"warning: {printable(problem)}")
    stored = found.sessions
    if request.watch:
        from fwtui.cli.watch import open_watch

        settings = request.settings
        await _provide(settings, (), offered)
        batch, begin = await open_watch(workspace, stored, request.watch, settings, console)
        return batch, settings, begin
    adding = [AddPaths(intake.paths, intake.roots)] if intake.paths else []
    if request.resume is None:
        hint(stored, console)
    elif chosen := choose(stored, request.resume, console):
        if request.maps:
            await workspace.remember(request.maps)
        here = await workspace.mapped(chosen)
        if here.missing:
            raise _elsewhere(here.missing)
        wanted = validated(apply(here.session.settings, request.changes))
        settings = wanted.with_user_settings_of(request.settings)
        changing = [ChangeSettings(settings)] if wanted != here.session.settings else []
        failed = tuple(job.id for job in chosen.session.failed)
        retrying = [RetryJobs(failed)] if request.retry else []
        await _provide(settings, here.session.jobs, offered)
        runner = await workspace.resume(chosen, request.settings)
        console.line(f"resuming session {printable(chosen.session.session_id)}")
        return runner, settings, [*changing, *retrying, *adding, Start()]
    elif not intake.paths:
        raise UsageError("there is no unfinished session to resume", "give the files to transcribe")
    else:
        console.line("there is no unfinished session to resume: starting a new one")
    settings = validated(request.settings)
    await _provide(settings, (), offered)
    return await workspace.start(settings), settings, [*adding, Start()]


async def _provide(settings: Settings, jobs: Sequence[Job], console: Console | None) -> None:
    """Have the models of a batch here: the batch's, and those that single files want."""
    own = [
        from_overrides(job.settings).model for job in jobs if job.settings and not job.is_finished
    ]
    await provide(tuple(dict.fromkeys((settings.model, *own))), console)


def _maps(texts: tuple[str, ...]) -> Mapping[str, str]:
    if not texts:
        return {}
    from fwtui.sessions.remap import parse_map

    return dict(parse_map(text) for text in texts)


def _elsewhere(folders: Sequence[str]) -> UsageError:
    there = " and ".join(printable(folder) for folder in folders)
    options = " ".join(f"--map '{printable(folder)}=FOLDER HERE'" for folder in folders)
    return UsageError(
        f"the session's files are in {there}, which is not here",
        f"say once where they are: fwtui run --resume {options}",
    )


def nothing_found(intake: Intake) -> UsageError:
    """The error for paths that lead to nothing."""
    reasons = [str(problem.failure) for problem in intake.problems]
    if intake.empty:
        reasons.insert(0, f"no audio or video file found in: {', '.join(intake.empty)}")
    return UsageError(printable("; ".join(reasons)), "folders are searched recursively")
