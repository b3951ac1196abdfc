"""What to do about the memory in use: pure decisions, from readings and limits to actions."""

import msgspec
from msgspec.structs import replace

from fwtui.core.events import MemoryReading
from fwtui.core.settings import MemorySettings
from fwtui.core.text import Amount, parse_amount

# Below this share of what there is, the machine is about to kill somebody.
LOW_SHARE = 0.05
# Below this share of the soft limit the alert is over; between the two nothing is said.
CALM_SHARE = 0.95
# An engine that exceeds the limit before it has done so many windows was not worth its start.
WINDOWS_WORTH_A_START = 3
STRIKES = 2


class Limits(msgspec.Struct, frozen=True):
    """The user's limits; None: none."""

    warn: Amount | None = None
    limit: Amount | None = None
    gpu: Amount | None = None


class Watched(msgspec.Struct, frozen=True):
    """What the guard remembers: whether it has alerted, and engines in a row that came to naught.

    `leaving` is set from the decision to replace the engine until the next one is loaded.
    """

    alerted: bool = False
    strikes: int = 0
    leaving: bool = False


class Alert(msgspec.Struct, frozen=True):
    """Tell the user, and let the engine clean up at its next window."""

    text: str


class Calm(msgspec.Struct, frozen=True):
    """The alert is over."""


class Recycle(msgspec.Struct, frozen=True):
    """A fresh engine at the next window; the file goes on in it."""

    text: str


class GoSmaller(msgspec.Struct, frozen=True):
    """A fresh engine does not help: treat it as out of memory at the next window."""

    text: str


Action = Alert | Calm | Recycle | GoSmaller


def limits_of(settings: MemorySettings) -> Limits:
    """The limits that the settings name; a text that is no amount counts as off."""

    def amount(text: str) -> Amount | None:
        try:
            return parse_amount(text)
        except ValueError:
            return None

    return Limits(amount(settings.warn), amount(settings.limit), amount(settings.gpu_limit))


def with_limits(reading: MemoryReading, limits: Limits) -> MemoryReading:
    """The reading with the limits in MB, for those who draw it."""
    whole = reading.capacity
    return replace(
        reading,
        warn=None if limits.warn is None else limits.warn.of(whole),
        limit=None if limits.limit is None else limits.limit.of(whole),
    )


def judge(
    reading: MemoryReading, limits: Limits, watched: Watched, windows: int
) -> tuple[Action | None, Watched]:
    """What to do now. `windows` is how many the engine has done since it was loaded."""
    over = excess(reading, limits)
    if over and windows and not watched.leaving:
        strikes = 0 if windows >= WINDOWS_WORTH_A_START else watched.strikes + 1
        after = replace(watched, strikes=strikes, leaving=True, alerted=True)
        if strikes < STRIKES:
            return Recycle(over), after
        return GoSmaller(over), after
    if text := concern(reading, limits):
        return (None if watched.alerted else Alert(text)), replace(watched, alerted=True)
    if watched.alerted and not over and _is_calm(reading, limits):
        return Calm(), replace(watched, alerted=False)
    return None, watched


def excess(reading: MemoryReading, limits: Limits) -> str:
    """Which hard limit is exceeded and by what, for people; empty if none is."""
    limit = None if limits.limit is None else limits.limit.of(reading.capacity)
    if limit is not None and reading.rss > limit:
        return f"fwtui uses {reading.rss:.0f} MB, and memory.limit is {limit:.0f} MB"
    for gpu in reading.gpus:
        most = None if limits.gpu is None else limits.gpu.of(gpu.total)
        used = gpu.used if gpu.ours is None else gpu.ours
        if most is not None and used > most:
            whose = "is in use" if gpu.ours is None else "is used by fwtui"
            return (
                f"{used:.0f} MB of GPU {gpu.index} {whose}, and memory.gpu_limit is {most:.0f} MB"
            )
    return ""


def concern(reading: MemoryReading, limits: Limits) -> str:
    """Why the user should be alerted; empty if there is no reason."""
    warn = None if limits.warn is None else limits.warn.of(reading.capacity)
    if warn is not None and reading.rss > warn:
        return f"fwtui uses {reading.rss:.0f} MB, and memory.warn is {warn:.0f} MB"
    if limits.warn is not None and is_low(reading):
        whose = "The container" if reading.cgroup_limit is not None else "The machine"
        return f"{whose} has only {reading.available:.0f} MB of memory left"
    return ""


def is_low(reading: MemoryReading) -> bool:
    """Whether hardly any memory is left, whoever uses it."""
    return reading.available < LOW_SHARE * reading.capacity


def _is_calm(reading: MemoryReading, limits: Limits) -> bool:
    warn = None if limits.warn is None else limits.warn.of(reading.capacity)
    return warn is None or reading.rss < CALM_SHARE * warn


def needed_at_least(reading: MemoryReading) -> str:
    """A limit with which a loaded engine can work, for people."""
    return f"{max(50, round(reading.rss * 1.25 + 49, -2)):.0f}MB"
