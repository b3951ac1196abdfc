"""The program `fwtui`: its arguments, its errors and its exit code.

Imports little, so that the search for files starts early, beside all other imports.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fwtui.batch.prefetch import Prefetch
from fwtui.cli.command_table import COMMANDS
from fwtui.cli.console import Console, fill_standard_streams
from fwtui.errors import ExitCode, FwtuiError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    fill_standard_streams()
    console = Console()
    try:
        result = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return int(result or ExitCode.DONE)
    except FwtuiError as error:
        console.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        console.always("stopped")
        return ExitCode.STOPPED
    except BrokenPipeError:
        from fwtui.cli.jsonlines import discard_stdout

        discard_stdout()
        return ExitCode.DONE
    except OSError as error:
        if (explained := _explained(error)) is None:
            return _crashed(error, console)
        console.error(explained)
        return explained.exit_code
    except Exception as error:  # noqa: BLE001 - the outermost frame records every bug
        return _crashed(error, console)


def _crashed(error: Exception, console: Console) -> int:
    from fwtui.cli.logfile import record_crash

    return record_crash(error, console)


def _explained(error: OSError) -> FwtuiError | None:
    """The error of a disk in words; None if it can only be a bug."""
    from fwtui.cli.jsonlines import discard_stdout, unwritable_stdout
    from fwtui.core.disk_errors import DiskErrorKind, disk_hint, kind_of, reason_of
    from fwtui.disk.files import access_hint

    if not error.filename and _was_printing(error):
        discard_stdout()  # Python writes what is left when it ends
        return unwritable_stdout(error)
    if kind_of(error) is DiskErrorKind.OTHER:
        return None
    if not error.filename and _fails(os.getcwd):
        return FwtuiError(
            "The folder that fwtui was started in no longer exists",
            "Change to another one: relative names, and the settings that name a folder this way,"
            " mean nothing here.",
        )
    if not isinstance(error.filename, str):
        return FwtuiError(reason_of(error), disk_hint(error))
    hint = access_hint(Path(error.filename)) if kind_of(error) is DiskErrorKind.REFUSED else ""
    return FwtuiError(f"{error.filename}: {reason_of(error)}", hint or disk_hint(error))


def _was_printing(error: OSError) -> bool:
    """Whether it was raised by a write to stdout: all of them are made by click, or here."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__") if trace is not None else None
    return module in {"click.utils", __name__}


def _fails(call: Callable[[], object]) -> bool:
    try:
        call()
    except OSError:
        return True
    return False


def _run(arguments: Sequence[str]) -> int | None:
    if are_paths(arguments, os.environ):
        paths = tuple(arguments)
        with Prefetch(paths) as prefetch:
            from fwtui.cli.screen import open_screen

            return open_screen(paths, prefetch.find)
    from fwtui.cli.program import run_command

    return run_command(arguments)


def are_paths(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether there are only files, folders and links for the screen.

    It then starts sooner, without importing the parser and its options.
    """
    if "_FWTUI_COMPLETE" in environ or (arguments and arguments[0] in COMMANDS):
        return False
    return not any(argument.startswith("-") for argument in arguments)
