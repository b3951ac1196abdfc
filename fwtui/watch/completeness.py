"""When a file is complete. Pure: what was seen of it, and the clocks, are given."""

import os
import sys
from collections.abc import Iterable
from typing import NamedTuple

from fwtui.core.paths import text_to_path

# Times on a disk are this coarse; a rename or chmod later than this after the last write shows.
COARSE = 20_000_000  # ns


class Sighting(NamedTuple):
    """What a look at a file shows: bytes, times of change in ns, and which file it is."""

    size: int
    modified: int
    changed: int
    inode: tuple[int, int]

    def is_as(self, other: "Sighting") -> bool:
        """Whether nothing was written in between."""
        return (self.size, self.modified) == (other.size, other.modified)


class Clocks(NamedTuple):
    """One moment, in seconds by the clock that never jumps, and in ns by the calendar."""

    steady: float
    calendar: int


def complete_in(
    seen: Sighting, since: float, now: Clocks, settle: float, *, local: bool, renamed: bool
) -> float | None:
    """Seconds until the file counts as complete if nothing happens to it; None: not by waiting.

    `since` is when it was first seen as it is. `renamed`: it was seen before, under the name of
    an unfinished file. `local`: its times are by this machine's clock, and renaming changes the
    time of `changed` alone, so that a file that was complete before it came is known at once.
    """
    if seen.size == 0:
        return None  # a place holder, or not begun yet
    if renamed or settle <= 0:
        return 0.0
    left = settle - (now.steady - since)
    if local:
        if seen.changed - seen.modified > COARSE:
            return 0.0  # moved to here after the last write: all of that was before
        age = (now.calendar - seen.modified) / 1e9
        if age >= 0:
            left = min(left, settle - age)
    return max(0.0, left)


_PROC = text_to_path("/proc")


def being_written(paths: Iterable[str]) -> set[str]:
    """Those of the files that some program has open for writing. Never raises."""
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
            continue  # it has ended, or is another user's
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
