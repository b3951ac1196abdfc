"""The program `fwtui`, and what happens to its errors.

Imports little, so that files are looked up as soon as possible, beside all other imports.
"""

import os
import sys
from collections.abc import Mapping, Sequence

from fwtui.batch.prefetch import Ahead
from fwtui.cli.console import Console, fill_standard_streams
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
    "completion": "The script for tab completion in bash, zsh or fish.",
}
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
