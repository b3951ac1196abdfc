"""When a file is complete. Pure: what was seen of it, and the clocks, are given."""

from typing import NamedTuple

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
