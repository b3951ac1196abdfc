"""`fwtui doctor`: checks of this machine, with a fix for each problem."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from fwtui.cli.console import Console
from fwtui.cli.options import fwtui_command
from fwtui.config.locations import Locations
from fwtui.errors import ExitCode

if TYPE_CHECKING:
    from fwtui.doctor.results import CheckResult


@fwtui_command("doctor", click.Command)
@click.option("--json", is_flag=True, help="Print all results as one JSON object on stdout")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    default=5.0,
    metavar="NUMBER",
    help="Time limit of the self-test  [default: 5]",
)
def command(json: bool, seconds: float) -> ExitCode:
    """Check Python, packages, settings, processor, memory, GPUs, models, disks and terminal.

    Finally, a real engine transcribes a bundled clip with the bundled model, and the transcript is
    compared. The exit code is 0 without problems, 1 with warnings, and 4 if fwtui cannot work.
    """
    from fwtui.doctor.results import exit_code, summary, worst

    console = Console()
    results = asyncio.run(_examine(seconds, console, show=not json))
    level = worst(results)
    if json:
        document = {"level": level, "findings": results}
        click.echo(msgspec.json.format(msgspec.json.encode(document)))
    else:
        console.line(summary(results))
    return exit_code(level)


async def _examine(seconds: float, console: Console, *, show: bool) -> list["CheckResult"]:
    from fwtui.doctor.examine import Doctor
    from fwtui.doctor.verdicts import lines

    results: list[CheckResult] = []
    doctor = Doctor(Locations.default(), seconds, check_keys)
    console.live("checking")
    async for result in doctor.examine():
        group = results[-1].group if results else ""
        results.append(result)
        if show:
            console.clear()
            for line in lines([result]):
                if line != group:
                    click.echo(line)
            console.live("checking")
    console.clear()
    return results


def check_keys(file: Path) -> None:
    """Raise ConfigError if `[keys]` is not valid."""
    from fwtui.config.sources import load_keys

    if keys := load_keys(file):
        from fwtui.tui.keymap import make_keymap

        make_keymap(keys)
