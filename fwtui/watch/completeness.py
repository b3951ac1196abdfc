"""When a file is complete. Pure: observations and clocks are arguments."""

import os
import sys
from collections.abc import Iterable
from typing import NamedTuple

from fwtui.core.paths import text_to_path

# The resolution of times on disk; only a later rename or chmod can be told from the last write.
TIME_RESOLUTION = 20_000_000  # ns


class Observation(NamedTuple):
    """A file at one moment: size in bytes, times of change in ns, device and inode."""

    size: int
    modified: int
    changed: int
    inode: tuple[int, int]

    def is_unchanged_from(self, other: "Observation") -> bool:
        """Whether nothing was written since the other observation."""
        return (self.size, self.modified) == (other.size, other.modified)


class Clocks(NamedTuple):
    """One moment: monotonic seconds, and ns since the epoch."""

    monotonic: float
    epoch: int


def complete_in(
    seen: Observation, since: float, now: Clocks, settle: float, *, local: bool, renamed: bool
) -> float | None:
    """Seconds until a file that does not change counts as complete; None if waiting cannot help.

    `since` is the monotonic time of the first such observation. `renamed`: it had the name of an
    unfinished file before. `local`: its times come from this machine's clock, and a rename changes
    only `changed`, so that a file that was complete before it was moved here is known at once.
    """
    if seen.size == 0:
        return None  # a placeholder, or not started yet
    if renamed or settle <= 0:
        return 0.0
    left = settle - (now.monotonic - since)
    if local:
        if seen.changed - seen.modified > TIME_RESOLUTION:
            return 0.0  # moved here after it was written
        age = (now.epoch - seen.modified) / 1e9
        if age >= 0:
            left = min(left, settle - age)
    return max(0.0, left)


_PROC = text_to_path("/proc")


def being_written(paths: Iterable[str]) -> set[str]:
    """The files that a program has open for writing. Never raises."""
    wanted: dict[str, str] = {os.path.realpath(path): path for path in paths}
    if not wanted or sys.platform != "linux":
        return set()
    return {wanted[real] for real in _open_for_writing(wanted)}


def _open_for_writing(wanted: dict[str, str]) -> Iterable[str]:
    try:
        processes = [entry.path for entry in os.scandir(_PROC) if entry.name.isdecimal()]
    except OSError:
        return
    for process in processes:
        try:
            numbers = os.listdir(f"{process}/fd")  # noqa: PTH208 - thousands of strings
        except OSError:
            continue  # it has ended, or belongs to another user
        for number in numbers:
            try:
                real = os.readlink(f"{process}/fd/{number}")  # noqa: PTH115
            except OSError:
                continue
            if real in wanted and _writes(process, number):
                yield real


def _writes(process: str, number: str) -> bool:
    try:
        with open(f"{process}/fdinfo/{number}", encoding="ascii") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("flags:"):
                    return int(line.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    except (OSError, ValueError):
        return False
    return False
