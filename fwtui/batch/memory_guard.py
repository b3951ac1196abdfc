"""Memory guard: keeps the memory of a batch below the user's limits, and forecasts it."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from msgspec.structs import replace

from fwtui.batch.devices import device_indexes
from fwtui.batch.estimate import PerformanceHistory
from fwtui.batch.state import BatchState
from fwtui.core.events import Forecast, Level, MemoryAlert, MemoryReading
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.settings import Settings
from fwtui.engine.classify import KILLED, NOT_BY_KERNEL
from fwtui.memory.forecast import Needs, describe_forecast, device_of, forecast, weights_size
from fwtui.memory.guard import (
    Action,
    Alert,
    AlertOver,
    GuardState,
    ReplaceEngine,
    StepDown,
    decide,
    hard_excess,
    is_low,
    is_plenty,
    limits_of,
    suggested_limit,
    with_limits,
)
from fwtui.memory.measure import MemoryMeter
from fwtui.memory.oom import OomCounters

RAISE = "raise the limit, or choose a smaller model, best_of 1 or compute type int8"


class GuardedWorker(Protocol):
    """What the memory guard uses of an engine worker."""

    windows: int

    def clean_up(self) -> None:
        """Have the engine free memory at its next window."""

    def replace_engine(self) -> None:
        """Replace the engine at its next window, or now if it has no work."""

    def reduce_memory(self, failure: Failure) -> None:
        """Treat the file as out of memory at the next window."""


class MemoryGuard:
    """Keeps the memory of a batch below the limits of its present settings.

    There is one for all engines of a batch.
    """

    def __init__(self, state: BatchState) -> None:
        self.state = state
        self._guard = GuardState()
        self._is_low = self._is_plenty = False
        self._oom = OomCounters()

    def check(self, reading: MemoryReading, workers: Iterable[GuardedWorker]) -> MemoryReading:
        """Do what the reading requires; returns it together with the limits."""
        limits = limits_of(self.state.settings.memory)
        self._is_low, self._is_plenty = is_low(reading), is_plenty(reading)
        # of several engines, the one that has had the most time to grow
        worker = max(workers, key=lambda worker: worker.windows)
        action, self._guard = decide(reading, limits, self._guard, worker.windows)
        if action is not None:
            self._act(action, worker)
        return with_limits(reading, limits)

    def _act(self, action: Action, worker: GuardedWorker) -> None:
        match action:
            case Alert(text=text):
                self._alert(text, "the engine frees memory after this chunk", hard=False)
                worker.clean_up()
            case ReplaceEngine(text=text):
                self._alert(text, "the engine is restarted after this chunk", hard=True)
                worker.replace_engine()
            case StepDown(text=text):
                self._alert(text, "restarting the engine did not help", hard=True)
                title = f"Memory limit exceeded: {text}"
                worker.reduce_memory(Failure(FailureKind.OUT_OF_MEMORY, title, RAISE))
            case AlertOver():
                self.state.log(Level.INFO, "Memory use is below its limits again")
                self.state.emit(MemoryAlert(""))

    def _alert(self, text: str, hint: str, *, hard: bool) -> None:
        self.state.log(Level.WARNING, f"Memory: {text}; {hint}")
        self.state.emit(MemoryAlert(text, hint, hard))

    def engine_starts(self) -> None:
        """Note how often the kernel has killed for lack of memory."""
        self._oom.restart()

    def explain(self, failure: Failure) -> Failure:
        """The failure of a dead engine; out of memory if it died while memory was short.

        Native libraries crash where an allocation fails that they expected to succeed. An engine
        that was killed ran out of memory if the kernel says so; where it says nothing, unless
        plenty was free.
        """
        if failure.title == KILLED:
            killed = self._oom.has_killed()
            if killed or (killed is None and not self._is_plenty):
                return failure
            failure = NOT_BY_KERNEL
        if failure.kind is not FailureKind.ENGINE_DIED or not self._is_low:
            return failure
        title = f"{failure.title} while hardly any memory was free"
        return replace(failure, kind=FailureKind.OUT_OF_MEMORY, title=title, hint=RAISE)

    def check_loaded(self, reading: MemoryReading) -> Failure | None:
        """The failure if an engine that has just loaded its model exceeds a limit already."""
        self._guard = replace(self._guard, replacing=False)
        over = hard_excess(reading, limits_of(self.state.settings.memory))
        if not over:
            return None
        title = f"The model alone exceeds the memory limit: {over}"
        hint = (
            f"set the limit to {suggested_limit(reading)} or more, "
            "or choose a smaller model or compute type int8"
        )
        return Failure(FailureKind.BAD_SETTINGS, title, hint)


class Forecaster:
    """Forecasts the memory that the batch needs; `latest` is the last forecast."""

    def __init__(self, state: BatchState, meter: MemoryMeter, history: PerformanceHistory) -> None:
        self.state = state
        self._meter = meter
        self._history = history
        self.latest: Forecast | None = None

    async def update(self, *, starting: bool) -> None:
        """Forecast with the present settings; emit and log it if it changed or a batch starts."""
        settings = self.state.settings
        made = await asyncio.to_thread(self._make, settings)
        if made is None:
            return
        before, self.latest = self.latest, made
        has_changed = before is None or _figures(before) != _figures(made)
        if has_changed:
            self.state.emit(made)
        if has_changed and not made.fits:
            self.state.log(Level.WARNING, describe_forecast(made))
        elif starting:
            self.state.log(Level.INFO, describe_forecast(made))

    def _make(self, settings: Settings) -> Forecast | None:
        reading = self._meter.read()
        known = self._history.get(settings)
        measured = None
        if known.ram:
            on_gpu = device_of(settings, reading.gpus) == "cuda"
            measured = Needs(known.ram, (known.gpu or None) if on_gpu else None)
        least = Needs(known.short_ram, known.short_gpu)
        engines = len(device_indexes(settings, len(reading.gpus)))
        return forecast(settings, weights_size(settings.model), reading, measured, engines, least)


def _figures(made: Forecast) -> tuple[float, bool, str]:
    """What counts as a change; free memory changes all the time."""
    return made.needs, made.fits, made.remedy
