"""The links of a batch: downloaded one after the other while the engines work on other files."""

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from fwtui.batch.messages import DownloadEnded
from fwtui.batch.state import BatchState, now
from fwtui.batch.ytdlp import Fetched, fetch
from fwtui.core.events import AnyEvent, JobChanged, JobProgress, Level
from fwtui.core.failure import Failure
from fwtui.core.job import Cancelled, Completed, Failed, Job, JobId, Pending, Processing
from fwtui.core.paths import path_to_text
from fwtui.sessions.scratch import link_place

TELL_SECONDS = 0.1  # of a download whose size is not known; else each percent is told


@dataclass
class _Download:
    job: JobId
    task: asyncio.Task[None]
    cancelled: bool = False
    told: float = -1.0


class Downloads:
    """`folder` is the session's; `post` puts the end of a download into the runner's inbox.

    All methods run in the event loop. A file is kept until its transcripts are durable.
    """

    def __init__(
        self, state: BatchState, folder: Path, post: Callable[[DownloadEnded], None]
    ) -> None:
        self.state = state
        self.folder = folder
        self._post = post
        self._current: _Download | None = None
        self._spent: list[Path] = []
        state.listen(self._hear)

    def place(self, url: str) -> Path:
        """Where the file behind a link will be."""
        return link_place(self.folder, url)

    @property
    def is_idle(self) -> bool:
        """Nothing is being downloaded."""
        return self._current is None

    @property
    def positions(self) -> dict[JobId, float]:
        """Seconds done of what is being downloaded: none yet."""
        return {} if self._current is None else {self._current.job: 0.0}

    def has(self, job: JobId) -> bool:
        """Whether this one is being downloaded."""
        return self._current is not None and self._current.job == job

    def is_overdue(self, job: JobId) -> bool:  # noqa: ARG002  a download ends at once
        """Whether a cancelled one is still there."""
        return False

    async def feed(self) -> None:
        """Begin the next download, if none runs; delete what is not needed any more."""
        await self._clear()
        queue = self.state.queue
        while self._current is None and (job := queue.next_link()) is not None:
            if await asyncio.to_thread(job.file.exists):  # from an earlier life
                queue.set_fetched(job.id)
            else:
                await self._begin(job)

    async def _begin(self, job: Job) -> None:
        await self.state.put(replace(job, state=Processing(now(), downloading=True)))
        self.state.log(Level.INFO, f"{job.name}: download begins", job.id)
        task = asyncio.create_task(self._run(job))
        self._current = _Download(job.id, task)

    async def _run(self, job: Job) -> None:
        outcome: Path | Failure | None = None
        assert job.source is not None
        try:
            outcome = await fetch(job.source, self.place(job.source).parent, self._tell)
        except asyncio.CancelledError:
            pass  # as asked: what is there stays, for the next time
        finally:
            self._post(DownloadEnded(job.id, outcome))

    def _tell(self, progress: Fetched) -> None:
        current, done, total = self._current, progress.done, progress.total
        step = 100 * done // total if total else time.monotonic() // TELL_SECONDS
        if current is not None and step != current.told:
            current.told = step
            event = JobProgress(current.job, done, total, 0.0, progress.eta, preparing=True)
            self.state.emit(event)

    async def ended(self, message: DownloadEnded) -> None:
        """The file is there, or is not; the job waits for an engine, or has failed."""
        assert self._current is not None
        cancelled, self._current = self._current.cancelled, None
        job = self.state.queue[message.job]
        assert isinstance(job.state, Processing)
        started = job.state.started_at
        match message.outcome:
            case _ if cancelled:
                await self.state.put(replace(job, state=Cancelled(now(), started)))
            case Path() as file:
                job = self._in_its_place(replace(job, state=Pending()), file)
                self.state.queue.set_fetched(job.id)
                await self.state.put(job)
                self.state.log(Level.INFO, f"{job.name}: downloaded", job.id)
            case Failure() as failure:
                self.state.log(Level.ERROR, f"{job.name}: {failure}", job.id)
                await self.state.put(replace(job, state=Failed(now(), failure, started)))
            case None:
                await self.state.put(replace(job, state=Pending()))

    def _in_its_place(self, job: Job, file: Path) -> Job:
        """The job with the file as the site calls it, and outputs that are called like that."""
        here = job.with_path(path_to_text(file))
        if here.path == job.path:
            return job
        self.state.queue.free_name(job)
        return self.state.queue.renamed(here, self.state.names_of(here))

    def cancel(self, job: JobId) -> None:
        """Give a download up, because its job is not wanted."""
        assert self._current is not None
        assert self._current.job == job
        self._current.cancelled = True
        self._current.task.cancel()

    def kill_engine(self) -> None:
        """End what runs; its job waits again."""
        if self._current is not None:
            self._current.task.cancel()

    async def join(self) -> None:
        """Wait for the end of what was killed."""
        if self._current is not None:
            await asyncio.gather(self._current.task, return_exceptions=True)
        await self._clear()

    def _hear(self, event: AnyEvent) -> None:
        match event:
            case JobChanged(job=Job(source=str(source), state=Completed()) as job):
                self.state.queue.set_fetched(job.id, False)
                self._spent.append(self.place(source).parent)
            case _:
                pass

    async def _clear(self) -> None:
        spent, self._spent = self._spent, []
        for folder in spent:
            await asyncio.to_thread(_remove, folder)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for parent in (folder.parent, folder.parent.parent):
        try:
            parent.rmdir()  # if nothing else is in it
        except OSError:
            return
