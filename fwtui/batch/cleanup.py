"""What each cleanup gave back, in the log."""

import asyncio

from fwtui.batch.state import Ledger
from fwtui.core.events import Level, MemoryReading
from fwtui.engine.protocol import Busy, CleanedUp
from fwtui.memory.describe import after_cleanup, engine_gave_back, gave_back
from fwtui.memory.measure import MemoryMeter

_WHEN = {"files": "between files", "load": "after loading", "alert": "after the alert"}


async def tell_cleanup(ledger: Ledger, meter: MemoryMeter, done: CleanedUp) -> None:
    """The engine collected garbage and trimmed its memory."""
    ledger.log(Level.INFO, after_cleanup(await asyncio.to_thread(meter.read)))
    ledger.log(
        Level.INFO if done.freed >= 1 else Level.DEBUG, gave_back(_WHEN[done.after], done.freed)
    )


def tell_busy(ledger: Ledger, busy: Busy | None) -> None:
    """How much of its time the model of an engine worked, if that is known."""
    if busy is not None and busy.worked > 0:
        share = 100 * busy.worked / (busy.worked + busy.waited)
        ledger.log(Level.INFO, f"The model was busy {share:.1f} % of the time")


async def tell_end(ledger: Ledger, meter: MemoryMeter, before: MemoryReading | None) -> None:
    """The engine has ended, and with it all its memory, the GPU's too."""
    after = await asyncio.to_thread(meter.read)
    ledger.log(Level.INFO, after_cleanup(after))
    if before is not None:
        ledger.log(Level.INFO, engine_gave_back(before, after))
