"""Keeps the memory of a batch below the user's limits: looks at readings, acts at windows."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from msgspec.structs import replace

from fwtui.batch.devices import device_indexes
from fwtui.batch.estimate import History
from fwtui.batch.state import BatchState
from fwtui.core.events import Forecast, Level, MemoryAlert, MemoryReading
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.settings import Settings
from fwtui.memory.forecast import Needs, device_of, forecast, told
from fwtui.memory.guard import (
    Action,
    Alert,
    Calm,
    GoSmaller,
    Recycle,
    Watched,
    excess,
    is_low,
    judge,
    limits_of,
    needed_at_least,
    with_limits,
)
from fwtui.memory.measure import MemoryMeter
from fwtui.memory.models import weights_size

RAISE = "raise the limit, or choose a smaller model, best_of 1 or compute type int8"


class GuardedWorker(Protocol):
    """What is used of an engine slot here."""

    windows: int

    def clean_up(self) -> None:
        """Let the engine clean up at its next window."""

    def replace_engine(self) -> None:
        """A fresh engine at the next window, or now if it has no work."""

    def reduce_memory(self, failure: Failure) -> None:
        """At the next window, treat the file as out of memory."""


class MemoryGuard:
    """One for a batch, whatever the number of its engines; the limits are those of the moment."""

    def __init__(self, state: BatchState) -> None:
        self.state = state
        self._watched = Watched()
        self._is_low = False

    def look(self, reading: MemoryReading, slots: Iterable[GuardedWorker]) -> MemoryReading:
        """Do what the reading asks for; returns it with the limits in it."""
        limits = limits_of(self.state.settings.memory)
        self._is_low = is_low(reading)
        # of several engines, the one that has had the most time to grow
        slot = max(slots, key=lambda slot: slot.windows)
        action, self._watched = judge(reading, limits, self._watched, slot.windows)
        if action is not None:
            self._act(action, slot)
        return with_limits(reading, limits)

    def _act(self, action: Action, slot: GuardedWorker) -> None:
        match action:
            case Alert(text=text):
                self._tell(text, "the engine cleans up after this window", hard=False)
                slot.clean_up()
            case Recycle(text=text):
                self._tell(text, "a fresh engine goes on after this window", hard=True)
                slot.replace_engine()
            case GoSmaller(text=text):
                self._tell(text, "a fresh engine did not help", hard=True)
                title = f"Out of the memory that is allowed: {text}"
                slot.reduce_memory(Failure(FailureKind.OUT_OF_MEMORY, title, RAISE))
            case Calm():
                self.state.log(Level.INFO, "Memory is below its limits again")
                self.state.emit(MemoryAlert(""))

    def _tell(self, text: str, hint: str, *, hard: bool) -> None:
        self.state.log(Level.WARNING, f"Memory: {text}; {hint}")
        self.state.emit(MemoryAlert(text, hint, hard))

    def explain(self, failure: Failure) -> Failure:
        """The failure of a dead engine; one that died when memory was short died of that.

        Native libraries crash where an allocation fails that they did not expect to fail.
        """
        if failure.kind is not FailureKind.ENGINE_DIED or not self._is_low:
            return failure
        title = f"{failure.title} when hardly any memory was left"
        return replace(failure, kind=FailureKind.OUT_OF_MEMORY, title=title, hint=RAISE)

    def check_loaded(self, reading: MemoryReading) -> Failure | None:
        """An engine has loaded its model. The failure, if the model alone is over a limit."""
        self._watched = replace(self._watched, leaving=False)
        over = excess(reading, limits_of(self.state.settings.memory))
        if not over:
            return None
        title = f"The model alone needs more memory than is allowed: {over}"
        hint = (
            f"set the limit to {needed_at_least(reading)} or more, "
            "or choose a smaller model or compute type int8"
        )
        return Failure(FailureKind.BAD_SETTINGS, title, hint)


class Forecaster:
    """`made` is the last forecast, for those who come later."""

    def __init__(self, state: BatchState, meter: MemoryMeter, history: History) -> None:
        self.state = state
        self._meter = meter
        self._history = history
        self.made: Forecast | None = None

    async def look(self, *, starting: bool) -> None:
        """Forecast with the settings of this moment; tell it if it is news or a batch starts."""
        settings = self.state.settings
        made = await asyncio.to_thread(self._make, settings)
        if made is None:
            return
        before, self.made = self.made, made
        is_news = before is None or _figures(before) != _figures(made)
        if is_news:
            self.state.emit(made)
        if is_news and not made.fits:
            self.state.log(Level.WARNING, told(made))
        elif starting:
            self.state.log(Level.INFO, told(made))

    def _make(self, settings: Settings) -> Forecast | None:
        reading = self._meter.read()
        known = self._history.get(settings)
        measured = None
        if known.ram:
            on_gpu = device_of(settings, reading.gpus) == "cuda"
            measured = Needs(known.ram, (known.gpu or None) if on_gpu else None)
        engines = len(device_indexes(settings, len(reading.gpus)))
        return forecast(settings, weights_size(settings.model), reading, measured, engines)


def _figures(made: Forecast) -> tuple[float, bool, str]:
    """What is news: free memory changes all the time."""
    return made.needs, made.fits, made.remedy
