"""`fwtui pause`: let a running batch rest."""

import asyncio

import click

from fwtui.cli.console import Console, exit_code_help
from fwtui.cli.control import connected, find_batch, session_argument
from fwtui.core.commands import Pause
from fwtui.core.events import Phase
from fwtui.core.text import printable
from fwtui.errors import ExitCode


@click.command(
    "pause",
    short_help="Let a running batch rest after its current window.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@session_argument
def command(session_id: str) -> ExitCode:
    """Let a running batch rest after its current window; the model stays in memory.

    SESSION_ID is needed only if several batches run. `fwtui unpause` lets it go on.
    """
    asyncio.run(pause(session_id, Console()))
    return ExitCode.DONE


async def pause(session_id: str, console: Console) -> None:
    """Ask for the pause and wait until it is accepted."""
    place = find_batch(session_id, "pause")
    name = printable(place.session_id)
    async with connected(place) as talk:
        if talk.phase is Phase.IDLE:
            console.line(f"session {name} is at rest already")
            return
        talk.connection.write(Pause())
        resting = {Phase.PAUSING, Phase.PAUSED, Phase.STOPPING, Phase.IDLE}
        if talk.phase not in resting:
            await talk.until(lambda _: talk.phase in resting)
    console.line(f"session {name} pauses after the current window; to go on: fwtui unpause")
