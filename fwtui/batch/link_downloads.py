"""Downloads of the links in the queue, one at a time, while the engines work on other files."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from fwtui.batch.disk_wait import is_still_blocked
from fwtui.batch.messages import DownloadEnded
from fwtui.batch.state import BatchState, now
from fwtui.batch.ytdlp import LinkProgress, fetch
from fwtui.core.events import JobProgress, Level
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Cancelled, Completed, Failed, Job, JobId, Pending, Processing
from fwtui.core.paths import path_to_text
from fwtui.disk.files import is_present
from fwtui.errors import DiskFullError, FwtuiError, StorageError
from fwtui.sessions.scratch import link_place

LEAST_ROOM = 16 << 20  # bytes, before a download is tried again on a disk that was full
PROGRESS_SECONDS = 0.1  # for a download of unknown size; otherwise each percent is an event


@dataclass
class _Download:
    job: JobId
    task: asyncio.Task[None]
    cancelled: bool = False
    step: float = -1.0  # of progress that was emitted last


class LinkDownloads:
    """Downloads links into the session's `folder`. All methods run in the event loop.

    `post` gets a `DownloadEnded`. A file is kept until its transcripts are durable.
    """

    def __init__(
        self, state: BatchState, folder: Path, post: Callable[[DownloadEnded], None]
    ) -> None:
        self.state = state
        self.folder = folder
        self._post = post
        self._current: _Download | None = None
        self._unneeded: list[Path] = []

    def path_of(self, url: str) -> Path:
        """The path of the file that a link will be downloaded to."""
        return link_place(self.folder, url)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being downloaded."""
        return self._current is None

    @property
    def positions(self) -> dict[JobId, float]:
        """Seconds of audio done: 0 for the job that is being downloaded."""
        return {} if self._current is None else {self._current.job: 0.0}

    def has(self, job: JobId) -> bool:
        """Whether the job is being downloaded."""
        return self._current is not None and self._current.job == job

    def is_overdue(self, job: JobId) -> bool:  # noqa: ARG002  a download ends at once
        """Whether a cancelled job has not ended in time."""
        return False

    async def feed(self) -> None:
        """Begin the next download if none runs; delete files that are no longer needed."""
        await self._delete_unneeded()
        queue = self.state.queue
        while self._current is None and (job := queue.next_link()) is not None:
            if await asyncio.to_thread(is_present, job.file):  # downloaded before a restart
                queue.set_fetched(job.id)
            else:
                await self._begin(job)

    async def _begin(self, job: Job) -> None:
        await self.state.put(replace(job, state=Processing(now(), downloading=True)))
        self.state.log(Level.INFO, f"Downloading {job.name}", job.id)
        task = asyncio.create_task(self._run(job))
        self._current = _Download(job.id, task)

    async def _run(self, job: Job) -> None:
        outcome: Path | Failure | None = None
        assert job.source is not None
        try:
            outcome = await fetch(job.source, self.path_of(job.source).parent, self._emit_progress)
        except asyncio.CancelledError:
            pass  # the partial download is kept for the next time
        finally:
            self._post(DownloadEnded(job.id, outcome))

    def _emit_progress(self, progress: LinkProgress) -> None:
        current, done, total = self._current, progress.done, progress.total
        step = 100 * done // total if total else time.monotonic() // PROGRESS_SECONDS
        if current is not None and step != current.step:
            current.step = step
            event = JobProgress(current.job, done, total, 0.0, progress.eta, preparing=True)
            self.state.emit(event)

    async def ended(self, message: DownloadEnded) -> None:
        """Handle the end of a download: the job waits for an engine, or has failed."""
        assert self._current is not None
        cancelled, self._current = self._current.cancelled, None
        job = self.state.queue[message.job]
        assert isinstance(job.state, Processing)
        started = job.state.started_at
        match message.outcome:
            case _ if cancelled:
                await self.state.put(replace(job, state=Cancelled(now(), started, kept=True)))
            case Path() as file:
                await self._put_with_file(replace(job, state=Pending()), file)
            case Failure() as failure if await asyncio.to_thread(self._is_of_disk, failure):
                await self.state.put(replace(job, state=Pending()))
                raise self._disk_error(failure)
            case Failure() as failure:
                self.state.log(Level.ERROR, failure.about(job.name), job.id)
                await self.state.put(replace(job, state=Failed(now(), failure, started)))
            case None:
                await self.state.put(replace(job, state=Pending()))

    def _is_of_disk(self, failure: Failure) -> bool:
        """Whether a download failed because of the cache's disk: any other would fail, too."""
        trial = Failure(FailureKind.OUTPUT, "", place=path_to_text(self._present_folder()))
        return failure.kind is FailureKind.DISK_FULL or is_still_blocked(trial)

    def _present_folder(self) -> Path:
        """The folder of the downloads, or the nearest one above it that is there."""
        return next(
            (one for one in (self.folder, *self.folder.parents) if os.path.lexists(one)),
            self.folder,
        )

    def _disk_error(self, failure: Failure) -> StorageError:
        """What makes the batch wait for the cache's disk."""
        full = failure.kind is FailureKind.DISK_FULL
        kind, needed = (DiskFullError, LEAST_ROOM) if full else (StorageError, 0)
        place = path_to_text(self._present_folder())
        return kind(failure.title, failure.hint, place=place, needed=needed)

    async def _put_with_file(self, job: Job, file: Path) -> None:
        """Let the job wait with its downloaded file, and with outputs named after that."""
        queue, moved = self.state.queue, job.with_path(path_to_text(file))
        queue.set_fetched(job.id)
        if moved.path != job.path:
            queue.free_name(job)
            moved = queue.renamed(moved, self.state.names_of(moved))
        try:
            await self.state.put(moved)
        except FwtuiError:
            queue.keep_name(job)
            raise
        self.state.log(Level.INFO, f"Downloaded {moved.name}", job.id)

    def cancel(self, job: JobId) -> None:
        """Cancel a download and its job."""
        assert self._current is not None
        assert self._current.job == job
        self._current.cancelled = True
        self._current.task.cancel()

    def kill_engine(self) -> None:
        """Stop the download; its job waits again."""
        if self._current is not None:
            self._current.task.cancel()

    async def join(self) -> None:
        """Wait for the end of a stopped download."""
        if self._current is not None:
            await asyncio.gather(self._current.task, return_exceptions=True)
        await self._delete_unneeded()

    def job_changed(self, job: Job) -> None:
        """Delete the file of a completed job with the next `feed` or `join`."""
        if job.source is not None and isinstance(job.state, Completed):
            self.state.queue.set_fetched(job.id, False)
            self._unneeded.append(self.path_of(job.source).parent)

    async def _delete_unneeded(self) -> None:
        unneeded, self._unneeded = self._unneeded, []
        for folder in unneeded:
            await asyncio.to_thread(_remove, folder)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for parent in (folder.parent, folder.parent.parent):
        try:
            parent.rmdir()  # if nothing else is in it
        except OSError:
            return
