"""Queue, session and listeners as one: every change is journaled before it is shown.

All methods run in the event loop; what waits for the disk runs in a thread meanwhile.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import chain, islice, zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from fwtui.batch.discovery import Problem
from fwtui.batch.estimate import Tally
from fwtui.batch.link import Listener
from fwtui.batch.queue import Names, Naming, Queue, moved, put_back
from fwtui.batch.session_outputs import transcript_of_outputs
from fwtui.config.overrides import from_overrides
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
from fwtui.core.paths import StrPath, path_to_text, text_to_path, valid_text
from fwtui.core.redact import redacted
from fwtui.core.segment import Transcript
from fwtui.core.session import FilePlan, WindowResult
from fwtui.core.settings import Settings
from fwtui.errors import FwtuiError
from fwtui.outputs.history import Transcribed
from fwtui.outputs.reserved import Choosing, stems_of_others
from fwtui.sessions.store import SessionStore

PORTION = 1000  # files that are added or changed at once
TOLD = 5  # lines in the log about files of one kind

logger = logging.getLogger(__name__)


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


class _New(Struct, frozen=True):
    """What becomes a row: a file, one that cannot be read, or a link and where its file will be."""

    path: StrPath
    root: str = ""
    failure: Failure | None = None
    source: str | None = None


class BatchState:
    """The one place where a batch changes."""

    def __init__(self, store: SessionStore) -> None:
        session = store.session
        self.store = store
        self.settings = session.settings
        self.queue = Queue(session.jobs)
        self.tally = Tally()
        self.transcribed = Transcribed(store.directory.parent)
        self.output_folders: set[Path] = set()  # where transcripts were written
        for job in self.queue:
            self.tally.add(job)
        self._listeners: list[Listener] = []
        self._broken: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; returns what removes it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, event: AnyEvent) -> None:
        """Tell all listeners. One that fails is told of, once, and harms nobody else."""
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:  # listeners are not of this house, and a batch runs for days
                if listener not in self._broken:
                    self._broken.append(listener)
                    logger.exception("a listener failed")
                    self.log(Level.ERROR, f"Something that listens to the batch failed: {listener}")

    def log(self, level: Level, text: str, job: JobId | None = None) -> None:
        """Tell all listeners a line for the log; secrets are taken out of it."""
        self.emit(LogLine(now(), level, redacted(valid_text(text)), job))

    def naming(self, settings: Settings) -> Naming:
        """How outputs are called by these settings."""
        return Naming(settings, f"{self.store.created_at:%Y-%m-%d}")

    def names_of(self, job: Job) -> Names:
        """The names that a job's outputs would have if nobody else used them."""
        settings = self.settings if job.settings is None else from_overrides(job.settings)
        return self.naming(settings).names_of(job)

    async def add(
        self,
        files: Sequence[StrPath],
        problems: Iterable[Problem],
        roots: Sequence[str] = (),
        settings: dict[str, Any] | None = None,
        links: Mapping[str, Path] = MappingProxyType({}),
    ) -> int:
        """Append files that are not in the queue; problems become failed rows. How many new.

        `roots` has the folder (as `path_to_text`) that each file was found in, `links` say where
        their files will be; `settings` as in `Job`. In portions, so that the screen lives on while
        a hundred thousand files are added.
        """
        async with self._names() as others:
            self.queue.avoid(others)
            found = chain(
                (_New(path, root) for path, root in zip_longest(files, roots, fillvalue="")),
                (_New(problem.path, failure=problem.failure) for problem in problems),
                (_New(place, source=url) for url, place in links.items()),
            )
            return await self._add_all(found, settings, others)

    async def _add_all(
        self,
        found: Iterator[_New],
        settings: dict[str, Any] | None,
        others: Mapping[str, str],
    ) -> int:
        added = 0
        while portion := tuple(islice(found, PORTION)):
            new = await self._add(portion, settings)
            if others:
                self._tell_names([job for job in new if self._natural(job) in others], others)
            added += len(new)
        return added

    @asynccontextmanager
    async def _names(self) -> AsyncIterator[Mapping[str, str]]:
        """The names that other running sessions use in our output folder, and by which session.

        Nobody else chooses names meanwhile.
        """
        store, folder = self.store, self.settings.output.output_dir
        choosing = Choosing(store.directory)
        await asyncio.to_thread(choosing.begin)
        try:
            yield await asyncio.to_thread(
                stems_of_others, store.directory, store.session_id, folder
            )
        finally:
            await asyncio.to_thread(choosing.end)

    def _natural(self, job: Job) -> str:
        return path_to_text(self.names_of(job)[0]).casefold()

    async def rename(
        self, job: Job, names: Names, refused: Callable[[Job], bool] = lambda _: False
    ) -> Job:
        """The job with one of these names for its outputs, in the session too.

        The first that neither the batch nor another running session uses, and that is not
        `refused`, which may look at the disk.
        """
        async with self._names() as others:
            self.queue.free(job)
            self.queue.avoid(others)
            renamed = self.queue.renamed(job, names)
            while await asyncio.to_thread(refused, renamed):
                renamed = self.queue.renamed(job, names)
            await self.put(renamed)
            return renamed

    async def mind_others(self) -> None:
        """Let no waiting file be written over what another running session writes."""
        async with self._names() as others:
            if not others:
                return
            self.queue.avoid(others)
            waiting = [job for job in self.queue if isinstance(job.state, Pending)]
            renamed = []
            for job in waiting:
                if job.stem.casefold() in others:
                    renamed.append(self.queue.renamed(job, self.names_of(job)))
                    await self.put(renamed[-1])
            self._tell_names(renamed, others)

    def _tell_names(self, jobs: Sequence[Job], others: Mapping[str, str]) -> None:
        for job in jobs[:TOLD]:
            session = others.get(self._natural(job), "")
            whose = f"session {session}, which is running," if session else "another fwtui"
            text = f"{job.name}: {whose} uses that name in the output folder; this file is written"
            self.log(Level.WARNING, f"{text} as {text_to_path(job.stem)}.*", job.id)
        if len(jobs) > TOLD:
            self.log(Level.WARNING, f"... and {len(jobs) - TOLD} files more")

    async def _add(self, found: Iterable[_New], settings: dict[str, Any] | None) -> list[Job]:
        new: list[Job] = []
        naming = self.naming(self.settings if settings is None else from_overrides(settings))
        for one in found:
            known = one.source is not None and self.queue.has_link(one.source)
            if known or self.queue.has_path(one.path):
                continue
            names = naming.names(one.path, one.root, fetched=one.source is not None)
            job = self.queue.make(one.path, names, one.root, one.source)
            if one.failure is not None:
                job = replace(job, state=Failed(now(), one.failure))
                self.queue.put(job)
            elif settings is not None:
                job = replace(job, settings=settings)
                self.queue.put(job)
            new.append(job)
        if not new:
            return []
        try:
            await asyncio.to_thread(self.store.add_jobs, new)
        except FwtuiError:
            self.queue.remove([job.id for job in new])
            raise
        for job in new:
            self.tally.add(job)
        self.emit(JobsAdded(tuple(new)))
        return new

    async def put(self, job: Job) -> None:
        """Replace a job."""
        await asyncio.to_thread(self.store.set_job, job)
        self.tally.remove(self.queue[job.id])
        self.tally.add(job)
        self.queue.put(job)
        self.emit(JobChanged(job))

    async def put_all(self, jobs: Iterable[Job], *, forget: bool = False) -> None:
        """Replace many jobs, in portions of one write each. `forget`: they start over."""
        rest = iter(jobs)
        while portion := tuple(islice(rest, PORTION)):
            gone = [job.id for job in portion] if forget else []
            await asyncio.to_thread(self.store.set_jobs, portion, gone)
            for job in portion:
                self.tally.remove(self.queue[job.id])
                self.tally.add(job)
                self.queue.put(job)
                if forget:
                    self.emit(SegmentsReset(job.id))
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
            there = self.queue.bring_back(job, self.names_of(job))
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
