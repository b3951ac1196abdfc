"""The lengths of waiting files, found out one after the other while the engine works.

Without them the time left of a batch is a guess until its last file has begun. A child of their own
looks at the files: one that crashes it, or a share that hangs, must not harm the file in the model.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from msgspec.structs import replace

from fwtui.batch.lengths import LengthMeter
from fwtui.batch.messages import LengthFound
from fwtui.batch.state import Ledger
from fwtui.core.events import AnyEvent, JobsAdded
from fwtui.core.job import Job, JobId, MediaInfo, Pending


class Lengths:
    """`post` puts an answer into the runner's inbox; the next file waits until it was taken."""

    def __init__(self, ledger: Ledger, post: Callable[[LengthFound], None]) -> None:
        self.ledger = ledger
        self._post = post
        self._unknown: deque[JobId] = deque()
        self._is_begun = False
        self._work: asyncio.Task[None] | None = None
        self._taken = asyncio.Event()

    def begin(self) -> None:
        """A batch starts."""
        self._is_begun = True
        pending = [job for job in self.ledger.queue if isinstance(job.state, Pending)]
        # The engine takes the first one now, and looks at it itself while the model loads.
        self._unknown = deque(job.id for job in pending[1:] if _is_unknown(job))
        self._go_on()

    def hear(self, event: AnyEvent) -> None:
        """A listener of the batch."""
        if isinstance(event, JobsAdded) and self._is_begun:
            self._unknown.extend(job.id for job in event.jobs if _is_unknown(job))
            self._go_on()

    def _go_on(self) -> None:
        if self._unknown and (self._work is None or self._work.done()):
            self._work = asyncio.create_task(self._measure())

    async def _measure(self) -> None:
        meter = LengthMeter()
        queue = self.ledger.queue
        try:
            while self._unknown:
                job = self._unknown.popleft()
                if job not in queue or not _is_unknown(queue[job]):
                    continue
                async for _, seconds in meter.measure([queue[job].file]):
                    self._taken.clear()
                    self._post(LengthFound(job, seconds))
                    await self._taken.wait()
        finally:
            await meter.close()

    async def take(self, answer: LengthFound) -> None:
        """Enter a length."""
        try:
            if answer.seconds is None or answer.job not in self.ledger.queue:
                return
            job = self.ledger.queue[answer.job]
            if _is_unknown(job):
                await self.ledger.put(replace(job, media=MediaInfo(answer.seconds)))
        finally:
            self._taken.set()

    async def end(self) -> None:
        """The batch is over."""
        self._is_begun = False
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


def _is_unknown(job: Job) -> bool:
    # A link's file is measured when it is there and its turn has come.
    return isinstance(job.state, Pending) and job.media is None and job.source is None
