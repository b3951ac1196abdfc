"""`fwtui stop`: end a running batch; it can be resumed."""

import asyncio

import click

from fwtui.cli.console import Console, exit_code_help
from fwtui.cli.control import connected, find_batch, session_argument
from fwtui.cli.progress import counts
from fwtui.core.events import BatchFinished, Phase
from fwtui.core.text import printable
from fwtui.errors import ExitCode


@click.command(
    "stop",
    short_help="Stop a running batch; it can be resumed.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@session_argument
def command(session_id: str) -> ExitCode:
    """Stop a running batch at once, and end the process that works on it.

    Nothing that was finished is lost: `fwtui run --resume` goes on inside the file. A batch on
    somebody's screen is stopped, its screen stays. The stopped batch ends with exit code 3 if
    something is left to do, this command with 0. SESSION_ID is needed only if several batches run.
    """
    asyncio.run(stop(session_id, Console()))
    return ExitCode.DONE


async def stop(session_id: str, console: Console) -> None:
    """Stop it and wait until its session is let go."""
    from fwtui.batch.remote.protocol import End

    place = find_batch(session_id, "stop")
    name = printable(place.session_id)
    async with connected(place) as talk:
        talk.connection.write(End())
        if talk.connection.welcome.where != "screen":
            await talk.until_end()
        elif talk.phase is not Phase.IDLE:
            await talk.until(lambda event: isinstance(event, BatchFinished))
        console.line(f"stopped session {name}: {', '.join(counts(talk.tally))}")
        if talk.tally.unfinished:
            console.line(f"to go on: fwtui run --resume {name}")
