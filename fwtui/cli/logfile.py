"""The log file of the day in the state folder."""

import logging
import time
from datetime import datetime
from pathlib import Path

from fwtui.config.locations import Locations
from fwtui.core.display import printable
from fwtui.core.events import AnyEvent, Level, LogLine

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


def _delete_old(folder: Path) -> None:
    for file in folder.glob("*.log"):
        if time.time() - file.stat().st_mtime > KEPT_DAYS * 86400:
            file.unlink(missing_ok=True)
