"""`fwtui report-bug`: a bundle for a bug report, shown before it is written."""

import sys
from datetime import datetime
from pathlib import Path

import click

from fwtui.cli.console import Console, exit_code_help
from fwtui.config.locations import Locations
from fwtui.core.text import printable
from fwtui.errors import ExitCode


@click.command(
    "report-bug",
    short_help="Put an anonymous bundle for a bug report together.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The zip to write (default: fwtui-bug-TIME.zip here)",
)
@click.option("--yes", is_flag=True, help="Write it without asking")
def command(output: Path | None, yes: bool) -> ExitCode:
    """Show versions, machine, settings, sessions and logs, then write them to a zip if you agree.

    Paths, names of files, of the user and of the machine are replaced, and secrets taken out; look
    through it all the same. Nothing is sent anywhere. Without a terminal it is only shown, unless
    --yes is given.
    """
    from fwtui.report.bug_report import default_name, gather, shown, write_bundle

    console = Console()
    parts = gather(Locations.default())
    file = output or Path(default_name(datetime.now()))
    text = "\n".join(shown(parts))
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not yes
    if asks:
        click.echo_via_pager(text)
    else:
        click.echo(text)
    size = f"{len(parts)} parts, {len(text) // 1024 + 1} kB of text"
    name = printable(str(file))
    if asks and not click.confirm(f"Write this ({size}) to {name}?", err=True):
        console.always("nothing was written")
    elif not asks and not yes:
        console.always(f"nothing was written; to write this to {name}: fwtui report-bug --yes")
    else:
        write_bundle(file, parts)
        console.line(f"written to {name} ({size}): add it to your report")
    return ExitCode.DONE
