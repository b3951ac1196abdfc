"""`fwtui doctor`: what keeps this machine from working well, and what to do about it."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from fwtui.cli.console import Console, exit_code_help
from fwtui.config.locations import Locations
from fwtui.errors import ExitCode

if TYPE_CHECKING:
    from fwtui.doctor.results import CheckResult


@click.command(
    "doctor",
    short_help="Check this machine: every problem with its fix.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--json", is_flag=True, help="All findings as one JSON object on stdout")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    default=5.0,
    metavar="NUMBER",
    help="Longest time for the self-test  [default: 5]",
)
def command(json: bool, seconds: float) -> ExitCode:
    """Look at Python, packages, settings, processor, memory, GPUs, models, disks, terminal.

    At the end a real engine transcribes an embedded clip with the embedded model, and its words
    are checked. The exit code is 0 when there is nothing to do, 1 when there are warnings, 4 when
    something keeps fwtui from working.
    """
    from fwtui.doctor.results import exit_code, summary, worst

    console = Console()
    findings = asyncio.run(_examine(seconds, console, tell=not json))
    level = worst(findings)
    if json:
        document = {"level": level, "findings": findings}
        click.echo(msgspec.json.format(msgspec.json.encode(document)))
    else:
        console.line(summary(findings))
    return exit_code(level)


async def _examine(seconds: float, console: Console, *, tell: bool) -> list["CheckResult"]:
    from fwtui.doctor.examine import Doctor
    from fwtui.doctor.verdicts import lines

    findings: list[CheckResult] = []
    doctor = Doctor(Locations.default(), seconds, check_keys)
    console.live("looking ...")
    async for finding in doctor.examine():
        group = findings[-1].group if findings else ""
        findings.append(finding)
        if tell:
            console.clear()
            for line in lines([finding]):
                if line != group:
                    click.echo(line)
            console.live("looking ...")
    console.clear()
    return findings


def check_keys(file: Path) -> None:
    """Raises ConfigError for a wrong `[keys]`."""
    from fwtui.config.sources import load_keys

    if keys := load_keys(file):
        from fwtui.tui.keymap import make_keymap

        make_keymap(keys)
