"""`fwtui report-bug`: an anonymised bundle for a bug report, shown before it is written."""

import sys
from datetime import datetime
from pathlib import Path

import click

from fwtui.cli.console import Console
from fwtui.cli.options import fwtui_command
from fwtui.config.locations import Locations
from fwtui.core.text import printable
from fwtui.errors import ExitCode


@fwtui_command("report-bug", click.Command)
@click.option(
    "--output",
    "-o",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    help="Zip file to write (default: fwtui-bug-TIME.zip in the current folder)",
)
@click.option("--yes", is_flag=True, help="Write the file without asking")
def command(output: Path | None, yes: bool) -> ExitCode:
    """Show versions, machine, settings, sessions and logs, and write them to a zip if you agree.

    Paths and the names of files, user and machine are replaced, and secrets are removed; please
    review the result all the same. Nothing is sent anywhere. Without a terminal the bundle is only
    shown, unless --yes is given.
    """
    from fwtui.report.bug_report import bundle_lines, collect_files, default_name, write_bundle

    console = Console()
    parts = collect_files(Locations.default())
    file = output or Path(default_name(datetime.now()))
    text = "\n".join(bundle_lines(parts))
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not yes
    if asks:
        click.echo_via_pager(text)
    else:
        click.echo(text)
    size = f"{len(parts)} parts, {len(text) // 1024 + 1} kB of text"
    name = printable(str(file))
    if asks and not click.confirm(f"Write this ({size}) to {name}?", err=True):
        console.always("nothing written")
    elif not asks and not yes:
        console.always(f"nothing written; to write this to {name}: fwtui report-bug --yes")
    else:
        write_bundle(file, parts)
        console.line(f"written to {name} ({size}); attach it to your report")
    return ExitCode.DONE
