"""What goes on beside the queue: memory limits, lengths of files, pace, history and forecast."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from fwtui.batch.devices import places
from fwtui.batch.durations import Lengths
from fwtui.batch.forecasting import Forecaster
from fwtui.batch.history import History
from fwtui.batch.memory_guard import Guardian
from fwtui.batch.messages import LengthFound
from fwtui.batch.pace import Pace, Prediction
from fwtui.batch.state import Ledger
from fwtui.core.events import AT_REST, BatchProgress, Phase
from fwtui.memory.measure import MemoryMeter


class Upkeep:
    """Of one batch runner, into whose inbox `post` puts lengths.

    `history` is the file of what was measured before, None for none.
    """

    def __init__(
        self,
        ledger: Ledger,
        meter: MemoryMeter,
        guardian: Guardian,
        post: Callable[[LengthFound], None],
        history: Path | None,
    ) -> None:
        self.ledger = ledger
        self.guardian = guardian
        self._meter = meter
        self._history = History(history)
        self.pace = Pace(lambda: ledger.settings, self._history)
        self.lengths = Lengths(ledger, post)
        self._forecaster = Forecaster(ledger, meter, self._history)
        ledger.listen(self.pace.hear)
        ledger.listen(self.lengths.hear)

    async def begin(self) -> None:
        """A batch starts."""
        self.pace.begin(self.ledger.queue)
        self.lengths.begin()
        await self._forecaster.look(starting=True)

    async def places(self) -> tuple[int, ...]:
        """The device number of each slot of a batch that starts now."""
        settings = self.ledger.settings
        gpus = 0
        if settings.model.device == "auto" and settings.model.device_indexes != (0,):
            gpus = await asyncio.to_thread(self._meter.count_gpus)
        return places(settings, gpus)

    async def end(self, *, stopped: bool) -> Prediction | None:
        """It is over; what was said of its time."""
        await self.lengths.end()
        self.pace.end(stopped=stopped)
        await asyncio.to_thread(self._history.save)
        return self.pace.prediction

    async def forecast(self, phase: Phase) -> None:
        """Files were added or settings changed; before a batch that is worth another look."""
        if phase in AT_REST:
            await self._forecaster.look(starting=False)

    def progress(self, in_work: float, measured: float) -> BatchProgress:
        """How far the batch is, with `in_work` seconds of audio done in files that are not.

        `measured` is the speed of the moment (0: none).
        """
        tally = self.ledger.tally
        done = tally.done_seconds + in_work
        return BatchProgress(
            completed=tally.completed,
            failed=tally.failed,
            pending=tally.pending,
            total=tally.total,
            done_seconds=done,
            total_seconds=tally.total_seconds,
            eta=self.pace.eta(tally, done, self.pace.speed(measured)),
        )
