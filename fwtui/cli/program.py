"""The click program: its commands, each imported only when called."""

import contextlib
import gc
import itertools
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import click

from fwtui import __version__
from fwtui.cli.command_table import COMMANDS, CommandEntry
from fwtui.cli.console import exit_code_help
from fwtui.errors import UsageError

_SCREEN = "tui"
_SCREEN_ENTRY = CommandEntry(_SCREEN, "command", "Open the screen.")
_OWN = {"-h", "--help", "--version"}


class ReaderGone(Exception):
    """Nobody reads stdout any more."""


@contextlib.contextmanager
def _readers_may_go() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error


class Program(click.Group):
    """A group that imports a command when it is called, and opens the screen for paths."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command."""
        if cmd_name != _SCREEN and cmd_name not in COMMANDS:
            return None
        entry = COMMANDS.get(cmd_name, _SCREEN_ENTRY)
        found = getattr(import_module(f"fwtui.cli.{entry.module}"), entry.attribute)
        gc.enable()  # disabled in `__main__`; the screen disables it again while it imports
        return found if isinstance(found, click.Command) else None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Pass everything that does not begin with a command to the screen."""
        if not args or args[0] not in COMMANDS.keys() | _OWN:
            args = ["run" if _resumes(args) else _SCREEN, *args]
        return super().parse_args(ctx, args)

    def make_context(self, *arguments: Any, **attributes: Any) -> click.Context:
        """Parse the arguments, as `invoke`: the help is shown meanwhile."""
        with _readers_may_go():
            return super().make_context(*arguments, **attributes)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. A reader that has gone is no error: click would exit with 1."""
        with _readers_may_go():
            return super().invoke(ctx)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Both ways to call the program."""
        name = ctx.command_path
        formatter.write_usage(name, "[OPTIONS] [PATHS]...")
        formatter.write_usage(name, "COMMAND [OPTIONS] [ARGS]...", prefix="       ")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands with their summaries, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


def _resumes(arguments: Sequence[str]) -> bool:
    """Whether a session is to be resumed, which is what `fwtui run` does."""
    options = itertools.takewhile(lambda argument: argument != "--", arguments)
    return any(option == "--resume" or option.startswith("--resume=") for option in options)


@click.group(
    cls=Program,
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="fwtui", message="%(prog)s %(version)s")
def program() -> None:
    """Transcribe audio and video with faster-whisper, and lose nothing.

    Without a command, fwtui opens its screen with PATHS (files, folders, links) in the queue. The
    options are those of `fwtui run`: see `fwtui run --help`. `fwtui --resume` is
    `fwtui run --resume`. For a folder with the name of a
    command, write ./run.
    """


def run_command(arguments: Sequence[str]) -> int | None:
    """Run a command line; returns the exit code. Raises FwtuiError, KeyboardInterrupt."""
    try:
        code: int | None = program.main(list(arguments), "fwtui", standalone_mode=False)
    except click.ClickException as error:
        raise UsageError(error.format_message(), _see(error)) from error
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except ReaderGone as error:
        raise BrokenPipeError from error
    return code


def _see(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None or context.info_name not in COMMANDS:
        return "see: fwtui --help"
    return f"see: {context.command_path} --help"
