"""Keeps the history of batches up to date while a batch works, without ever holding it up.

What has finished is gathered and written about once a second, in a thread. A history that cannot
be written costs the batch one warning.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from fwtui.batch.exit_code import exit_code
from fwtui.batch.state import BatchState, now
from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    JobChanged,
    JobsAdded,
    Level,
    Phase,
    PhaseChanged,
)
from fwtui.core.job import Cancelled, Completed, Failed, Job, JobId
from fwtui.errors import StorageError
from fwtui.outputs.batch_history import BatchUpdate, Ending, HistoryStore
from fwtui.outputs.history_file import DamagedHistoryError

WRITE_SECONDS = 1.0
# After an error: a full disk is not written to every second.
AGAIN_SECONDS = 30.0


class _Written(Struct, frozen=True):
    """Whether an update was written, and what the user must know."""

    done: bool
    warnings: tuple[str, ...] = ()


class HistoryRecorder:
    """Records one batch; listens to its events."""

    def __init__(self, state: BatchState) -> None:
        self._state = state
        self._history = HistoryStore(state.store.directory.parent)
        self._loop = asyncio.get_running_loop()
        # Of a resumed session: what a crash may have kept from being written.
        self._before: tuple[Job, ...] = tuple(filter(_is_recorded, state.queue))
        self._finished: dict[JobId, Job] = {}  # not yet written
        self._began_at: datetime | None = None
        self._running_since: float | None = None
        self._worked, self._written = 0.0, 0.0  # seconds
        self._end: BatchFinished | None = None
        self._ended_at: datetime | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_over = False
        self._is_checked = self._has_written = False
        self._warned: set[str] = set()
        state.listen(self._hear)

    def _hear(self, event: AnyEvent) -> None:
        match event:
            case JobChanged(job=job):
                self._add((job,))
            case JobsAdded(jobs=jobs):
                self._add(jobs)
            case PhaseChanged(phase=Phase.RUNNING):
                self._began_at = self._began_at or now()
                if self._running_since is None:
                    self._running_since = time.monotonic()
                self._end = self._ended_at = None
            case BatchFinished() if self._running_since is not None:
                self._end, self._ended_at = event, now()
                self._worked += event.seconds
                self._running_since = None
                self._schedule(0.0)
            case _:
                pass

    def _add(self, jobs: Iterable[Job]) -> None:
        if finished := {job.id: job for job in jobs if _is_recorded(job)}:
            self._finished |= finished
            self._schedule(WRITE_SECONDS)

    def _schedule(self, seconds: float) -> None:
        if self._timer is None and not self._is_over:
            self._timer = self._loop.call_later(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._write())
        else:
            self._schedule(WRITE_SECONDS)

    async def finish(self) -> None:
        """Write what is left, before the session is closed or deleted."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            await asyncio.wait([self._task])
        await self._write()

    def session_deleted(self) -> None:
        """Record that the session is over; blocks on the disk."""
        if not self._has_written:
            return
        with contextlib.suppress(StorageError):
            self._history.session_deleted(self._state.store.session_id)

    async def _write(self) -> None:
        jobs, before = self._finished, self._before
        if not (jobs or before or self._began_at):
            return  # nothing was started: there is nothing to tell
        self._finished, self._before = {}, ()
        worked = self._worked
        if self._running_since is not None:
            worked += time.monotonic() - self._running_since
        update = self._update(jobs, worked - self._written)
        end = self._end
        if end is not None:
            queue = tuple(self._state.queue)
            update = replace(update, exit_code=exit_code(queue, end.failure))
        result = await asyncio.to_thread(self._write_in_thread, update, before)
        for text in result.warnings:
            if text not in self._warned:
                self._warned.add(text)
                self._state.log(Level.WARNING, text)
        if result.done:
            self._written = worked
        else:
            self._finished, self._before = jobs | self._finished, before
            self._schedule(AGAIN_SECONDS)

    def _update(self, jobs: dict[JobId, Job], seconds: float) -> BatchUpdate:
        state, end = self._state, self._end
        counts = state.counts
        ended_at, ending = self._ended_at, _ending(end)
        if self._is_over and end is None:  # killed, or everything was done before
            ending = "stopped" if self._began_at is not None else ""
            if not counts.unfinished:
                ending = "finished"
            ended_at = now() if ending else None
        return BatchUpdate(
            session=state.store.session_id,
            started=self._began_at or state.store.created_at,
            settings=state.settings,
            total=counts.total,
            skipped=counts.skipped,
            waiting=counts.unfinished,
            seconds=seconds,
            ended=ended_at,
            ending=ending,
            problem=end.failure.title if end is not None and end.failure is not None else "",
            jobs=tuple(jobs.values()),
        )

    def _write_in_thread(self, update: BatchUpdate, before: tuple[Job, ...]) -> _Written:
        warnings: list[str] = []
        try:
            try:
                self._write_checked(update, before)
            except DamagedHistoryError:
                moved = self._history.file.move_damaged()
                if moved is not None:
                    warnings.append(
                        f"The history of batches was damaged and is now {moved}: "
                        "a new one was begun with what could be read of it"
                    )
                self._write_checked(update, before)
        except StorageError as error:
            text = f"The history of batches cannot be written: {error.title}"
            return _Written(False, (*warnings, text))
        return _Written(True, tuple(warnings))

    def _write_checked(self, update: BatchUpdate, before: tuple[Job, ...]) -> None:
        if not self._is_checked:
            self._history.file.check()
            self._is_checked = True
        if before and (missing := self._history.missing(update.session, before)):
            known = {job.id for job in update.jobs}
            more = (job for job in missing if job.id not in known)
            update = replace(update, jobs=(*more, *update.jobs))
        elif before and self._began_at is None and not update.jobs:
            return  # a session that was only looked at
        self._history.write(update)
        self._has_written = True


def _is_recorded(job: Job) -> bool:
    """Whether the history has a file: one that was worked on, or that cannot be."""
    return isinstance(job.state, Completed | Failed | Cancelled)


def _ending(end: BatchFinished | None) -> Ending:
    if end is None:
        return ""
    if end.failure is not None:
        return "failed"
    return "stopped" if end.stopped else "finished"
