"""`fwtui [PATHS]`: the screen."""

import asyncio
import gc
import glob
import os
import sys

import click

from fwtui.cli.logfile import close_log, log_event, open_log
from fwtui.cli.main import COMMANDS
from fwtui.cli.options import SettingsCommand, screen_options, settings_from
from fwtui.config.checks import usable
from fwtui.config.fields import Value
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, AnyCommand, Start
from fwtui.core.settings import Settings
from fwtui.errors import ExitCode, FwtuiError, UsageError


class ScreenCommand(SettingsCommand):
    """A command that is not named on the command line."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The usage as it is typed."""
        formatter.write_usage(ctx.find_root().command_path, "[OPTIONS] [PATHS]...")


@click.command(
    "tui",
    cls=ScreenCommand,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("paths", nargs=-1, type=click.Path())
@screen_options
@click.pass_context
def command(ctx: click.Context, /, paths: tuple[str, ...], **_: Value) -> ExitCode:
    """Open the screen, with these files and folders in the queue."""
    for path in paths:
        _check_exists(path)
    locations = Locations.default()
    settings = usable(settings_from(ctx, locations))
    if not has_terminal():
        raise FwtuiError("there is no terminal to draw on", "without one, use: fwtui run")
    return show(locations, settings, paths)


def has_terminal() -> bool:
    """Whether there is a terminal to read keys from and to draw on."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def show(
    locations: Locations, settings: Settings, paths: tuple[str, ...], *, start: bool = False
) -> ExitCode:
    """Open the screen and stay until it is left. `start`: begin without waiting for the key."""
    first: list[AnyCommand] = [AddPaths(paths)] if paths else []
    if start:
        first.append(Start())
    # Collecting garbage while hundreds of modules are imported is a fifth of the start-up time;
    # the app switches it on again after its first paint.
    gc.disable()
    os.environ.setdefault("TEXTUAL_FPS", "120")
    try:
        from fwtui.batch.workspace import Workspace
        from fwtui.config.own import load_keys, load_profiles
        from fwtui.tui.app import FwtuiApp
        from fwtui.tui.keymap import make_keymap

        keymap = make_keymap(load_keys(locations.config_file))
        profiles = load_profiles(locations.config_file)
        log_file = open_log(locations)
        app = FwtuiApp(
            Workspace(locations, [log_event]),
            settings,
            first,
            keymap=keymap,
            profiles=profiles,
            log_file=log_file,
        )
        asyncio.run(app.run_async())
    finally:
        gc.enable()
        close_log()
    if app.return_value is not None:
        return app.return_value
    return ExitCode.CANNOT_START if app.return_code else ExitCode.DONE


def _check_exists(path: str) -> None:
    if os.path.lexists(path) or glob.has_magic(path):
        return
    hint = f"options come after the command: fwtui {path} ..." if path in COMMANDS else ""
    raise UsageError(
        f"there is no file, folder or command called {path!r}", hint or "see: fwtui --help"
    )
