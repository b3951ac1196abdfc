"""Log files in the state folder: one for each day, and one for each session.

Secrets are removed from every line.
"""

import contextlib
import errno
import logging
import os
import shlex
import stat
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from fwtui import __version__
from fwtui.cli.console import Console
from fwtui.config.locations import Locations
from fwtui.core.events import AnyEvent, BatchSnapshot, Level, LogLine, SettingsChanged
from fwtui.core.redact import redacted, secrets_in
from fwtui.core.settings import LogSettings
from fwtui.core.text import printable
from fwtui.disk.files import read_regular
from fwtui.errors import ExitCode, StorageError

FILE_BYTES = 10 * 2**20  # then another file begins
TOTAL_BYTES = 200 * 2**20  # of all log files; the oldest are deleted

_LEVELS: Mapping[str, int] = {
    Level.DEBUG: logging.DEBUG,
    Level.INFO: logging.INFO,
    Level.WARNING: logging.WARNING,
    Level.ERROR: logging.ERROR,
}
_logger = logging.getLogger("fwtui")


def open_log(locations: Locations, settings: LogSettings) -> Path | None:
    """Send fwtui's log to the file of the day, and delete old files.

    Returns the file, which is created with its first line; None if its folder cannot be created: a
    batch works without a log.
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
    """Close the file; later messages are lost."""
    for handler in tuple(_logger.handlers):
        _logger.removeHandler(handler)
        handler.close()


def log_event(event: AnyEvent) -> None:
    """Log the messages of a batch at the level of its settings; a listener of its events."""
    if isinstance(event, LogLine):
        _logger.log(_LEVELS[event.level], "%s", printable(event.text))
    elif isinstance(event, BatchSnapshot | SettingsChanged):
        _logger.setLevel(_LEVELS[event.settings.log.level])


def day_file(folder: Path, now: datetime) -> Path:
    """The file of that day: the first that is not full."""
    number = 1
    while True:
        file = folder / f"fwtui-{now:%Y%m%d}{f'-{number}' if number > 1 else ''}.log"
        if _size(file) < FILE_BYTES:
            return file
        number += 1


class DayFile(logging.Handler):
    """Writes each line to the `day_file` of its time.

    Several processes write to the same files, so none is ever renamed.
    """

    def __init__(self, folder: Path, secrets: Iterable[str]) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
        self._folder = folder
        self._secrets = tuple(secrets)
        self._day = ""
        self._descriptor = -1

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; errors are ignored."""
        text = redacted(self.format(record), self._secrets) + "\n"
        at = datetime.fromtimestamp(record.created)
        with contextlib.suppress(OSError):
            self._open_file_of(at)
            os.write(self._descriptor, text.encode(errors="backslashreplace"))

    def _open_file_of(self, at: datetime) -> None:
        day = f"{at:%Y%m%d}"
        is_full = self._descriptor >= 0 and os.fstat(self._descriptor).st_size >= FILE_BYTES
        if is_full or day != self._day:
            self._close_file()
            self._descriptor = _append_to(day_file(self._folder, at))
            self._day = day

    def _close_file(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def close(self) -> None:
        """Close the file."""
        self._close_file()
        super().close()


class SessionLog:
    """Writes the messages of a batch to the log file of its session; a listener of its events.

    A file that has reached `FILE_BYTES` replaces the one before, of which only one is kept.
    """

    def __init__(self, locations: Locations) -> None:
        self._locations = locations
        self._secrets = secrets_in(os.environ)
        self._level = logging.DEBUG
        self._session_id = ""
        self._descriptor = -1

    def __call__(self, event: AnyEvent) -> None:
        """Write one event; errors are ignored."""
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
        """Close the file; later messages are lost."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


_LARGEST = 1 << 26  # bytes; log files are a tenth of that


def session_lines(locations: Locations, session_id: str) -> list[str]:
    """The lines of a session's log files; raises OSError if one cannot be read."""
    parts = locations.session_log_before(session_id), locations.session_log(session_id)
    data = (read_regular(part, _LARGEST) for part in parts if os.path.lexists(part))
    texts = (part.decode(errors="backslashreplace") for part in data)
    return [line for text in texts for line in text.splitlines()]


def delete_old(folder: Path, days: int) -> None:
    """Delete log files older than `days`, and the oldest beyond `TOTAL_BYTES`."""
    total = 0
    with contextlib.suppress(OSError):
        found = [(file, file.stat()) for file in folder.glob("*.log")]
        for file, facts in sorted(found, key=lambda one: one[1].st_mtime, reverse=True):
            total += facts.st_size
            if time.time() - facts.st_mtime > days * 86400 or total > TOTAL_BYTES:
                with contextlib.suppress(OSError):  # on Windows an open file cannot be deleted
                    file.unlink()


def _append_to(file: Path) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(file, flags, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "Not a regular file", os.fspath(file))
    return descriptor


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


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
