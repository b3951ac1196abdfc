"""The program `fwtui`: its commands, loaded when they are used, and what happens to errors."""

import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import click

from fwtui import __version__
from fwtui.cli.console import Console, fill_standard_streams
from fwtui.cli.exits import exit_code_help
from fwtui.cli.jsonlines import forget_stdout
from fwtui.errors import ExitCode, FwtuiError

COMMANDS = {
    "run": "Transcribe without a screen: for scripts, ssh and cron.",
    "watch": "Transcribe what comes into folders, until it is stopped.",
    "demo": "Transcribe the embedded clips with the embedded model.",
    "models": "List, download, look into and remove models.",
    "doctor": "Check this machine: every problem with its fix.",
    "bench": "Measure which settings are fastest on this machine.",
    "attach": "Open the screen on a batch that runs in the background.",
    "status": "What the running batches do, and how the last one ended.",
    "pause": "Let a running batch rest after its current window.",
    "unpause": "Let a paused batch go on.",
    "add": "Add files to a running batch.",
    "stop": "Stop a running batch; it can be resumed.",
    "sessions": "List interrupted sessions, look into one, or discard some.",
    "config": "The settings file, and where each value comes from.",
    "report-bug": "Put an anonymous bundle for a bug report together.",
}
"""Name of each command (and of its module) and its short help."""

_SCREEN = "tui"
_OWN = {"-h", "--help", "--version"}


class Program(click.Group):
    """A group that imports a command when it is called, and takes paths to the screen."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names that can be typed."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now."""
        if cmd_name != _SCREEN and cmd_name not in COMMANDS:
            return None
        found = import_module(f"fwtui.cli.{cmd_name.replace('-', '_')}").command
        return found if isinstance(found, click.Command) else None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Everything that does not begin with a command's name is for the screen."""
        if not args or args[0] not in COMMANDS.keys() | _OWN:
            args = [_SCREEN, *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Both ways to call it."""
        name = ctx.command_path
        formatter.write_usage(name, "[OPTIONS] [PATHS]...")
        formatter.write_usage(name, "COMMAND [OPTIONS] [ARGS]...", prefix="       ")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands with their short helps, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Program,
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="fwtui", message="%(prog)s %(version)s")
def program() -> None:
    """Transcribe audio and video with faster-whisper, and lose nothing.

    Without a command it opens the screen, with the files and folders given as PATHS in the
    queue. It takes the same options as `fwtui run`: see `fwtui run --help`. A folder that is
    called like a command is written ./run.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    fill_standard_streams()
    console = Console()
    try:
        result = program.main(
            None if arguments is None else list(arguments), "fwtui", standalone_mode=False
        )
        sys.stdout.flush()
        return int(result or ExitCode.DONE)
    except FwtuiError as error:
        console.error(error)
        return error.exit_code
    except click.ClickException as error:
        console.error(FwtuiError(error.format_message(), _see(error)))
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        console.always("stopped")
        return ExitCode.STOPPED
    except BrokenPipeError:
        forget_stdout()
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - the outermost frame: nothing may pass unrecorded
        return unexpected(error, console)


def _see(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None or context.info_name not in COMMANDS:
        return "see: fwtui --help"
    return f"see: {context.command_path} --help"


def unexpected(error: Exception, console: Console) -> ExitCode:
    """Keep the traceback in a log file, and say in one line where it is."""
    from fwtui.config.locations import Locations
    from fwtui.core.redact import redacted, secrets_in

    text = "".join(traceback.format_exception(error))
    now = datetime.now(UTC)
    log = Locations.default().logs / f"crash-{now:%Y%m%d-%H%M%S-%f}.log"
    try:
        command = shlex.join(sys.argv)
        whole = f"fwtui {__version__}, Python {sys.version}\n{command}\n{text}"
        _write(log, redacted(whole, secrets_in(os.environ)))
    except OSError:
        console.always(text)
        where = "the traceback is above"
    else:
        where = f"the traceback is in {log}"
    console.always(f"fwtui: this is a mistake in fwtui: {type(error).__name__}; {where}")
    return ExitCode.CANNOT_START


def _write(log: Path, text: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text, encoding="utf-8", errors="backslashreplace")
