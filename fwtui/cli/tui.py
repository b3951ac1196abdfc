"""`fwtui [PATHS]`: the screen."""

import click

from fwtui.batch.prefetch import Prefetch
from fwtui.cli.completing import first_word
from fwtui.cli.options import HELP_OPTIONS, SettingsCommand, screen_options, settings_from
from fwtui.cli.screen import open_screen
from fwtui.config.fields import Value
from fwtui.errors import ExitCode


@click.command("tui", cls=SettingsCommand, unnamed=True, context_settings=HELP_OPTIONS)
@click.argument("paths", nargs=-1, type=click.Path(readable=False), shell_complete=first_word)
@screen_options
@click.pass_context
def command(ctx: click.Context, /, paths: tuple[str, ...], **_: Value) -> ExitCode:
    """Open the screen with these files, folders and links in the queue."""
    with Prefetch(paths) as prefetch:
        return open_screen(paths, prefetch.find, lambda locations: settings_from(ctx, locations))
