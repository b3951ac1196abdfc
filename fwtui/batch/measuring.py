"""The lengths of waiting files, asked for one after the other while the engine works.

Without them the time left of a batch is a guess until its last file has begun.
"""

from collections import deque
from typing import Protocol

from msgspec.structs import replace

from fwtui.batch.ledger import Ledger
from fwtui.core.events import AnyEvent, JobsAdded
from fwtui.core.job import Job, JobId, Pending
from fwtui.engine.protocol import Measured


class Measuring(Protocol):
    """What is used of an engine slot here."""

    def measure(self, job: Job) -> bool:
        """Ask the engine; whether there is one."""


class Lengths:
    """At most one file is being looked at, so that nothing else has to wait for the answers."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._unknown: deque[JobId] = deque()
        self._asked: JobId | None = None

    def begin(self) -> None:
        """A batch starts."""
        self._unknown = deque(job.id for job in self.ledger.queue if _is_unknown(job))
        self._asked = None

    def hear(self, event: AnyEvent) -> None:
        """A listener of the batch."""
        if isinstance(event, JobsAdded):
            self._unknown.extend(job.id for job in event.jobs if _is_unknown(job))

    def ask(self, slot: Measuring) -> None:
        """Ask for the next length, unless an answer is still to come."""
        queue = self.ledger.queue
        while self._asked is None and self._unknown:
            job = self._unknown[0]
            if job not in queue or not _is_unknown(queue[job]):
                self._unknown.popleft()
            elif slot.measure(queue[job]):
                self._asked = self._unknown.popleft()
            else:
                return

    async def take(self, answer: Measured) -> None:
        """Enter a length."""
        self._asked = None
        if answer.media is None or answer.job not in self.ledger.queue:
            return
        job = self.ledger.queue[answer.job]
        if _is_unknown(job):
            await self.ledger.put(replace(job, media=answer.media))

    def engine_gone(self) -> None:
        """An answer that has not come will not come."""
        self._asked = None


def _is_unknown(job: Job) -> bool:
    return isinstance(job.state, Pending) and job.media is None
