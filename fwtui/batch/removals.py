"""What was taken out of the queue, so that it can be put back."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from fwtui.batch.state import Ledger
from fwtui.core.events import Level
from fwtui.core.job import Cancelled, Job, JobId, Pending, Skipped

MOST_REMOVALS = 20


@dataclass
class Removal:
    """One command's: the order before, which jobs ran, which must still stop, which are out."""

    order: tuple[JobId, ...]
    ran: frozenset[JobId]
    stopping: set[JobId]
    jobs: list[Job] = field(default_factory=list)


class Removals:
    """Takes jobs out of the ledger, and puts back what the last commands took."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._removals: list[Removal] = []

    @property
    def stopping(self) -> set[JobId]:
        """Jobs to take out as soon as the engine has given them up."""
        return {job for removal in self._removals for job in removal.stopping}

    async def remove(self, ids: Iterable[JobId], running: Iterable[JobId]) -> None:
        """Take jobs out now, and the running ones when `left` says that they have stopped."""
        there = [job for job in ids if job in self.ledger.queue]
        if not there:
            return
        ran = frozenset(running)
        removal = Removal(self.ledger.queue.order, ran, set(ran))
        self._removals = [*self._removals[-MOST_REMOVALS + 1 :], removal]
        await self._take(removal, [job for job in there if job not in removal.stopping])

    async def left(self, ids: Iterable[JobId]) -> None:
        """These jobs have left the engine."""
        gone = set(ids)
        for removal in self._removals:
            now, removal.stopping = removal.stopping & gone, removal.stopping - gone
            if now:
                await self._take(removal, [job for job in removal.order if job in now])

    async def _take(self, removal: Removal, ids: list[JobId]) -> None:
        jobs = [self.ledger.queue[job] for job in ids if job in self.ledger.queue]
        removal.jobs += jobs
        await self.ledger.remove(ids)

    async def undo(self) -> None:
        """Put back what the last command took out."""
        if not self._removals:
            self.ledger.log(Level.INFO, "Nothing was removed that could be put back")
            return
        removal = self._removals.pop()
        jobs = [_as_it_was(job) if job.id in removal.ran else job for job in removal.jobs]
        await self.ledger.bring_back(jobs, removal.order)


def _as_it_was(job: Job) -> Job:
    """A job that was stopped only to be removed waits again."""
    return replace(job, state=Pending()) if isinstance(job.state, Cancelled | Skipped) else job
