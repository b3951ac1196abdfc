"""`fwtui run`: a batch without the screen."""

import asyncio
import contextlib
import os
import re
import shlex
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec.structs import replace

from fwtui.cli.completing import session_ids
from fwtui.cli.console import Console
from fwtui.cli.jsonlines import JsonLines, unwritable_stdout
from fwtui.cli.logfile import SessionLog, close_log, log_event, open_log
from fwtui.cli.models import ensure_downloaded, ensure_speakers
from fwtui.cli.options import (
    OptionalValue,
    SettingsCommand,
    changes_from,
    fwtui_command,
    has_token,
    reporting_options,
    settings_from,
    settings_options,
)
from fwtui.cli.process import (
    TERMINAL_CLOSED,
    Listener,
    SignalActions,
    detach_terminal,
    drive,
    handle_signals,
    in_daemon_thread,
)
from fwtui.cli.progress import ProgressDisplay, RunRecord, failures, summary
from fwtui.cli.request import Request, check_links, files_from_options, names_from
from fwtui.cli.sessions import choose, has_session, mention_unfinished
from fwtui.config.fields import Value, apply
from fwtui.config.locations import Locations
from fwtui.config.overrides import from_overrides
from fwtui.config.sources import misspelt_variables
from fwtui.config.validate import validated
from fwtui.core.commands import AddPaths, AnyCommand, ChangeSettings, RetryJobs, Start
from fwtui.core.events import BatchFinished, Level
from fwtui.core.failure import FailureKind
from fwtui.core.job import Job
from fwtui.core.settings import Settings
from fwtui.core.text import left_out_text, printable
from fwtui.core.watched_folder import moves_text
from fwtui.errors import ExitCode, FwtuiError, MediaError, UsageError

if TYPE_CHECKING:
    from fwtui.batch.batch import Batch
    from fwtui.batch.discovery import Found, Problem
    from fwtui.core.session import Session
    from fwtui.sessions.store import SessionStore


T = TypeVar("T")
_SESSION_ID = re.compile(r"\d{8}_\d{6}(_\d+)?")


@dataclass(frozen=True)
class Intake:
    """The result of the one search of `paths`; `empty` are those without any media file.

    `roots`: all folders that files were found in; of nested ones, a file may belong to several.
    """

    paths: tuple[str, ...]
    found: "Found"
    roots: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to transcribe."""
        return not self.found.files and not self.found.links

    @property
    def inputs(self) -> tuple[str, ...]:
        """What is added to the queue; what cannot be read becomes a failed file."""
        found = self.found
        return *found.files, *(str(problem.path) for problem in found.problems), *found.links


@fwtui_command("run", SettingsCommand)
@click.argument("paths", nargs=-1, type=click.Path(readable=False))
@click.option(
    "--resume",
    cls=OptionalValue,
    bare="",
    fits=_SESSION_ID,
    metavar="[SESSION_ID]",
    shell_complete=session_ids,
    help="Resume an unfinished session, by default the newest",
)
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="OLD=NEW",
    help=r"With --resume: where a folder is on this machine: 'D:\Audio=/mnt/audio'",
)
@files_from_options
@reporting_options
@settings_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    paths: tuple[str, ...],
    files_from: tuple[str, ...],
    null: bool,
    resume: str | None,
    maps: tuple[str, ...],
    json: bool,
    verbose: bool,
    quiet: bool,
    detach: bool,
    **_: Value,
) -> ExitCode:
    """Transcribe files, folders (recursively), glob patterns and links (http, https).

    Transcripts are written to --output_dir, one set of files for each recording. Progress is shown
    on stderr. --resume continues an interrupted batch where it stopped, inside a file too.

    With --detach the batch runs in the background: its session ID is printed, and the exit code
    says only whether it started. `fwtui attach`, `status` and `stop` work on it. A batch whose
    terminal is closed continues in the background as well, unless --on_hangup is stop.
    """
    paths = (*paths, *names_from(files_from, null=null))
    if not paths and resume is None and files_from:
        raise UsageError(f"no names in {' and '.join(files_from)}", "one name per line is expected")
    if not paths and resume is None:
        raise UsageError("no files given", "for example: fwtui run recordings/ --model small")
    if maps and resume is None:
        raise UsageError("--map needs --resume", "a new batch is given its files directly")
    if has_token(ctx):
        Console(quiet=quiet).line("--hf_token is not needed: the models need no account")
    locations = Locations.default()
    if resume and os.path.lexists(resume) and not has_session(locations, resume):
        paths, resume = (resume, *paths), ""
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
    """Run the request, here or in the background, and report as the options say."""
    if verbose and quiet:
        raise UsageError("--verbose and --quiet cannot be used together")
    console, record = Console(quiet=quiet), RunRecord()
    if detach:
        if json or verbose:
            raise UsageError(
                "--detach cannot be used with --json or --verbose", "see: fwtui status --json"
            )
        return _detach(request, locations, console)
    session_log = SessionLog(locations)
    listeners: list[Listener] = [
        record,
        ProgressDisplay(console, record, verbose=verbose),
        log_event,
        session_log,
    ]
    lines = JsonLines() if json else None
    if lines is not None:
        listeners.append(lines)
    open_log(locations, request.settings.log)
    try:
        code = asyncio.run(run(request, locations, console, record, listeners))
        if lines is not None and record.finished is None and code is ExitCode.STOPPED:
            lines(BatchFinished(0, 0, 0, stopped=True, seconds=0.0))
    except (FwtuiError, OSError) as error:
        usage = isinstance(error, FwtuiError) and error.exit_code is ExitCode.USAGE
        usage = usage and not isinstance(error.__cause__, OSError)  # then it is a disk's
        if lines is not None and record.finished is None and not usage:
            lines(_not_started(error, locations))
        raise
    finally:
        if lines is not None:
            lines.close()
        session_log.close()
        close_log()
    return code if lines is None else _checked_output(lines, code, console)


def _checked_output(lines: JsonLines, code: ExitCode, console: Console) -> ExitCode:
    """The exit code of a batch whose events were written to stdout: not 0 if they were not."""
    if lines.error is None:
        return code
    console.error(unwritable_stdout(lines.error))
    return ExitCode.SOME_FAILED if code is ExitCode.DONE else code


def _not_started(error: FwtuiError | OSError, locations: Locations) -> BatchFinished:
    """The end of a batch that could not start."""
    from fwtui.core.disk_errors import DiskArea
    from fwtui.core.paths import path_to_text
    from fwtui.engine.classify import classify_exception

    failure = classify_exception(error, DiskArea.STATE, path_to_text(locations.sessions))
    return BatchFinished(0, 0, 0, stopped=True, seconds=0.0, failure=failure)


def _detach(request: Request, locations: Locations, console: Console) -> ExitCode:
    from fwtui.cli.background import start_background

    if request.resume is None:  # the background process can neither ask nor report
        prepared = asyncio.run(_prepare_detached(request, locations, console))
        if prepared is None:
            return ExitCode.STOPPED
        request = prepared
    started = start_background(request, locations)
    for line in started.notes.splitlines():
        console.line(line)
    console.line(
        f"the batch is running in the background (process {started.pid}); to see it: fwtui attach"
    )
    click.echo(started.session_id)
    return ExitCode.DONE


async def _prepare_detached(
    request: Request, locations: Locations, console: Console
) -> Request | None:
    """The request with the files that were found; None if a signal stopped it meanwhile."""

    async def prepare(preparation: RunPreparation) -> Request:
        intake = await preparation.search(request)
        _check_intake(request, intake, console)
        await ensure_downloaded((request.settings.model,), console)
        await ensure_speakers(request.settings, console)
        # From here on the background process has a session of its own.
        preparation.give_up()
        return replace(request, paths=intake.inputs, roots=intake.roots)

    preparation = RunPreparation(locations, console)
    return await preparation.run(lambda: prepare(preparation), request.settings.batch.on_hangup)


class RunPreparation:
    """What is done before there is a batch, with a session that a signal leaves to be resumed.

    `actions`: what signals do; those of the batch take over.
    """

    def __init__(self, locations: Locations, console: Console) -> None:
        self.actions = SignalActions(self._stop, self._hang_up)
        self.draft: SessionStore | None = None
        self.hung_up = False
        self._locations = locations
        self._console = console
        self._task: asyncio.Task[Any] | None = None
        self._may_continue = True

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]], on_hangup: str) -> T | None:
        """Do the work; None if a signal stopped it. `on_hangup` as the setting.

        Without a batch, and unless a signal stopped it, the session is deleted again.
        """
        self._may_continue = on_hangup == "continue"
        with handle_signals(self.actions):
            task: asyncio.Task[T] = asyncio.create_task(work())
            self._task = task
            try:
                return await task
            except asyncio.CancelledError:
                self._say_stopped()
                return None
            except BaseException:
                self.give_up()
                raise
            finally:
                if self.draft is not None:
                    self.draft.close()

    async def begin(self, request: Request) -> None:
        """Create the session of a new batch, before anything that may take long."""
        from fwtui.batch.workspace import Workspace

        workspace = Workspace(self._locations)
        self.draft = await workspace.draft(request.settings, request.paths)

    async def search(self, request: Request) -> Intake:
        """Look up the files that were asked for."""
        if request.paths and request.resume is None and not request.watch:
            await self.begin(request)
        return await in_daemon_thread(partial(find_files, request.paths))

    def give_up(self) -> None:
        """Delete the session again."""
        draft, self.draft = self.draft, None
        if draft is not None:
            with contextlib.suppress(FwtuiError):  # what led here matters more
                draft.delete()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _hang_up(self) -> bool:
        if self._may_continue:
            self.hung_up = True
            name = self.draft.session_id if self.draft else "preparation"
            detach_terminal(self._locations.session_log(name))
            self._console.leave()
        return self._may_continue

    def _say_stopped(self) -> None:
        name = f" {printable(self.draft.session_id)}" if self.draft else ""
        what = f"; to resume: fwtui run --resume{name}" if self.draft else ""
        self._console.always(f"stopped before the first file{what}")


def _check_intake(request: Request, intake: Intake, console: Console) -> None:
    """Mention paths without media files. Raise UsageError if there is nothing to do."""
    if intake.is_empty and request.resume is None and not request.watch:
        raise nothing_found(intake)
    if left_out := left_out_text(intake.found.left_out):
        console.line(f"note: left out: {printable(left_out)}")
    for path in intake.empty:
        console.line(f"note: no audio or video file found in {printable(path)}")
    for note in intake.found.notes:
        console.line(f"note: {printable(note)}")


async def run(
    request: Request,
    locations: Locations,
    console: Console,
    record: RunRecord,
    listeners: Sequence[Listener],
    *,
    background: bool = False,
) -> ExitCode:
    """Run the request; returns the exit code of its batch.

    `record` must be among the listeners. `background`: this process has no terminal.
    """
    preparation = RunPreparation(locations, console)

    async def work() -> ExitCode:
        intake = await preparation.search(request)
        _check_intake(request, intake, console)
        offered = None if background else console
        opened = await _open(locations, request, intake, console, offered, preparation)
        for name, close in misspelt_variables(os.environ):
            console.line(f"warning: {printable(name)} is not a setting; did you mean {close}?")
        parts = preparation, locations, console, record, listeners, background
        return await _run_batch(opened, *parts)

    code = await preparation.run(work, request.settings.batch.on_hangup)
    return ExitCode.STOPPED if code is None else code


async def _run_batch(
    opened: tuple["Batch", Settings, list[AnyCommand]],
    preparation: RunPreparation,
    locations: Locations,
    console: Console,
    record: RunRecord,
    listeners: Sequence[Listener],
    background: bool,
) -> ExitCode:
    """Run the batch to its end, and report it."""
    batch, settings, commands = opened

    def hang_up() -> bool:
        if batch.state.settings.batch.on_hangup == "stop":
            return False
        detach_terminal(locations.session_log(batch.session_id))
        console.leave()
        batch.go_to_background()
        batch.state.log(Level.INFO, TERMINAL_CLOSED)
        return True

    if background or preparation.hung_up:
        batch.go_to_background()
    if preparation.hung_up:
        batch.notices.append(TERMINAL_CLOSED)
    await drive(batch, commands, listeners, console, hang_up, preparation.actions)
    return conclude(record, settings, console)


def find_files(paths: tuple[str, ...]) -> Intake:
    """Search paths for media files, each found once; blocks on the disk.

    Raises FwtuiError for links if yt-dlp is not installed.
    """
    from collections import Counter

    from fwtui.batch.discovery import Found, find_media

    files: dict[str, str] = {}
    roots: dict[str, None] = {}
    problems: dict[Path, Problem] = {}
    links: dict[str, None] = {}
    notes: dict[str, None] = {}
    left_out = Counter[str]()
    empty: list[str] = []
    for path in paths:
        found = find_media([path])
        for file, root in zip(found.files, found.roots, strict=True):
            files.setdefault(file, root)
        roots |= dict.fromkeys(filter(None, found.roots))
        problems |= {problem.path: problem for problem in found.problems}
        links |= dict.fromkeys(found.links)
        notes |= dict.fromkeys(found.notes)
        left_out.update(dict(found.left_out))
        is_file = found.left_out and os.path.isfile(path)  # noqa: PTH113  bytes that are no text
        if not any((found.files, found.problems, found.links, is_file)):
            empty.append(path)
    check_links(links)
    everything = Found(
        tuple(files),
        tuple(problems.values()),
        tuple(files.values()),
        tuple(links),
        tuple(left_out.items()),
        tuple(notes),
    )
    return Intake(paths, everything, tuple(roots), tuple(empty))


def conclude(record: RunRecord, settings: Settings, console: Console) -> ExitCode:
    """Report how the batch ended; returns its exit code."""
    for line in failures(record):
        console.always(line)
    next_to_source = settings.output.output_layout == "source"
    folder = "the folders of their recordings" if next_to_source else settings.output.output_dir
    for line in summary(record, folder, console.times):
        console.line(line)
    if record.failure is not None and console.is_quiet:  # otherwise a log line has shown it
        console.error(FwtuiError(record.failure.title, record.failure.hint))
    session_id, counts = printable(record.view.session_id), record.view.counts
    if counts.unfinished:
        console.always(f"to resume: fwtui run --resume {session_id}")
    elif counts.failed:
        console.line(f"to retry: fwtui run --resume {session_id}")
    elif counts.cancelled:
        console.line(f"to resume what was cancelled: fwtui run --resume {session_id}")
    return record.exit_code


async def _open(
    locations: Locations,
    request: Request,
    intake: Intake,
    console: Console,
    offered: Console | None,
    preparation: RunPreparation,
) -> tuple["Batch", Settings, list[AnyCommand]]:
    """The batch, its settings, and the commands that start it.

    Missing models are downloaded if there is a console to show it on (`offered`).
    """
    from fwtui.batch.discovery import finder_of
    from fwtui.batch.workspace import Workspace

    workspace = Workspace(locations, find=finder_of(intake.paths, intake.found._replace(notes=())))
    await workspace.clean_up()
    listed = await workspace.incomplete()
    for problem in listed.problems:
        console.line(f"warning: {printable(problem)}")
    stored = listed.sessions
    if request.watch:
        from fwtui.cli.watch import open_watch

        settings = request.settings
        await _ensure_models(settings, (), offered)
        batch, begin = await open_watch(workspace, stored, request.watch, settings, console)
        return batch, settings, begin
    adding = [AddPaths(request.paths, request.roots or intake.roots)] if intake.inputs else []
    own = preparation.draft.session_id if preparation.draft else ""
    stored = tuple(one for one in stored if one.session.session_id != own)
    if request.resume is None:
        mention_unfinished(stored, console)
    elif chosen := choose(stored, request.resume, console):
        if chosen.session.touching and not request.may_move:
            await _allow_moves(chosen.session, ask=offered is not None)
        if request.maps:
            await workspace.remember(request.maps)
        mapped = await workspace.mapped(chosen)
        if mapped.missing:
            raise _missing_folders(mapped.missing)
        changed = validated(apply(mapped.session.settings, request.changes))
        settings = changed.with_user_settings_of(request.settings)
        changing = [ChangeSettings(settings)] if changed != mapped.session.settings else []
        again = tuple(job.id for job in chosen.session.to_retry)
        retrying = [RetryJobs(again)] if request.retry and again else []
        await _ensure_models(settings, mapped.session.jobs, offered, new=False)
        batch = await workspace.resume(chosen, request.settings)
        console.line(f"resuming session {printable(chosen.session.session_id)}")
        return batch, settings, [*changing, *retrying, *adding, Start()]
    elif not intake.inputs:
        raise UsageError("no unfinished session to resume", "give the files to transcribe")
    else:
        console.line("no unfinished session to resume: starting a new one")
    settings = validated(request.settings)
    await _ensure_models(settings, (), offered)
    draft, preparation.draft = preparation.draft, None  # the batch closes it
    return await workspace.start(settings, draft=draft), settings, [*adding, Start()]


async def _ensure_models(
    settings: Settings, jobs: Sequence[Job], console: Console | None, *, new: bool = True
) -> None:
    """Check the settings, and download missing models, those of files with their own included.

    `new`: a new session, for which nothing was written yet. Raises FwtuiError.
    """
    from fwtui.batch.start_checks import REFUSED_AT_ONCE, check_start
    from fwtui.memory.measure import MemoryMeter

    refused = REFUSED_AT_ONCE if new else ()
    await asyncio.to_thread(check_start, settings, MemoryMeter().count_gpus, refused)
    own = [
        from_overrides(job.settings).model for job in jobs if job.settings and not job.is_finished
    ]
    models = tuple(dict.fromkeys((settings.model, *own)))
    await ensure_downloaded(models, console)
    await ensure_speakers(settings, console)
    await asyncio.to_thread(check_start, settings, MemoryMeter().count_gpus, refused)


async def _allow_moves(session: "Session", *, ask: bool) -> None:
    """Ask whether a resumed session may move or tag recordings; raise UsageError if not."""
    lines = [printable(text) for text in map(moves_text, session.touching)]
    question = f"session {printable(session.session_id)} {'; '.join(lines)}. Resume it?"
    if ask and sys.stdin.isatty() and sys.stderr.isatty():
        confirm = partial(click.confirm, question, default=False, err=True)
        if await in_daemon_thread(confirm):
            return
    names = " ".join(shlex.quote(printable(one.path)) for one in session.touching)
    raise UsageError(
        f"session {printable(session.session_id)} {'; '.join(lines)}",
        f"to allow that, name the folders: fwtui watch {names} --after {session.touching[0].after}",
    )


def _maps(texts: tuple[str, ...]) -> Mapping[str, str]:
    if not texts:
        return {}
    from fwtui.sessions.remap import parse_map

    return dict(parse_map(text) for text in texts)


def _missing_folders(folders: Sequence[str]) -> UsageError:
    names = " and ".join(printable(folder) for folder in folders)
    options = " ".join(f"--map '{printable(folder)}=FOLDER'" for folder in folders)
    return UsageError(
        f"the session's files were in {names}, which cannot be found",
        f"say where they are now: fwtui run --resume {options}",
    )


def nothing_found(intake: Intake) -> FwtuiError:
    """The error for paths without any media file, or on disks that have failed."""
    reasons = [str(problem.failure) for problem in intake.found.problems]
    if intake.empty:
        reasons.insert(0, f"no audio or video file found in: {', '.join(intake.empty)}")
    if left_out := left_out_text(intake.found.left_out):
        reasons.append(f"left out: {left_out}")
    lost = [one for one in intake.found.problems if one.failure.kind != FailureKind.FILE_MISSING]
    if lost and not intake.empty:
        return MediaError(printable("; ".join(reasons)))
    return UsageError(printable("; ".join(reasons)), "folders are searched recursively")
