"""Tells what a batch will need before it needs it."""

import asyncio

from fwtui.batch.devices import places
from fwtui.batch.history import History
from fwtui.batch.state import Ledger
from fwtui.core.events import Forecast, Level
from fwtui.core.settings import Settings
from fwtui.memory.forecast import Needs, device_of, forecast, told
from fwtui.memory.measure import MemoryMeter
from fwtui.memory.models import weights_size


class Forecaster:
    """`made` is the last forecast, for those who come later."""

    def __init__(self, ledger: Ledger, meter: MemoryMeter, history: History) -> None:
        self.ledger = ledger
        self._meter = meter
        self._history = history
        self.made: Forecast | None = None

    async def look(self, *, starting: bool) -> None:
        """Forecast with the settings of this moment; tell it if it is news or a batch starts."""
        settings = self.ledger.settings
        made = await asyncio.to_thread(self._make, settings)
        if made is None:
            return
        before, self.made = self.made, made
        is_news = before is None or _figures(before) != _figures(made)
        if is_news:
            self.ledger.emit(made)
        if is_news and not made.fits:
            self.ledger.log(Level.WARNING, told(made))
        elif starting:
            self.ledger.log(Level.INFO, told(made))

    def _make(self, settings: Settings) -> Forecast | None:
        reading = self._meter.read()
        known = self._history.get(settings)
        measured = None
        if known.ram:
            on_gpu = device_of(settings, reading.gpus) == "cuda"
            measured = Needs(known.ram, (known.gpu or None) if on_gpu else None)
        engines = len(places(settings, len(reading.gpus)))
        return forecast(settings, weights_size(settings.model), reading, measured, engines)


def _figures(made: Forecast) -> tuple[float, bool, str]:
    """What is news: free memory changes all the time."""
    return made.needs, made.fits, made.remedy
