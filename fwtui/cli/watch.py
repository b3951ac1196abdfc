"""`fwtui watch`: transcribe new recordings in folders until stopped."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click
from msgspec.structs import replace

from fwtui.cli.console import Console
from fwtui.cli.options import (
    SettingsCommand,
    Switch,
    fwtui_command,
    reporting_options,
    settings_from,
    settings_options,
)
from fwtui.cli.request import Request
from fwtui.cli.run import perform
from fwtui.config.fields import Value
from fwtui.config.locations import Locations
from fwtui.config.validate import validated
from fwtui.core.commands import AnyCommand, ChangeSettings, RetryJobs, Start
from fwtui.core.paths import expand_home, path_to_text
from fwtui.core.settings import Settings
from fwtui.core.text import printable
from fwtui.core.watched_folder import After, Existing, Poll, WatchedFolder
from fwtui.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from fwtui.batch.batch import Batch
    from fwtui.batch.workspace import Workspace
    from fwtui.sessions.catalog import StoredSession

_USUAL = WatchedFolder(path="")


class Seconds(click.FloatRange):
    """Seconds in a range; what is not a number is in none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The value as a number."""
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not in the range {self._describe_range()}.", param, ctx)
        return seconds


@fwtui_command("watch", SettingsCommand)
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(readable=False)
)
@click.option(
    "--include",
    multiple=True,
    metavar="PATTERN",
    help="Transcribe only matching files, such as '*.wav'",
)
@click.option(
    "--exclude", multiple=True, metavar="PATTERN", help="Ignore matching files and folders"
)
@click.option(
    "--existing",
    type=click.Choice(get_args(Existing)),
    default=_USUAL.existing,
    show_default=True,
    help="Files that exist when a folder is first watched: transcribe (take) or ignore them",
)
@click.option(
    "--settle",
    type=Seconds(min=0, max=86400),
    default=_USUAL.settle_seconds,
    show_default=True,
    metavar="SECONDS",
    help="A file is complete when unchanged for this long",
)
@click.option(
    "--poll",
    type=click.Choice(get_args(Poll)),
    default=_USUAL.poll,
    show_default=True,
    help="Detect changes by polling instead of system events; auto: on network shares",
)
@click.option(
    "--poll_seconds",
    type=Seconds(min=0.1, max=86400),
    default=_USUAL.poll_seconds,
    show_default=True,
    metavar="SECONDS",
    help="Interval of polling",
)
@click.option(
    "--after",
    type=click.Choice(get_args(After)),
    default=_USUAL.after,
    show_default=True,
    help="What to do with a recording once it is transcribed",
)
@click.option(
    "--move_to",
    type=click.Path(readable=False),
    metavar="DIR",
    help="Target folder of --after move  [default: transcribed, in the watched folder]",
)
@click.option(
    "--forget",
    cls=Switch,
    default=False,
    help="Forget which files were transcribed from these folders",
)
@reporting_options
@settings_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    folders: tuple[str, ...],
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    existing: Existing,
    settle: float,
    poll: Poll,
    poll_seconds: float,
    after: After,
    move_to: str | None,
    forget: bool,
    json: bool,
    verbose: bool,
    quiet: bool,
    detach: bool,
    **_: Value,
) -> ExitCode:
    """Transcribe the recordings in folders and their subfolders, and new ones as they arrive.

    A file is transcribed once it is complete, and only once: its content is recognised under any
    name and after restarts. Ctrl-C or `fwtui stop` stops watching. The same command later resumes
    the remaining files and finds those that arrived in between.
    """
    from fwtui.watch.processed import one_folder

    locations = Locations.default()
    kind = WatchedFolder(
        path="",
        include=include,
        exclude=exclude,
        existing=existing,
        settle_seconds=settle,
        poll=poll,
        poll_seconds=poll_seconds,
        after=after,
        move_to=path_to_text(_absolute(move_to)) if move_to else "",
    )
    given = (one_folder(replace(kind, path=_path(one)), locations.watched) for one in folders)
    watched = tuple({folder.path: _checked(folder) for folder in given}.values())
    _prepare(watched, locations, forget=forget)
    request = Request(
        paths=(), settings=validated(settings_from(ctx, locations)), watch=watched, changes={}
    )
    return perform(request, locations, json=json, verbose=verbose, quiet=quiet, detach=detach)


def _absolute(folder: str) -> Path:
    return expand_home(folder).absolute()


def _path(folder: str) -> str:
    path = _absolute(folder)
    if not path.is_dir():
        raise UsageError(f"folder {folder} not found", "give an existing folder")
    return path_to_text(path)


def _checked(folder: WatchedFolder) -> WatchedFolder:
    from fwtui.watch.actions import can_tag

    if folder.after == "tag" and not can_tag:
        raise UsageError("this system cannot tag files", "use --after move")
    if folder.move_to and folder.after != "move":
        raise UsageError("--move_to needs --after move", "add --after move")
    if folder.target == folder.path:
        raise UsageError("--move_to is the watched folder itself", "choose another folder")
    return folder


def _prepare(folders: Iterable[WatchedFolder], locations: Locations, *, forget: bool) -> None:
    from fwtui.watch.processed import check_not_watched, forget_folder

    for folder in folders:
        check_not_watched(locations.watched, folder.path)
        if forget:
            forget_folder(locations.watched, folder.path)


async def open_watch(
    workspace: "Workspace",
    sessions: Iterable["StoredSession"],
    folders: tuple[WatchedFolder, ...],
    settings: Settings,
    console: Console,
) -> tuple["Batch", list[AnyCommand]]:
    """A batch that watches the folders, and the commands that start it.

    It resumes the newest session not in use that watched one of them.
    """
    paths = {folder.path for folder in folders}
    known = workspace.locations.watched
    stored = next(
        (one for one in sessions if one.in_use is None and _shares(one, paths, known)), None
    )
    if stored is None:
        return await workspace.start(settings, folders), [Start()]
    session = stored.session
    changing = [ChangeSettings(settings)] if _differs(settings, session.settings) else []
    again = tuple(job.id for job in session.to_retry)
    retrying = [RetryJobs(again)] if again else []
    batch = await workspace.resume(stored, settings, folders)
    console.line(f"resuming session {printable(session.session_id)}")
    return batch, [*changing, *retrying, Start()]


def _differs(settings: Settings, stored: Settings) -> bool:
    """Whether they differ in settings that a session stores."""
    return settings != stored.with_user_settings_of(settings)


def _shares(stored: "StoredSession", paths: set[str], known: Path) -> bool:
    from fwtui.watch.processed import one_folder

    return any(one_folder(folder, known).path in paths for folder in stored.session.folders)
