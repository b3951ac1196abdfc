"""The log file of the day in the state folder."""

import contextlib
import logging
import os
import time
from datetime import datetime
from pathlib import Path

from fwtui.config.locations import Locations
from fwtui.core.display import printable
from fwtui.core.events import AnyEvent, BatchSnapshot, Level, LogLine

KEPT_DAYS = 30

_LEVELS = {
    Level.DEBUG: logging.DEBUG,
    Level.INFO: logging.INFO,
    Level.WARNING: logging.WARNING,
    Level.ERROR: logging.ERROR,
}
_logger = logging.getLogger("fwtui")


def open_log(locations: Locations) -> Path | None:
    """Send everything logged by fwtui to the file of the day, and delete the oldest ones.

    Returns the file, which is made with its first line; None if its folder cannot be made. A
    batch works without a log as well.
    """
    file = locations.logs / f"fwtui-{datetime.now():%Y%m%d}.log"
    try:
        locations.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        _delete_old(locations.logs)
    except OSError:
        _logger.addHandler(logging.NullHandler())
        return None
    handler = logging.FileHandler(file, encoding="utf-8", delay=True, errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    _logger.addHandler(handler)
    _logger.setLevel(logging.DEBUG)
    _logger.propagate = False
    return file


def close_log() -> None:
    """Close the file; what is logged afterwards is lost."""
    for handler in tuple(_logger.handlers):
        _logger.removeHandler(handler)
        handler.close()


def log_event(event: AnyEvent) -> None:
    """A listener that puts a batch's log lines into the file."""
    if isinstance(event, LogLine):
        _logger.log(_LEVELS[event.level], "%s", printable(event.text))


class SessionLog:
    """A listener that puts a batch's log lines into the log file of its session."""

    def __init__(self, locations: Locations) -> None:
        self._locations = locations
        self._descriptor = -1

    def __call__(self, event: AnyEvent) -> None:
        """Take one event. A log that cannot be written is done without."""
        with contextlib.suppress(OSError):
            if isinstance(event, BatchSnapshot):
                self._open(self._locations.session_log(event.session_id))
            elif isinstance(event, LogLine) and self._descriptor >= 0:
                at = f"{event.at.astimezone():%Y-%m-%d %H:%M:%S}"
                line = f"{at} {event.level.upper()} {printable(event.text)}\n"
                os.write(self._descriptor, line.encode(errors="backslashreplace"))

    def _open(self, file: Path) -> None:
        self.close()
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def close(self) -> None:
        """Close the file; lines that come later are lost."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _delete_old(folder: Path) -> None:
    for file in folder.glob("*.log"):
        if time.time() - file.stat().st_mtime > KEPT_DAYS * 86400:
            file.unlink(missing_ok=True)
