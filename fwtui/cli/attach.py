"""`fwtui attach`: the screen on a batch of another process."""

import asyncio
from typing import TYPE_CHECKING

import click

from fwtui.batch.prefetch import Ahead
from fwtui.cli.console import exit_code_help
from fwtui.cli.control import connected, find_batch, session_argument
from fwtui.cli.screen import has_terminal, show
from fwtui.config.locations import Locations
from fwtui.config.sources import make_layers, merge_layers
from fwtui.errors import ExitCode, FwtuiError

if TYPE_CHECKING:
    from fwtui.batch.remote.endpoints import Place


@click.command(
    "attach",
    short_help="Open the screen on a batch that runs in the background.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@session_argument
def command(session_id: str) -> ExitCode:
    """Open the screen on a running batch: its queue, transcript, log and memory, with all keys.

    q leaves the screen and lets the batch go on; S stops the batch. Several screens can look at
    one batch. SESSION_ID is needed only if several batches run.
    """
    place = find_batch(session_id, "attach")
    if not has_terminal():
        raise FwtuiError("there is no terminal to draw on", "without one, use: fwtui status")
    asyncio.run(_check(place))
    locations = Locations.default()
    settings = merge_layers(make_layers(locations.config_file))  # the screen is the user's own
    with Ahead(()) as ahead:
        return show(locations, settings, (), ahead, attach=place)


async def _check(place: "Place") -> None:
    """Raise LinkError before the screen is drawn, not on it."""
    async with connected(place):
        return
