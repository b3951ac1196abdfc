"""Paths of the files of a session."""

import re
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.disk.files import is_present, storage_error
from fwtui.errors import StorageError

ID_FORMAT = "%Y%m%d_%H%M%S"
QUARANTINE = "quarantine"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class SessionFiles(msgspec.Struct, frozen=True):
    """Paths of one session's files. Ids are untrusted input: raises StorageError for a bad one."""

    directory: Path
    session_id: str

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.session_id):
            raise StorageError(f"Not a session ID: {self.session_id!r}")

    @property
    def snapshot(self) -> Path:
        """The session file: everything up to the last compaction."""
        return self.directory / f"{self.session_id}.json"

    @property
    def journal(self) -> Path:
        """Changes since the last compaction, and the windows of unfinished files."""
        return self.directory / f"{self.session_id}.journal"

    @property
    def lock(self) -> Path:
        """Lock held by the fwtui that works on the session; contains its host and process id."""
        return self.directory / f"{self.session_id}.lock"

    def exists(self) -> bool:
        """Whether there is such a session. Raises StorageError if that cannot be found out."""
        return _is_there(self.snapshot)

    def has_journal(self) -> bool:
        """Whether there is a journal of that name. Raises as `exists`."""
        return _is_there(self.journal)

    @property
    def quarantine(self) -> Path:
        """Folder for unreadable sessions."""
        return self.directory / QUARANTINE


def _is_there(path: Path) -> bool:
    try:
        return is_present(path, follow=True)
    except OSError as error:
        raise storage_error(error, path, "read") from error


def local_time(moment: datetime) -> datetime:
    """The moment as in session files: local time without a zone, in whole seconds."""
    if moment.tzinfo is not None:
        moment = moment.astimezone().replace(tzinfo=None)
    return moment.replace(microsecond=0)
