"""`fwtui watch`: transcribe what comes into folders, until it is stopped."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click
from msgspec.structs import replace

from fwtui.cli.arguments import Switch
from fwtui.cli.console import Console
from fwtui.cli.exits import exit_code_help
from fwtui.cli.options import SettingsCommand, settings_from, settings_options, telling_options
from fwtui.cli.run import Request, perform
from fwtui.config.checks import usable
from fwtui.config.fields import Value
from fwtui.config.locations import Locations
from fwtui.core.commands import AnyCommand, ChangeSettings, RetryJobs, Start
from fwtui.core.display import printable
from fwtui.core.paths import expand_home, path_to_text
from fwtui.core.settings import Settings
from fwtui.core.watch import After, Existing, Poll, WatchedFolder
from fwtui.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from fwtui.batch.remote.shared import SharedBatch
    from fwtui.batch.workspace import Workspace
    from fwtui.storage.sessions import StoredSession

_USUAL = WatchedFolder(path="")


@click.command(
    "watch",
    cls=SettingsCommand,
    short_help="Transcribe what comes into folders, until it is stopped.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--include", multiple=True, metavar="PATTERN", help="Take only files like this, as '*.wav'"
)
@click.option(
    "--exclude", multiple=True, metavar="PATTERN", help="Leave files or folders like this out"
)
@click.option(
    "--existing",
    type=click.Choice(get_args(Existing)),
    default=_USUAL.existing,
    show_default=True,
    help="What is there when a folder is watched for the first time: take or ignore it",
)
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=_USUAL.settle_seconds,
    show_default=True,
    metavar="SECONDS",
    help="A file is complete when it has not changed for so long",
)
@click.option(
    "--poll",
    type=click.Choice(get_args(Poll)),
    default=_USUAL.poll,
    show_default=True,
    help="Look instead of being told by the system; auto: on network shares",
)
@click.option(
    "--poll_seconds",
    type=click.FloatRange(min=0.1),
    default=_USUAL.poll_seconds,
    show_default=True,
    metavar="SECONDS",
    help="When looking: how often",
)
@click.option(
    "--after",
    type=click.Choice(get_args(After)),
    default=_USUAL.after,
    show_default=True,
    help="What happens to a file when its transcript is there",
)
@click.option(
    "--move_to",
    type=click.Path(),
    metavar="DIR",
    help="With --after move: where to  [default: transcribed, in the watched folder]",
)
@click.option(
    "--forget", cls=Switch, default=False, help="Begin as if the folders were never watched"
)
@telling_options
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
    """Transcribe the recordings in folders and all below them, and those that come later.

    A file is taken when it is complete, and once: by its content, under whatever name, over all
    restarts. Ctrl-C or `fwtui stop` ends the watch. The same command goes on with what was left,
    and finds what came meanwhile.
    """
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
        move_to=path_to_text(_whole(move_to)) if move_to else "",
    )
    watched = tuple(_checked(replace(kind, path=_path(folder))) for folder in folders)
    _prepare(watched, locations, forget=forget)
    request = Request(
        paths=(), settings=usable(settings_from(ctx, locations)), watch=watched, changes={}
    )
    return perform(request, locations, json=json, verbose=verbose, quiet=quiet, detach=detach)


def _whole(folder: str) -> Path:
    return expand_home(folder).absolute()


def _path(folder: str) -> str:
    path = _whole(folder)
    if not path.is_dir():
        raise UsageError(f"there is no folder {folder}", "name a folder that is there")
    return path_to_text(path)


def _checked(folder: WatchedFolder) -> WatchedFolder:
    from fwtui.watch.after import can_tag

    if folder.after == "tag" and not can_tag:
        raise UsageError("files cannot be tagged on this system", "use --after move")
    if folder.move_to and folder.after != "move":
        raise UsageError("--move_to is for --after move", "add --after move")
    if folder.target == folder.path:
        raise UsageError("--move_to is the watched folder itself", "name another one")
    return folder


def _prepare(folders: Iterable[WatchedFolder], locations: Locations, *, forget: bool) -> None:
    from fwtui.storage.taken import check_free, forget_all

    for folder in folders:
        check_free(locations.watched, folder.path)
        if forget:
            forget_all(locations.watched, folder.path)


async def open_watch(
    workspace: "Workspace",
    sessions: Iterable["StoredSession"],
    folders: tuple[WatchedFolder, ...],
    settings: Settings,
    console: Console,
) -> tuple["SharedBatch", list[AnyCommand]]:
    """A batch that watches the folders, and the commands that set it going.

    It goes on with the newest free session that watched one of them.
    """
    paths = {folder.path for folder in folders}
    stored = next((one for one in sessions if one.in_use is None and _shares(one, paths)), None)
    if stored is None:
        return await workspace.start(settings, folders), [Start()]
    session = stored.session
    changing = [ChangeSettings(settings)] if _differs(settings, session.settings) else []
    retrying = [RetryJobs(tuple(job.id for job in session.failed))] if session.failed else []
    batch = await workspace.resume(stored, settings, folders)
    console.line(f"going on with session {printable(session.session_id)}")
    return batch, [*changing, *retrying, Start()]


def _differs(settings: Settings, stored: Settings) -> bool:
    """Whether they differ in what a session keeps."""
    return settings != stored.with_own_of(settings)


def _shares(stored: "StoredSession", paths: set[str]) -> bool:
    return any(folder.path in paths for folder in stored.session.folders)
