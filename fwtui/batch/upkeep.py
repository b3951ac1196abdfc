"""What goes on beside the queue: memory limits, lengths of files, pace, history and forecast."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from fwtui.batch.forecasting import Forecaster
from fwtui.batch.guardian import Guardian
from fwtui.batch.history import History
from fwtui.batch.ledger import Ledger
from fwtui.batch.measuring import Lengths
from fwtui.batch.pace import Pace, Prediction
from fwtui.batch.said import EngineGone, EngineSaid, SlotMessage
from fwtui.batch.slot import EngineSlot
from fwtui.core.commands import AddPaths, AnyCommand, ChangeSettings
from fwtui.engine.protocol import Measured
from fwtui.memory.measure import MemoryMeter


class Upkeep:
    """Of one batch runner. `history` is the file of what was measured before, None for none."""

    def __init__(
        self, ledger: Ledger, meter: MemoryMeter, guardian: Guardian, history: Path | None
    ) -> None:
        self.ledger = ledger
        self.guardian = guardian
        self._history = History(history)
        self.pace = Pace(lambda: ledger.settings, self._history)
        self._lengths = Lengths(ledger)
        self._forecaster = Forecaster(ledger, meter, self._history)
        ledger.listen(self.pace.hear)
        ledger.listen(self._lengths.hear)

    async def begin(self) -> None:
        """A batch starts."""
        self.pace.begin(self.ledger.queue)
        self._lengths.begin()
        await self._forecaster.look(starting=True)

    async def end(self, *, stopped: bool) -> Prediction | None:
        """It is over; what was said of its time."""
        self.pace.end(stopped=stopped)
        await asyncio.to_thread(self._history.save)
        return self.pace.prediction

    async def obeyed(self, command: AnyCommand) -> None:
        """A command was carried out while no batch is running."""
        if isinstance(command, AddPaths | ChangeSettings):
            await self._forecaster.look(starting=False)

    async def heard(self, message: SlotMessage) -> None:
        """The slot has taken the message."""
        match message:
            case EngineSaid(reply=Measured() as answer):
                await self._lengths.take(answer)
            case EngineGone():
                self._lengths.engine_gone()
            case _:
                pass

    def ask(self, slots: Iterable[EngineSlot]) -> None:
        """Give an engine something to measure, if there is something."""
        for slot in slots:
            self._lengths.ask(slot)

    def eta(self, done: float, measured: float) -> float | None:
        """Seconds left, with `done` seconds of audio done and a speed of `measured` (0: none)."""
        return self.pace.eta(self.ledger.tally, done, self.pace.speed(measured))
