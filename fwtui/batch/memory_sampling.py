"""Readings of the memory while a batch is there."""

import asyncio
import itertools
from collections.abc import Callable

from fwtui.batch.messages import MemoryMeasured
from fwtui.memory.measure import MemoryMeter

# The meter's modules are imported by the first reading; the first files of the queue come earlier.
FIRST_SAMPLE_SECONDS = 0.1
SAMPLE_SECONDS = 1.0
IDLE_SAMPLE_SECONDS = 3


async def sample_memory(
    meter: MemoryMeter, post: Callable[[MemoryMeasured], None], is_idle: Callable[[], bool]
) -> None:
    """Read the memory once a second until cancelled; less often while the batch is idle."""
    await asyncio.sleep(FIRST_SAMPLE_SECONDS)
    for second in itertools.count():
        if is_sample_due(second, idle=is_idle()):
            post(MemoryMeasured(await asyncio.to_thread(meter.read)))
        await asyncio.sleep(SAMPLE_SECONDS)


def is_sample_due(second: int, *, idle: bool) -> bool:
    """Whether to read the memory in this second."""
    return not idle or second % IDLE_SAMPLE_SECONDS == 0
