"""`fwtui run`: a batch without a screen."""

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
import msgspec

from fwtui.cli.arguments import OptionalValue, Switch
from fwtui.cli.checks import usable, warnings
from fwtui.cli.console import Console
from fwtui.cli.exits import exit_code_help
from fwtui.cli.headless import Listener, drive
from fwtui.cli.jsonlines import JsonLines
from fwtui.cli.options import SettingsCommand, given, settings_from, settings_options
from fwtui.cli.progress import Progress
from fwtui.cli.sessions import choose, hint
from fwtui.cli.tally import Tally, failures, summary
from fwtui.cli.text import printable
from fwtui.config.fields import Value, apply
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, AnyCommand, ChangeSettings, RetryJobs, Start
from fwtui.core.failure import Failure
from fwtui.core.settings import Settings
from fwtui.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from fwtui.batch.runner import BatchRunner
    from fwtui.batch.workspace import Workspace

_SESSION_ID = re.compile(r"\d{8}_\d{6}\S*")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    `settings` are for a new batch; `changes` are those that were named on the command line, and
    go over the settings of a resumed one. `resume`: None: no; empty: the newest; else its id.
    """

    paths: tuple[str, ...]
    settings: Settings
    changes: Mapping[str, Value] = {}
    resume: str | None = None
    json: bool = False
    verbose: bool = False


class Intake(msgspec.Struct, frozen=True):
    """The files that the paths led to, what could not be read, and which paths led to none."""

    files: tuple[str, ...] = ()
    problems: tuple[Failure, ...] = ()
    empty: tuple[str, ...] = ()


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
    help="Go on with an unfinished session, the newest one if no id is given",
)
@click.option("--json", cls=Switch, default=False, help="One JSON object per event on stdout")
@click.option("--verbose", cls=Switch, default=False, help="Show segments and the log on stderr")
@click.option("--quiet", cls=Switch, default=False, help="Nothing on stderr but errors")
@settings_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    paths: tuple[str, ...],
    resume: str | None,
    json: bool,
    verbose: bool,
    quiet: bool,
    **_: Value,
) -> ExitCode:
    """Transcribe files, folders (recursively) and glob patterns.

    Progress goes to stderr. The transcripts are written to --output_dir, one set of files for
    each media file. An interrupted batch goes on where it was with --resume.
    """
    if not paths and resume is None:
        raise UsageError("no files given", "for example: fwtui run recordings/ --model small")
    if verbose and quiet:
        raise UsageError("--verbose and --quiet contradict each other")
    locations = Locations.default()
    request = Request(
        paths=paths,
        settings=usable(settings_from(ctx, locations)),
        changes=given(ctx),
        resume=resume,
        json=json,
        verbose=verbose,
    )
    return asyncio.run(run(request, locations, Console(quiet=quiet)))


async def run(request: Request, locations: Locations, console: Console) -> ExitCode:
    """Do what the request says; the exit code tells what became of it."""
    intake = await asyncio.to_thread(find_files, request.paths)
    if not intake.files and request.resume is None:
        raise _nothing_found(intake)
    for problem in intake.problems:
        console.always(f"fwtui: {printable(str(problem))}")
    for path in intake.empty:
        console.line(f"note: no audio or video file found in {printable(path)}")
    from fwtui.batch.workspace import Workspace

    runner, settings, commands = await _open(Workspace(locations), request, intake, console)
    for warning in warnings(settings):
        console.line(f"warning: {warning}")
    tally, lines = Tally(), JsonLines() if request.json else None
    progress = Progress(console, tally, verbose=request.verbose)
    listeners: list[Listener] = [tally, progress, *([lines] if lines else [])]
    await drive(runner, commands, listeners, console)
    if lines:
        await asyncio.to_thread(lines.close)
    return conclude(tally, settings, console, problems=bool(intake.problems))


def find_files(paths: tuple[str, ...]) -> Intake:
    """The media files that the paths lead to, each once; blocks on the disk."""
    from fwtui.batch.intake import find_media

    files: dict[str, None] = {}
    problems: list[Failure] = []
    empty: list[str] = []
    for path in paths:
        found = find_media([path])
        files |= dict.fromkeys(str(file) for file in found.files)
        problems += [problem.failure for problem in found.problems]
        if not found.files and not found.problems:
            empty.append(path)
    return Intake(tuple(files), tuple(problems), tuple(empty))


def conclude(
    tally: Tally, settings: Settings, console: Console, *, problems: bool = False
) -> ExitCode:
    """Tell what became of the batch, and return it as an exit code."""
    code = tally.exit_code(problems=problems)
    for line in failures(tally):
        console.always(line)
    for line in summary(tally, settings.output.output_dir):
        console.line(line)
    if code is ExitCode.STOPPED:
        console.always(f"to go on: fwtui run --resume {printable(tally.session_id)}")
    elif code is ExitCode.SOME_FAILED and tally.failed:
        console.line(f"to try again: fwtui run --resume {printable(tally.session_id)}")
    return code


async def _open(
    workspace: "Workspace", request: Request, intake: Intake, console: Console
) -> tuple["BatchRunner", Settings, list[AnyCommand]]:
    """A runner, the settings it works with, and the commands that set it going."""
    stored = (await workspace.incomplete()).sessions
    adding = [AddPaths(intake.files)] if intake.files else []
    if request.resume is None:
        hint(stored, console)
    elif chosen := choose(stored, request.resume, console):
        settings = usable(apply(chosen.session.settings, request.changes))
        changing = [ChangeSettings(settings)] if settings != chosen.session.settings else []
        retrying = [RetryJobs(tuple(job.id for job in chosen.session.failed))]
        runner = await workspace.resume(chosen)
        console.line(f"resuming session {printable(chosen.session.session_id)}")
        return runner, settings, [*changing, *retrying, *adding, Start()]
    elif not intake.files:
        raise UsageError("there is no unfinished session to resume", "give the files to transcribe")
    else:
        console.line("there is no unfinished session to resume: starting a new one")
    return await workspace.start(request.settings), request.settings, [*adding, Start()]


def _nothing_found(intake: Intake) -> UsageError:
    reasons = [str(problem) for problem in intake.problems]
    if intake.empty:
        reasons.insert(0, f"no audio or video file found in: {', '.join(intake.empty)}")
    return UsageError(printable("; ".join(reasons)), "folders are searched recursively")
