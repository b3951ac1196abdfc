"""Records unexpected errors, which are bugs in fwtui."""

import os
import shlex
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from fwtui import __version__
from fwtui.cli.console import Console
from fwtui.config.locations import Locations
from fwtui.core.redact import redacted, secrets_in
from fwtui.errors import ExitCode, StorageError


def record_crash(error: Exception, console: Console) -> ExitCode:
    """Write the traceback to a log file, and print one line that says where it is."""
    text = "".join(traceback.format_exception(error))
    now = datetime.now(UTC)
    try:
        log = Locations.default().logs / f"crash-{now:%Y%m%d-%H%M%S-%f}.log"
        command = shlex.join(sys.argv)
        entry = f"fwtui {__version__}, Python {sys.version}\n{command}\n{text}"
        _write(log, redacted(entry, secrets_in(os.environ)))
    except (OSError, StorageError):
        console.always(text)
        where = "the traceback is above"
    else:
        where = f"the traceback is in {log}"
    console.always(f"fwtui: this is a bug in fwtui: {type(error).__name__}; {where}")
    return ExitCode.CANNOT_START


def _write(log: Path, text: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text, encoding="utf-8", errors="backslashreplace")
