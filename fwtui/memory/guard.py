"""Memory limits: decides what to do about the memory in use. Pure."""

import msgspec
from msgspec.structs import replace

from fwtui.core.events import MemoryReading
from fwtui.core.settings import MemorySettings
from fwtui.core.text import Amount, parse_amount

# With less than this share of the memory free, the machine is about to kill a process.
LOW_SHARE = 0.05
PLENTY_SHARE = 0.25
# The alert is over below this share of the soft limit, so that it does not come and go.
CALM_SHARE = 0.95
# An engine that exceeds the limit before it has done so many windows was not worth starting.
WINDOWS_WORTH_A_START = 3
STRIKES = 2


class Limits(msgspec.Struct, frozen=True):
    """The user's limits; None: no limit."""

    warn: Amount | None = None
    limit: Amount | None = None
    gpu: Amount | None = None


class GuardState(msgspec.Struct, frozen=True):
    """What the guard remembers between readings.

    `alerted`: the user has been alerted; `strikes`: engines in a row that were not worth starting;
    `replacing`: from the decision to replace the engine until the next one is loaded.
    """

    alerted: bool = False
    strikes: int = 0
    replacing: bool = False


class Alert(msgspec.Struct, frozen=True):
    """Alert the user; the engine frees memory at its next window."""

    text: str


class AlertOver(msgspec.Struct, frozen=True):
    """The alert is over."""


class ReplaceEngine(msgspec.Struct, frozen=True):
    """Replace the engine at its next window; the file resumes in the new one."""

    text: str


class StepDown(msgspec.Struct, frozen=True):
    """Treat the file as out of memory at the next window: a fresh engine did not help."""

    text: str


Action = Alert | AlertOver | ReplaceEngine | StepDown


def limits_of(settings: MemorySettings) -> Limits:
    """The limits in the settings; a text that is no amount counts as off."""

    def amount(text: str) -> Amount | None:
        try:
            return parse_amount(text)
        except ValueError:
            return None

    return Limits(amount(settings.warn), amount(settings.limit), amount(settings.gpu_limit))


def with_limits(reading: MemoryReading, limits: Limits) -> MemoryReading:
    """The reading together with the limits in MB, for display."""
    whole = reading.capacity
    return replace(
        reading,
        warn=None if limits.warn is None else limits.warn.of(whole),
        limit=None if limits.limit is None else limits.limit.of(whole),
    )


def decide(
    reading: MemoryReading, limits: Limits, state: GuardState, windows: int
) -> tuple[Action | None, GuardState]:
    """The action, if any, and the next state. `windows`: done since the engine was loaded."""
    over = hard_excess(reading, limits)
    if over and windows and not state.replacing:
        strikes = 0 if windows >= WINDOWS_WORTH_A_START else state.strikes + 1
        after = replace(state, strikes=strikes, replacing=True, alerted=True)
        if strikes < STRIKES:
            return ReplaceEngine(over), after
        return StepDown(over), after
    if text := soft_excess(reading, limits):
        return (None if state.alerted else Alert(text)), replace(state, alerted=True)
    if state.alerted and not over and _is_alert_over(reading, limits):
        return AlertOver(), replace(state, alerted=False)
    return None, state


def hard_excess(reading: MemoryReading, limits: Limits) -> str:
    """The hard limit that is exceeded, and by what, for people; empty if none is."""
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


def soft_excess(reading: MemoryReading, limits: Limits) -> str:
    """The reason to alert the user; empty if there is none."""
    warn = None if limits.warn is None else limits.warn.of(reading.capacity)
    if warn is not None and reading.rss > warn:
        return f"fwtui uses {reading.rss:.0f} MB, and memory.warn is {warn:.0f} MB"
    if limits.warn is not None and is_low(reading):
        whose = "The container" if reading.cgroup_limit is not None else "The machine"
        return f"{whose} has only {reading.available:.0f} MB of memory left"
    return ""


def is_low(reading: MemoryReading) -> bool:
    """Whether hardly any memory is free, whatever uses it."""
    return reading.available < LOW_SHARE * reading.capacity


def is_plenty(reading: MemoryReading) -> bool:
    """Whether so much is free that nothing was killed for lack of memory."""
    return reading.available >= PLENTY_SHARE * reading.capacity


def _is_alert_over(reading: MemoryReading, limits: Limits) -> bool:
    warn = None if limits.warn is None else limits.warn.of(reading.capacity)
    return warn is None or reading.rss < CALM_SHARE * warn


def suggested_limit(reading: MemoryReading) -> str:
    """A limit with which the loaded engine can work, for people."""
    return f"{max(50, round(reading.rss * 1.25 + 49, -2)):.0f}MB"
