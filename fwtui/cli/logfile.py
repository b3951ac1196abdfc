"""The log files in the state folder: one of the day for all, and one for each session.

Secrets are taken out of every line on its way into a file.
"""

import contextlib
import logging
import os
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from fwtui.config.locations import Locations
from fwtui.core.events import AnyEvent, BatchSnapshot, Level, LogLine, SettingsChanged
from fwtui.core.redact import redacted, secrets_in
from fwtui.core.settings import LogSettings
from fwtui.core.text import printable

FILE_BYTES = 10 * 2**20  # a longer file is followed by another
MOST_BYTES = 200 * 2**20  # of all log files together; the oldest go

_LEVELS: Mapping[str, int] = {
    Level.DEBUG: logging.DEBUG,
    Level.INFO: logging.INFO,
    Level.WARNING: logging.WARNING,
    Level.ERROR: logging.ERROR,
}
_logger = logging.getLogger("fwtui")


def open_log(locations: Locations, settings: LogSettings) -> Path | None:
    """Send what is logged by fwtui to the file of the day, and delete the oldest files.

    Returns the file, which is made with its first line; None if its folder cannot be made. A
    batch works without a log as well.
    """
    try:
        locations.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        _logger.addHandler(logging.NullHandler())
        return None
    delete_old(locations.logs, settings.keep_days)
    _logger.addHandler(DayFile(locations.logs, secrets_in(os.environ)))
    _logger.setLevel(_LEVELS[settings.level])
    _logger.propagate = False
    return day_file(locations.logs, datetime.now())


def close_log() -> None:
    """Close the file; what is logged afterwards is lost."""
    for handler in tuple(_logger.handlers):
        _logger.removeHandler(handler)
        handler.close()


def log_event(event: AnyEvent) -> None:
    """A listener that puts a batch's log lines into the file, as its settings say."""
    if isinstance(event, LogLine):
        _logger.log(_LEVELS[event.level], "%s", printable(event.text))
    elif isinstance(event, BatchSnapshot | SettingsChanged):
        _logger.setLevel(_LEVELS[event.settings.log.level])


def day_file(folder: Path, now: datetime) -> Path:
    """The file to write to on that day: the first one that is not full."""
    number = 1
    while True:
        file = folder / f"fwtui-{now:%Y%m%d}{f'-{number}' if number > 1 else ''}.log"
        if _size(file) < FILE_BYTES:
            return file
        number += 1


class DayFile(logging.Handler):
    """Writes each line to the `day_file` of its time.

    Several processes write to the same files at once, so none is ever renamed.
    """

    def __init__(self, folder: Path, secrets: Iterable[str]) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
        self._folder = folder
        self._secrets = tuple(secrets)
        self._day = ""
        self._descriptor = -1

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line. A log that cannot be written is done without."""
        text = redacted(self.format(record), self._secrets) + "\n"
        at = datetime.fromtimestamp(record.created)
        with contextlib.suppress(OSError):
            self._turn_to(at)
            os.write(self._descriptor, text.encode(errors="backslashreplace"))

    def _turn_to(self, at: datetime) -> None:
        day = f"{at:%Y%m%d}"
        is_full = self._descriptor >= 0 and os.fstat(self._descriptor).st_size >= FILE_BYTES
        if is_full or day != self._day:
            self._let_go()
            self._descriptor = _append_to(day_file(self._folder, at))
            self._day = day

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def close(self) -> None:
        """Close the file."""
        self._let_go()
        super().close()


class SessionLog:
    """A listener that puts a batch's log lines into the log file of its session.

    What is longer than `FILE_BYTES` becomes the part before, of which there is only one.
    """

    def __init__(self, locations: Locations) -> None:
        self._locations = locations
        self._secrets = secrets_in(os.environ)
        self._level = logging.DEBUG
        self._session_id = ""
        self._descriptor = -1

    def __call__(self, event: AnyEvent) -> None:
        """Take one event. A log that cannot be written is done without."""
        with contextlib.suppress(OSError):
            match event:
                case BatchSnapshot():
                    self._level = _LEVELS[event.settings.log.level]
                    self._open(event.session_id)
                case SettingsChanged():
                    self._level = _LEVELS[event.settings.log.level]
                case LogLine() if self._descriptor >= 0 and _LEVELS[event.level] >= self._level:
                    self._write(event)
                case _:
                    pass

    def _write(self, event: LogLine) -> None:
        if os.fstat(self._descriptor).st_size >= FILE_BYTES:
            self.close()
            file = self._locations.session_log(self._session_id)
            file.replace(self._locations.session_log_before(self._session_id))
            self._descriptor = _append_to(file)
        at = f"{event.at.astimezone():%Y-%m-%d %H:%M:%S}"
        text = redacted(printable(event.text), self._secrets)
        line = f"{at} {event.level.upper()} {text}\n"
        os.write(self._descriptor, line.encode(errors="backslashreplace"))

    def _open(self, session_id: str) -> None:
        self.close()
        self._session_id = session_id
        self._locations.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._descriptor = _append_to(self._locations.session_log(session_id))

    def close(self) -> None:
        """Close the file; lines that come later are lost."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def session_lines(locations: Locations, session_id: str) -> list[str]:
    """What the log files of a session hold; raises OSError if one cannot be read."""
    parts = locations.session_log_before(session_id), locations.session_log(session_id)
    texts = (part.read_text("utf-8", "backslashreplace") for part in parts if part.exists())
    return [line for text in texts for line in text.splitlines()]


def delete_old(folder: Path, days: int) -> None:
    """Delete log files that ended so many days ago, and the oldest of too many bytes."""
    total = 0
    with contextlib.suppress(OSError):
        found = [(file, file.stat()) for file in folder.glob("*.log")]
        for file, facts in sorted(found, key=lambda one: one[1].st_mtime, reverse=True):
            total += facts.st_size
            if time.time() - facts.st_mtime > days * 86400 or total > MOST_BYTES:
                with contextlib.suppress(OSError):  # on Windows one that is written to stays
                    file.unlink()


def _append_to(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
