"""What a whole batch has to wait for: room on a disk, a drive or share that is back."""

import asyncio
import contextlib
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.paths import text_to_path
from fwtui.core.text import printable
from fwtui.disk.files import remove_quietly, write_temp
from fwtui.errors import DiskFullError, FwtuiError, StorageError

LOOK_SECONDS = 2.0
LONGEST_LOOK = 64.0  # seconds between looks, when going on has failed again and again
SOON = 60.0
PROBE_BYTES = 64 << 10
ANSWER_SECONDS = 10.0


_OBSTACLES = (FailureKind.DISK_FULL, FailureKind.OUTPUT, FailureKind.INPUT_LOST)


def failure_of(error: FwtuiError) -> Failure:
    """Trouble with the session's own disk, as a failure."""
    place, needed = (error.place, error.needed) if isinstance(error, StorageError) else ("", 0)
    kind = FailureKind.OUTPUT if place else FailureKind.INTERNAL
    if isinstance(error, DiskFullError):
        kind = FailureKind.DISK_FULL
    return Failure(kind, error.title, error.hint, "", place, needed)


def stands(failure: Failure) -> bool:
    """Whether the obstacle behind the failure is still there. Blocks on the disk.

    False as well for a failure that is one file's own.
    """
    if failure.kind not in _OBSTACLES or not failure.place:
        return False
    place = text_to_path(failure.place)
    try:
        if failure.kind is FailureKind.INPUT_LOST:
            with place.open("rb") as file:
                file.read(1)
        elif _free(place) < failure.needed:
            return True
        else:
            remove_quietly(write_temp(place / "room", bytes(min(failure.needed, PROBE_BYTES) or 1)))
    except (OSError, StorageError):
        return True
    return False


async def blocks_batch(failure: Failure) -> bool:
    """As `stands`, without waiting long for a share that does not answer: that is an obstacle."""
    if failure.kind is FailureKind.DISK_FULL:
        return True  # also where the disk would take a smaller file
    try:
        return await asyncio.wait_for(asyncio.to_thread(stands, failure), ANSWER_SECONDS)
    except TimeoutError:
        return True


def _free(place: Path) -> int:
    """Bytes; raises OSError if the folder has gone."""
    return shutil.disk_usage(place).free


def alert(failure: Failure) -> Failure:
    """The failure with how much is missing, and what happens next. Blocks on the disk."""
    hint = "The batch waits, and goes on by itself when that is over, or when you start it"
    if failure.kind is FailureKind.DISK_FULL:
        with contextlib.suppress(OSError):
            hint = f"{shortage(failure, _free(text_to_path(failure.place)))}. {hint}"
    return Failure(failure.kind, failure.title, hint, failure.detail, failure.place, failure.needed)


def shortage(failure: Failure, free: int) -> str:
    """How much room there is, how much is needed and how much is missing, in words."""
    place = printable(str(text_to_path(failure.place)))
    if free >= failure.needed:
        return f"Free some space in {place}"  # a quota, or somebody made room meanwhile
    missing = failure.needed - free
    return (
        f"{_size(free)} free in {place}, {_size(failure.needed)} needed: {_size(missing)} missing"
    )


def _size(count: int) -> str:
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


class Waiting:
    """Waits, in a thread of its own, until an obstacle is gone; then calls `gone` once, there.

    `begin` and `end` belong to one thread.
    """

    def __init__(self, gone: Callable[[], None]) -> None:
        self.failure: Failure | None = None
        self._gone = gone
        self._stop = threading.Event()
        self._pause = LOOK_SECONDS
        self._ended = 0.0

    def begin(self, failure: Failure) -> None:
        """Look until `failure` is no obstacle any more, the less often the sooner it comes back."""
        self._stop.set()
        again = time.monotonic() - self._ended < SOON and self._ended
        self._pause = min(2 * self._pause, LONGEST_LOOK) if again else LOOK_SECONDS
        self.failure, self._stop = failure, threading.Event()
        # A daemon: a share that hangs must not keep fwtui from ending.
        arguments = (failure, self._stop, self._pause)
        threading.Thread(target=self._look, args=arguments, name="waiting", daemon=True).start()

    def end(self) -> None:
        """Whatever it was, do not wait any longer."""
        self._stop.set()
        if self.failure is not None:
            self.failure, self._ended = None, time.monotonic()

    def _look(self, failure: Failure, stop: threading.Event, pause: float) -> None:
        while not stop.wait(pause):
            if not stands(failure):
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                    self._gone()
                return
