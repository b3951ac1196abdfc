"""The program `fwtui`, and what happens to its errors.

Imports little, so that files are looked up as soon as possible, beside all other imports.
"""

import os
import sys
from collections.abc import Mapping, Sequence

from fwtui.batch.prefetch import Ahead
from fwtui.cli.command_table import COMMANDS
from fwtui.cli.console import Console, fill_standard_streams
from fwtui.errors import ExitCode, FwtuiError

"""Name of each command (and of its module) and its short help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    fill_standard_streams()
    console = Console()
    try:
        result = _obey(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return int(result or ExitCode.DONE)
    except FwtuiError as error:
        console.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        console.always("stopped")
        return ExitCode.STOPPED
    except BrokenPipeError:
        from fwtui.cli.jsonlines import forget_stdout

        forget_stdout()
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - the outermost frame: nothing may pass unrecorded
        from fwtui.cli.crash import unexpected

        return unexpected(error, console)


def _obey(words: Sequence[str]) -> int | None:
    if are_paths(words, os.environ):
        paths = tuple(words)
        with Ahead(paths) as ahead:
            from fwtui.cli.screen import open_screen

            return open_screen(paths, ahead)
    from fwtui.cli.program import call

    return call(words)


def are_paths(words: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether there are only files, folders and links for the screen.

    Then the parser and its options need not be imported, which is seen when it starts.
    """
    if "_FWTUI_COMPLETE" in environ or (words and words[0] in COMMANDS):
        return False
    return not any(word.startswith("-") for word in words)
