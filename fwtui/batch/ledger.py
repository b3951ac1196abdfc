"""Queue, session and listeners as one: every change is journaled before it is shown.

All methods run in the event loop; what waits for the disk runs in a thread meanwhile.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

from msgspec.structs import replace

from fwtui.batch.eta import Tally
from fwtui.batch.intake import Problem
from fwtui.batch.link import Listener
from fwtui.batch.queue import Queue, moved, put_back
from fwtui.batch.stored import transcript_of_outputs
from fwtui.core.events import (
    AnyEvent,
    JobChanged,
    JobsAdded,
    JobsRemoved,
    JobsReordered,
    Level,
    LogLine,
    SegmentsFound,
    SegmentsReset,
    SettingsChanged,
)
from fwtui.core.failure import Failure
from fwtui.core.job import Completed, Failed, Job, JobId, Pending
from fwtui.core.paths import valid_text
from fwtui.core.segment import Transcript
from fwtui.core.session import FilePlan, WindowResult
from fwtui.core.settings import Settings
from fwtui.errors import FwtuiError
from fwtui.storage.store import SessionStore

PORTION = 1000  # files that are added at once


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


class Ledger:
    """The one place where a batch changes."""

    def __init__(self, store: SessionStore) -> None:
        session = store.session
        self.store = store
        self.settings = session.settings
        self.queue = Queue(session.jobs)
        self.tally = Tally()
        for job in self.queue:
            self.tally.add(job)
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; returns what removes it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, event: AnyEvent) -> None:
        """Tell all listeners."""
        for listener in tuple(self._listeners):
            listener(event)

    def log(self, level: Level, text: str, job: JobId | None = None) -> None:
        """Tell all listeners a line for the log."""
        self.emit(LogLine(now(), level, valid_text(text), job))

    async def add(self, files: Iterable[Path], problems: Iterable[Problem]) -> int:
        """Append files that are not in the queue; problems become failed rows. How many new.

        In portions, so that the screen lives on while a hundred thousand files are added.
        """
        added = 0
        failures = ((problem.path, problem.failure) for problem in problems)
        found = chain(((path, None) for path in files), failures)
        while portion := tuple(islice(found, PORTION)):
            added += await self._add(portion)
        return added

    async def _add(self, found: Iterable[tuple[Path, Failure | None]]) -> int:
        new: list[Job] = []
        for path, failure in found:
            if self.queue.has_path(path):
                continue
            job = self.queue.make(path)
            if failure is not None:
                job = replace(job, state=Failed(now(), failure))
                self.queue.put(job)
            new.append(job)
        if not new:
            return 0
        try:
            await asyncio.to_thread(self.store.add_jobs, new)
        except FwtuiError:
            self.queue.remove([job.id for job in new])
            raise
        for job in new:
            self.tally.add(job)
        self.emit(JobsAdded(tuple(new)))
        return len(new)

    async def put(self, job: Job) -> None:
        """Replace a job."""
        await asyncio.to_thread(self.store.set_job, job)
        self.tally.remove(self.queue[job.id])
        self.tally.add(job)
        self.queue.put(job)
        self.emit(JobChanged(job))

    async def remove(self, ids: Sequence[JobId]) -> None:
        """Take jobs out."""
        there = [job for job in ids if job in self.queue]
        if there:
            await asyncio.to_thread(self.store.remove_jobs, there)
            for job in there:
                self.tally.remove(self.queue[job])
            self.emit(JobsRemoved(self.queue.remove(there)))

    async def bring_back(self, jobs: Sequence[Job], before: Sequence[JobId]) -> None:
        """Put removed jobs back to where they were in the order `before`, with their progress."""
        back: list[Job] = []
        for job in jobs:
            there = self.queue.bring_back(job)
            if there is not None:
                back.append(there)
        try:
            await asyncio.to_thread(self.store.bring_back, back)
        except FwtuiError:
            self.queue.remove([job.id for job in back])
            raise
        back = [await self._with_progress(job) for job in back]
        for job in back:
            self.tally.add(job)
            self.queue.put(job)
        self.emit(JobsAdded(tuple(back)))
        await self.arrange(put_back(self.queue.order, before, {job.id for job in back}))

    async def _with_progress(self, job: Job) -> Job:
        if job.is_finished:
            return job
        point = await asyncio.to_thread(self.store.resume_point, job.id)
        return replace(job, state=Pending(point.seconds if point else 0.0))

    async def move(self, ids: Sequence[JobId], offset: int) -> None:
        """Move jobs up (negative) or down."""
        await self.arrange(moved(self.queue.order, set(ids), offset))

    async def arrange(self, wanted: Sequence[JobId]) -> None:
        """Put the jobs into this order; those that it does not name come last."""
        before = self.queue.order
        named = [job for job in dict.fromkeys(wanted) if job in self.queue]
        rest = set(before).difference(named)
        order = (*named, *(job for job in before if job in rest))
        if order != before:
            await asyncio.to_thread(self.store.reorder, order)
            self.queue.arrange(order)
            self.emit(JobsReordered(order))

    async def change_settings(self, settings: Settings) -> None:
        """Use other settings from the next job on."""
        await asyncio.to_thread(self.store.set_settings, settings)
        self.settings = settings
        self.emit(SettingsChanged(settings))

    async def begin_file(self, job: JobId, plan: FilePlan) -> None:
        """Start a file at its beginning."""
        await asyncio.to_thread(self.store.begin_file, job, plan)
        self.emit(SegmentsReset(job))

    async def add_window(self, job: JobId, result: WindowResult, language: str) -> None:
        """Keep a finished window."""
        await asyncio.to_thread(self.store.add_window, job, result)
        if result.segments:
            self.emit(SegmentsFound(job, result.segments, language))

    async def forget_progress(self, job: JobId) -> None:
        """Let a file start over at the next attempt."""
        await asyncio.to_thread(self.store.forget_progress, job)
        self.emit(SegmentsReset(job))

    async def transcript(self, job: JobId) -> Transcript:
        """What the journal holds of a file; of a completed one, else what its outputs hold."""
        known = self.queue.get(job)

        def read() -> Transcript:
            segments = self.store.segments(job)
            if not segments and known is not None and isinstance(known.state, Completed):
                return transcript_of_outputs(known, known.state)
            language = self.store.language(job) or ""
            return Transcript(language, segments, known.duration if known else 0.0)

        return await asyncio.to_thread(read)

    async def add_temp(self, path: Path) -> None:
        """Record a scratch file before it is created."""
        await asyncio.to_thread(self.store.add_temp, path)

    async def drop_temp(self, path: Path) -> None:
        """Delete a scratch file and forget it."""

        def drop() -> None:
            path.unlink(missing_ok=True)
            self.store.drop_temp(path)

        await asyncio.to_thread(drop)
