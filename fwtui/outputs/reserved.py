"""Names of outputs that running sessions use, so that none overwrites another's.

The later session uses other names: when it adds a file, when it starts, and when its output folder
is changed. Sessions that are not running reserve no names.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from fwtui.core.paths import expand_home, path_to_text, text_to_path
from fwtui.disk.lock import SessionLock, holder_of
from fwtui.errors import SessionInUseError, StorageError
from fwtui.sessions.load import load
from fwtui.sessions.session_files import SessionFiles

LOCK_NAME = "names.lock"
# Seconds after which another fwtui that holds the lock must be stuck.
PATIENCE = 10.0
_PAUSE = 0.05


class NameReservation:
    """A lock with which one fwtui at a time chooses names that the others do not use."""

    def __init__(self, sessions: Path) -> None:
        self._path = sessions.parent / LOCK_NAME
        self._lock: SessionLock | None = None

    def begin(self) -> None:
        """Acquire the lock; continue without it if that takes too long."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            try:
                self._lock = SessionLock.acquire(self._path)
                return
            except SessionInUseError:
                time.sleep(_PAUSE)
            except StorageError:
                return

    def end(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def names_of_other_sessions(sessions: Path, own: str, output_dir: str) -> dict[str, str]:
    """Case-folded names of the outputs of other running sessions, each with its session.

    Each as an absolute path, and relative to `output_dir` if it is inside. Never raises: a session
    that cannot be read reserves no names.
    """
    found: dict[str, str] = {}
    ours = _real(output_dir)
    for path in _snapshots(sessions):
        if path.stem == own:
            continue
        with contextlib.suppress(StorageError):
            paths = SessionFiles(sessions, path.stem)
            if holder_of(paths.lock) is None:
                continue
            content = load(paths).content
            theirs = _real(content.view.settings.output.output_dir)
            for job in content.view.jobs.values():
                found |= dict.fromkeys(_names(job.stem, theirs, ours), path.stem)
    return found


def _names(stem: str, theirs: str, ours: str) -> Iterator[str]:
    """The names of an output in the folder `theirs`: absolute, and relative to `ours`."""
    whole = path_to_text((Path(theirs) / text_to_path(stem)).as_posix())
    yield whole.casefold()
    if theirs == ours:
        yield stem.casefold()
    elif whole.startswith(f"{ours}/"):
        yield whole.removeprefix(f"{ours}/").casefold()


def _snapshots(sessions: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(path for path in sessions.iterdir() if path.suffix == ".json")
    return []


def _real(folder: str) -> str:
    return Path(os.path.realpath(expand_home(folder))).as_posix().rstrip("/")
