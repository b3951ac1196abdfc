"""Disk wait: pauses a batch until a disk has room again, or a drive or share is back."""

import asyncio
import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from fwtui.core.disk_errors import DiskArea, disk_failure
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.text import printable, size_text
from fwtui.disk.files import FILES, TEMP_SUFFIX, remove_quietly, storage_error, write_temp
from fwtui.disk.mounts import mount_points
from fwtui.errors import DiskFullError, FwtuiError, StorageError

CHECK_SECONDS = 2.0
MAX_CHECK_SECONDS = 64.0  # between checks, when resuming has failed again and again
SOON_SECONDS = 60.0
MOST_USELESS = 6  # waits in a row that seemed to be over, but were not: 2 + 4 + ... + 64 seconds
PROBE_BYTES = 64 << 10
ANSWER_SECONDS = 10.0

# Kinds of failures that stop the whole batch as long as their cause lasts.
_BLOCKING = (FailureKind.DISK_FULL, FailureKind.OUTPUT, FailureKind.INPUT_LOST)


def failure_of(error: FwtuiError | OSError, folder: Path) -> Failure:
    """The failure for an error with the disk of the session, which is in `folder`."""
    if isinstance(error, OSError):
        return disk_failure(DiskArea.STATE, error, path_to_text(_folder_of(error, folder)))
    if isinstance(error, StorageError) and isinstance(cause := error.__cause__, OSError):
        found = disk_failure(DiskArea.STATE, cause, error.place or path_to_text(folder))
        return replace(found, title=error.title, hint=error.hint, needed=error.needed)
    place, needed = (error.place, error.needed) if isinstance(error, StorageError) else ("", 0)
    kind = FailureKind.OUTPUT if place else FailureKind.INTERNAL
    if isinstance(error, DiskFullError):
        kind = FailureKind.DISK_FULL
    return Failure(kind, error.title, error.hint, "", place, needed)


def output_failure(error: FwtuiError | OSError, folder: Path) -> Failure:
    """The failure for an error with the outputs of a file, which are in `folder`."""
    if isinstance(error, OSError):
        named = error.filename if isinstance(error.filename, str) else os.fspath(folder)
        place = path_to_text(_folder_of(error, folder))
        error = storage_error(error, Path(named), "write")
        error.place = error.place and place
    kind = FailureKind.DISK_FULL if isinstance(error, DiskFullError) else FailureKind.OUTPUT
    place, needed = (error.place, error.needed) if isinstance(error, StorageError) else ("", 0)
    return Failure(kind, error.title, error.hint, "", place, needed)


def _folder_of(error: OSError, folder: Path) -> Path:
    """The folder to try out: that of the file in the error, which may be `folder` or above it."""
    if not isinstance(error.filename, str):
        return folder
    named = Path(error.filename)
    return named if folder.is_relative_to(named) else named.parent


def is_still_blocked(failure: Failure) -> bool:
    """Whether the cause of the failure still lasts. Blocks on the disk.

    False for a failure that concerns only one file.
    """
    if failure.kind not in _BLOCKING or not failure.place:
        return False
    path = text_to_path(failure.place)
    if failure.is_mount and str(path) not in mount_points():
        return True
    try:
        if failure.kind is FailureKind.INPUT_LOST:
            with path.open("rb") as file:
                file.read(1)
        elif _free(path) < failure.needed:
            return True
        else:
            _try_out(path, bytes(min(failure.needed, PROBE_BYTES) or 1))
    except (OSError, StorageError):
        return True
    return False


def _try_out(folder: Path, data: bytes) -> None:
    """Create, write, rename, read, list and delete a file there. Raises OSError, StorageError."""
    first = write_temp(folder / "room", data, owner=f"trial {os.getpid()}")
    second = first.with_suffix(f".2{TEMP_SUFFIX}")
    try:
        FILES.replace(first, second)
        first = second
        second.read_bytes()
        next(folder.iterdir(), None)
        FILES.unlink(second)
    except OSError:
        remove_quietly(first)
        raise


async def blocks_batch(failure: Failure) -> bool:
    """Whether the failure stops the whole batch; a share that does not answer soon does."""
    if failure.kind is FailureKind.DISK_FULL:
        return True  # even if the disk has room for a smaller file
    try:
        check = asyncio.to_thread(is_still_blocked, failure)
        return await asyncio.wait_for(check, ANSWER_SECONDS)
    except TimeoutError:
        return True


def _free(folder: Path) -> int:
    """Free bytes. Raises OSError if the folder has disappeared."""
    return shutil.disk_usage(folder).free


def with_wait_hint(failure: Failure) -> Failure:
    """The failure with a hint on what is missing and what happens next. Blocks on the disk."""
    hint = "The batch is paused. It resumes by itself once this is resolved, or when you start it"
    if failure.kind is FailureKind.DISK_FULL:
        with contextlib.suppress(OSError):
            hint = f"{shortage(failure, _free(text_to_path(failure.place)))}. {hint}"
    return replace(failure, hint=hint)


def shortage(failure: Failure, free: int) -> str:
    """How much room there is, is needed and is missing, for people."""
    folder = printable(str(text_to_path(failure.place)))
    if free >= failure.needed:
        return f"Free some space in {folder}"  # a quota, or there is room again by now
    needed, missing = size_text(failure.needed), size_text(failure.needed - free)
    return f"{size_text(free)} free in {folder}, {needed} needed: {missing} missing"


class DiskWait:
    """Waits in a thread until a failure's cause is resolved, then calls `resolved` there, once.

    `begin` and `end` belong to one thread. `failure` is None while nothing is waited for.
    """

    def __init__(self, resolved: Callable[[], None]) -> None:
        self.failure: Failure | None = None
        self._resolved = resolved
        self._stop = threading.Event()
        self._pause = CHECK_SECONDS
        self._ended = 0.0
        self._in_vain = 0

    def is_useless(self, failure: Failure) -> bool:
        """Whether a disk that passes every trial fails in use again and again: it is broken."""
        return self._in_vain >= MOST_USELESS and failure.kind is not FailureKind.DISK_FULL

    def begin(self, failure: Failure) -> None:
        """Wait until `failure` is resolved; check less often if the last wait ended recently."""
        self._stop.set()
        again = self._ended and time.monotonic() - self._ended < SOON_SECONDS
        self._in_vain = self._in_vain + 1 if again else 0
        self._pause = min(2 * self._pause, MAX_CHECK_SECONDS) if again else CHECK_SECONDS
        self.failure, self._stop = failure, threading.Event()
        # A daemon: a share that hangs must not keep fwtui from ending.
        arguments = (failure, self._stop, self._pause)
        threading.Thread(target=self._check, args=arguments, name="disk-wait", daemon=True).start()

    def end(self) -> None:
        """Stop waiting, whether resolved or not."""
        self._stop.set()
        if self.failure is not None:
            self.failure, self._ended = None, time.monotonic()

    def _check(self, failure: Failure, stop: threading.Event, pause: float) -> None:
        while not stop.wait(pause):
            if not is_still_blocked(failure):
                with contextlib.suppress(RuntimeError):  # the event loop is closed
                    self._resolved()
                return
