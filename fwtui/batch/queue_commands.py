"""What the user orders about single files: add, remove, skip, try again."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from fwtui.batch.discovery import DiscoveryFinished, FilesFound
from fwtui.batch.file_run import SKIPPED_BY_USER
from fwtui.batch.messages import CancelOverdue
from fwtui.batch.pool import EnginePool
from fwtui.batch.queue import roots_of
from fwtui.batch.state import BatchState, now
from fwtui.config.overrides import to_overrides
from fwtui.core.commands import RetryJobs
from fwtui.core.events import Level
from fwtui.core.job import Cancelled, Completed, Job, JobId, Pending, Processing, Skipped
from fwtui.errors import FwtuiError
from fwtui.memory.cleanup import MANY, return_free_pages

MOST_REMOVALS = 20


@dataclass
class Removal:
    """One command's: the order before, which jobs ran, which must still stop, which are out."""

    order: tuple[JobId, ...]
    ran: frozenset[JobId]
    stopping: set[JobId]
    jobs: list[Job] = field(default_factory=list)


class Removals:
    """Removes jobs from the batch, and puts back what the last commands took."""

    def __init__(self, state: BatchState) -> None:
        self.state = state
        self._removals: list[Removal] = []

    @property
    def stopping(self) -> set[JobId]:
        """Jobs to take out as soon as the engine has given them up."""
        return {job for removal in self._removals for job in removal.stopping}

    async def remove(self, ids: Iterable[JobId], running: Iterable[JobId]) -> None:
        """Take jobs out now, and the running ones when `left` says that they have stopped."""
        there = [job for job in ids if job in self.state.queue]
        if not there:
            return
        ran = frozenset(running)
        removal = Removal(self.state.queue.order, ran, set(ran))
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
        jobs = [self.state.queue[job] for job in ids if job in self.state.queue]
        removal.jobs += jobs
        await self.state.remove(ids)

    async def undo(self) -> None:
        """Put back what the last command took out."""
        if not self._removals:
            self.state.log(Level.INFO, "Nothing was removed that could be put back")
            return
        removal = self._removals.pop()
        jobs = [_as_it_was(job) if job.id in removal.ran else job for job in removal.jobs]
        await self.state.bring_back(jobs, removal.order)


def _as_it_was(job: Job) -> Job:
    """A job that was stopped only to be removed waits again."""
    return replace(job, state=Pending()) if isinstance(job.state, Cancelled | Skipped) else job


class Orders:
    """Carries them out. `remind` gets a `CancelOverdue` when a cancelled file should have ended."""

    def __init__(
        self, state: BatchState, slots: EnginePool, remind: Callable[[CancelOverdue], None]
    ) -> None:
        self.state = state
        self.slots = slots
        self._remind = remind
        self._removals = Removals(state)
        self._begin_adding()

    def _begin_adding(self) -> None:
        self._found = self._added = 0  # by the `AddPaths` that is worked on
        self._first: JobId | None = None  # of its jobs
        self._given_up = False

    async def add(self, answer: FilesFound) -> None:
        """Put what was found into the queue; no more of it after trouble with the disk."""
        if self._given_up:
            return
        found = answer.found
        if self._first is None:
            self._first = self.state.queue.next_id
        for problem in found.problems:
            self.state.log(Level.ERROR, str(problem.failure))
        roots = roots_of(found.files, found.roots, answer.roots)
        links = {url: self.slots.downloads.place(url) for url in found.links}
        try:
            self._added += await self.state.add(found.files, found.problems, roots, links=links)
        except FwtuiError:
            self._given_up = True
            raise
        self._found += len(found.files) + len(found.problems) + len(links)

    async def all_added(self, answer: DiscoveryFinished) -> None:
        """Tell what was not added, now that all is."""
        known = self._found - self._added
        if known:
            self.state.log(Level.INFO, f"{known} files are in the queue already")
        if not self._found and not self._given_up:
            self.state.log(Level.WARNING, f"No media files found in {', '.join(answer.paths)}")
        if self._found > MANY:
            await asyncio.to_thread(return_free_pages)
        self._begin_adding()

    async def give_up_adding(self) -> None:
        """The user leaves while files are looked up: forget those with which nothing was done.

        A session with some of them would be resumed as if it had all.
        """
        self._given_up = True
        first, queue = self._first, self.state.queue
        fresh = [job.id for job in queue if first is not None and job.id >= first]
        untouched = [i for i in fresh if queue[i].state == Pending() and not queue[i].attempts]
        unfinished = [i for i in untouched if self.slots.holder_of(i) is None]
        if unfinished:
            await self.state.remove(unfinished)
            text = f"Files were still looked up: the {len(unfinished)} found so far are not kept"
            self.state.log(Level.WARNING, text)

    async def remove(self, ids: tuple[JobId, ...]) -> None:
        """Take jobs out; those in an engine when they have left it."""
        running = self._running(ids)
        self._cancel(running)
        await self._removals.remove(ids, running)

    async def remove_cancelled(self) -> None:
        """Take out what was in an engine when it was removed, and has left it."""
        left = [job for job in self._removals.stopping if self.slots.holder_of(job) is None]
        if left:
            await self._removals.left(left)

    async def undo_remove(self) -> None:
        """Put back what the last `remove` took out."""
        await self._removals.undo()

    async def skip(self, ids: tuple[JobId, ...]) -> None:
        """Cancel what is in an engine, skip what waits."""
        self._cancel(self._running(ids))
        queue, state = self.state.queue, Skipped(now(), SKIPPED_BY_USER)
        jobs = [queue[job] for job in dict.fromkeys(ids) if job in queue]
        waiting = [job for job in jobs if isinstance(job.state, Pending)]
        await self.state.put_all(replace(job, state=state) for job in waiting)

    async def retry(self, command: RetryJobs) -> None:
        """Put finished jobs back to pending."""
        queue, done = self.state.queue, self.state.store.done_seconds
        jobs = [queue[job] for job in dict.fromkeys(command.ids) if job in queue]
        over, on = [], []
        for job in (job for job in jobs if job.is_finished):
            own = job.settings if command.settings is None else to_overrides(command.settings)
            if isinstance(job.state, Completed):
                job = replace(job, kept_formats=())  # noqa: PLW2901  what is there now is its own
            if command.restart or isinstance(job.state, Completed):
                over.append(replace(job, state=Pending(), settings=own))
            else:
                on.append(replace(job, state=Pending(done(job.id)), settings=own))
        await self.state.put_all(over, restart=True)
        await self.state.put_all(on)

    async def take_back_strays(self) -> None:
        """Jobs that trouble with the disk left between an engine and the queue."""
        for job in tuple(self.state.queue):
            if isinstance(job.state, Processing) and self.slots.holder_of(job.id) is None:
                await self.state.put(replace(job, state=Pending()))

    def overdue(self, job: JobId) -> None:
        """End the engine of a cancelled job that is still there."""
        slot = self.slots.holder_of(job)
        if slot is not None and slot.is_overdue(job):
            self.state.log(Level.WARNING, "The engine did not stop in time: killed", job)
            slot.kill_engine()

    def _running(self, ids: tuple[JobId, ...]) -> list[JobId]:
        return [job for job in ids if self.slots.holder_of(job) is not None]

    def _cancel(self, jobs: list[JobId]) -> None:
        wait = self.state.settings.batch.cancel_seconds
        for job in jobs:
            slot = self.slots.holder_of(job)
            assert slot is not None
            slot.cancel(job)
            asyncio.get_running_loop().call_later(wait, self._remind, CancelOverdue(job))
