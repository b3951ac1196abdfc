"""`fwtui unpause`: let a paused batch go on."""

import asyncio

import click

from fwtui.cli.console import Console, exit_code_help
from fwtui.cli.control import connected, find_batch, session_argument
from fwtui.core.commands import Start
from fwtui.core.events import BatchFinished, Phase
from fwtui.core.text import printable
from fwtui.errors import ExitCode

_ON = {Phase.RUNNING, Phase.WATCHING}


@click.command(
    "unpause",
    short_help="Let a paused batch go on.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@session_argument
def command(session_id: str) -> ExitCode:
    """Let a paused batch go on; one that was stopped on its screen starts again.

    SESSION_ID is needed only if several batches run.
    """
    asyncio.run(unpause(session_id, Console()))
    return ExitCode.DONE


async def unpause(session_id: str, console: Console) -> None:
    """Ask for it and wait until it goes on."""
    place = find_batch(session_id, "unpause")
    async with connected(place) as talk:
        if talk.phase not in _ON:
            talk.connection.write(Start())
            await talk.until(lambda event: talk.phase in _ON or isinstance(event, BatchFinished))
        words = "goes on" if talk.phase in _ON else "has nothing to do"
    console.line(f"session {printable(place.session_id)} {words}")
