"""The memory of all our processes, read again and again."""

import asyncio
import itertools
from collections.abc import Callable

from fwtui.batch.messages import Sampled
from fwtui.memory.measure import MemoryMeter

# What measures is imported for the first reading; the first files of the queue come before that.
FIRST_SECONDS = 0.1
SECONDS = 1.0
IDLE_SECONDS = 3


async def sample(
    meter: MemoryMeter, tell: Callable[[Sampled], None], is_idle: Callable[[], bool]
) -> None:
    """Read once a second until cancelled, and less often when nothing runs that could grow."""
    await asyncio.sleep(FIRST_SECONDS)
    for second in itertools.count():
        if is_due(second, idle=is_idle()):
            tell(Sampled(await asyncio.to_thread(meter.read)))
        await asyncio.sleep(SECONDS)


def is_due(second: int, *, idle: bool) -> bool:
    """Whether to read in this second."""
    return not idle or second % IDLE_SECONDS == 0
