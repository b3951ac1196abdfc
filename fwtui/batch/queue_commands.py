"""Commands about files of the queue: add, remove, undo, skip, retry."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from fwtui.batch.discovery import DiscoveryFinished, FilesFound
from fwtui.batch.file_run import SKIPPED_BY_USER
from fwtui.batch.messages import CancelOverdue
from fwtui.batch.pool import EnginePool
from fwtui.batch.state import BatchState, now
from fwtui.config.overrides import to_overrides
from fwtui.core.commands import RetryJobs
from fwtui.core.events import Level
from fwtui.core.job import Cancelled, Completed, Job, JobId, Pending, Processing, Skipped
from fwtui.core.text import left_out_text, plural
from fwtui.errors import FwtuiError
from fwtui.memory.cleanup import MANY, return_free_pages
from fwtui.outputs.naming import roots_of

MOST_REMOVALS = 20  # that can be undone


@dataclass
class _Removal:
    """The jobs of one remove command. Those that ran are removed when the engine gives them up."""

    order: tuple[JobId, ...]  # of the queue before
    ran: frozenset[JobId]
    stopping: set[JobId]
    removed: list[Job] = field(default_factory=list)


class QueueCommands:
    """Carries the commands out.

    `remind` gets a `CancelOverdue` when a cancelled file should have ended.
    """

    def __init__(
        self, state: BatchState, pool: EnginePool, remind: Callable[[CancelOverdue], None]
    ) -> None:
        self.state = state
        self.pool = pool
        self._remind = remind
        self._removals: list[_Removal] = []
        self._reset_adding()

    # --- add -----------------------------------------------------------------------------------

    def _reset_adding(self) -> None:
        self._found = self._added = 0  # by the present `AddPaths`
        self._left_out: list[tuple[str, int]] = []
        self._first: JobId | None = None  # of its jobs
        self._adding_ended = False

    async def add(self, message: FilesFound) -> None:
        """Add a portion of found files to the queue; none after the disk has failed."""
        if self._adding_ended:
            return
        found = message.found
        if self._first is None:
            self._first = self.state.queue.next_id
        for problem in found.problems:
            self.state.log(Level.ERROR, str(problem.failure))
        for note in found.notes:
            self.state.log(Level.WARNING, note)
        roots = roots_of(found.files, found.roots, message.roots)
        links = {url: self.pool.downloads.path_of(url) for url in found.links}
        try:
            self._added += await self.state.add(
                found.files, found.problems, roots, links=links, lengths=message.lengths
            )
        except FwtuiError:
            self._adding_ended = True
            raise
        self._found += len(found.files) + len(found.problems) + len(links)
        self._left_out += found.left_out

    @property
    def is_adding_incomplete(self) -> bool:
        """Whether found files were not added: the disk failed, or the user quit."""
        return self._adding_ended

    async def finish_adding(self, message: DiscoveryFinished) -> None:
        """Log what was not added, after the last portion."""
        known = self._found - self._added
        if known:
            verb = "is" if known == 1 else "are"
            self.state.log(Level.INFO, f"{plural(known, 'file')} {verb} already in the queue")
        if left_out := left_out_text(self._left_out):
            self.state.log(Level.INFO, f"Left out: {left_out}")
        if not self._found and not self._adding_ended:
            text = f"No media files found in {', '.join(message.paths)}"
            self.state.log(Level.WARNING, text)
        if self._found > MANY:
            self.state.queue.drop_stem_index()
            await asyncio.to_thread(return_free_pages)
        self._reset_adding()

    async def discard_partial(self) -> None:
        """Remove the files of an unfinished search, except those that were worked on.

        A session with some of them would be resumed as if they were all.
        """
        self._adding_ended = True
        first, queue = self._first, self.state.queue
        fresh = [job.id for job in queue if first is not None and job.id >= first]
        untouched = [i for i in fresh if queue[i].state == Pending() and not queue[i].attempts]
        unused = [i for i in untouched if self.pool.holder_of(i) is None]
        if unused:
            await self.state.remove(unused)
            found = plural(len(unused), "file")
            verb = "was" if len(unused) == 1 else "were"
            text = f"Still scanning: {found} found so far {verb} not added"
            self.state.log(Level.WARNING, text)

    # --- remove, undo --------------------------------------------------------------------------

    async def remove(self, ids: tuple[JobId, ...]) -> None:
        """Remove jobs; those in an engine are cancelled, and removed by `remove_stopped`."""
        running = self._running(ids)
        self._cancel(running)
        present = [job for job in ids if job in self.state.queue]
        if present:
            removal = _Removal(self.state.queue.order, frozenset(running), set(running))
            self._removals = [*self._removals[-MOST_REMOVALS + 1 :], removal]
            await self._remove(removal, [job for job in present if job not in removal.stopping])

    async def remove_stopped(self) -> None:
        """Remove cancelled jobs that have left their engine since they were to be removed."""
        for removal in self._removals:
            stopped = {job for job in removal.stopping if self.pool.holder_of(job) is None}
            if stopped:
                removal.stopping -= stopped
                await self._remove(removal, [job for job in removal.order if job in stopped])

    async def _remove(self, removal: _Removal, ids: list[JobId]) -> None:
        removal.removed += [self.state.queue[job] for job in ids if job in self.state.queue]
        await self.state.remove(ids)

    async def undo_remove(self) -> None:
        """Restore what the last `remove` removed."""
        if not self._removals:
            self.state.log(Level.INFO, "Nothing to undo")
            return
        removal = self._removals.pop()
        jobs = [_uncancelled(job) if job.id in removal.ran else job for job in removal.removed]
        await self.state.bring_back(jobs, removal.order)

    # --- skip, retry ---------------------------------------------------------------------------

    async def skip(self, ids: tuple[JobId, ...]) -> None:
        """Cancel running jobs, skip waiting ones."""
        self._cancel(self._running(ids))
        state = Skipped(now(), SKIPPED_BY_USER)
        waiting = [job for job in self._jobs(ids) if isinstance(job.state, Pending)]
        await self.state.put_all(replace(job, state=state) for job in waiting)

    async def retry(self, command: RetryJobs) -> None:
        """Queue finished jobs again; completed ones from their beginning."""
        done = self.state.store.done_seconds
        restarted, resumed = [], []
        for job in self._jobs(command.ids):
            if not job.is_finished:
                continue
            own = job.settings if command.settings is None else to_overrides(command.settings)
            job = replace(job, last_failure=job.failure)  # noqa: PLW2901
            if isinstance(job.state, Completed):
                # The numbers of its speakers may be others then.
                own_outputs = replace(
                    job, state=Pending(), settings=own, kept_formats=(), speaker_names=None
                )
                restarted.append(own_outputs)
            elif command.restart:
                restarted.append(replace(job, state=Pending(), settings=own))
            else:
                resumed.append(replace(job, state=Pending(done(job.id)), settings=own))
        await self.state.put_all(restarted, restart=True)
        await self.state.put_all(resumed)

    async def requeue_lost(self) -> None:
        """Queue jobs again that a disk failure left between an engine and the queue."""
        for job in tuple(self.state.queue):
            if isinstance(job.state, Processing) and self.pool.holder_of(job.id) is None:
                await self.state.put(replace(job, state=Pending()))

    # --- cancel --------------------------------------------------------------------------------

    def kill_overdue(self, job: JobId) -> None:
        """Kill the engine of a cancelled job that has not ended in time."""
        holder = self.pool.holder_of(job)
        if holder is not None and holder.is_overdue(job):
            self.state.log(Level.WARNING, "The engine did not stop in time: killed", job)
            holder.kill_engine()

    def _cancel(self, jobs: list[JobId]) -> None:
        patience = self.state.settings.batch.cancel_seconds
        for job in jobs:
            holder = self.pool.holder_of(job)
            assert holder is not None
            holder.cancel(job)
            asyncio.get_running_loop().call_later(patience, self._remind, CancelOverdue(job))

    def _running(self, ids: Iterable[JobId]) -> list[JobId]:
        return [job for job in ids if self.pool.holder_of(job) is not None]

    def _jobs(self, ids: Iterable[JobId]) -> list[Job]:
        return [self.state.queue[job] for job in dict.fromkeys(ids) if job in self.state.queue]


def _uncancelled(job: Job) -> Job:
    """A job as it was before it was stopped only to be removed."""
    return replace(job, state=Pending()) if isinstance(job.state, Cancelled | Skipped) else job
