"""What a session's records add up to.

Two independent sums. The *roster* (queue, settings, scratch files) is the snapshot plus the
records of the journal that goes with it. The *progress* inside files is the sum of a journal's
records alone, whatever the snapshot says: this is what makes a crash in the middle of a
compaction harmless.
"""

import sys
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from fwtui.core.job import WAITING, Completed, Job, JobId, Pending, Processing
from fwtui.core.settings import Settings
from fwtui.core.table import JobTable
from fwtui.core.watch import WatchedFolder
from fwtui.sessions.journal import (
    Begun,
    Forgotten,
    JobsAdded,
    JobSet,
    JobsRemoved,
    Reordered,
    Replayed,
    SettingsSet,
    TempAdded,
    TempDropped,
    Window,
    WindowMark,
)
from fwtui.sessions.settings_codec import settings_from


@dataclass(slots=True)
class Roster:
    """Who is in the session. Jobs are in the order of the queue."""

    session_id: str
    created_at: datetime
    settings: Settings
    jobs: JobTable = field(default_factory=JobTable)
    temps: dict[str, None] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    file_extra: dict[JobId, dict[str, Any]] = field(default_factory=dict)
    settings_extra: dict[str, Any] = field(default_factory=dict)
    folders: tuple[WatchedFolder, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be lost with it."""
        return not self.jobs and not self.folders

    def take(self, jobs: Iterable[Job]) -> None:
        """Put in new jobs, or newer selves of jobs; of what many have in common there is one."""
        for job in jobs:
            lean = job.called(job.stem)
            root = sys.intern(job.root)
            state = WAITING if job.state == WAITING else job.state
            is_shared = root is job.root and state is job.state
            self.jobs[job.id] = lean if is_shared else replace(lean, root=root, state=state)

    def apply(self, record: Replayed | Window) -> None:
        """Take a record into account; one about an unknown job changes nothing."""
        match record:
            case JobsAdded(jobs=jobs):
                self.take(jobs)
            case JobSet(job=job) if job.id in self.jobs:
                self.take([job])
            case JobsRemoved(ids=ids):
                for job_id in ids:
                    self.jobs.pop(job_id, None)
                    self.file_extra.pop(job_id, None)
            case Reordered(order=order):
                self.jobs.arrange(order)
            case SettingsSet(settings=settings):
                self.settings, self.settings_extra = settings_from(settings)
            case TempAdded(path=path):
                self.temps[path] = None
            case TempDropped(path=path):
                self.temps.pop(path, None)
            case _:
                pass


@dataclass(slots=True)
class Progress:
    """How far a file is: where in the journal its plan and windows are, and the seconds done."""

    plan: int
    language: str
    windows: "array[int]" = field(default_factory=lambda: array("q"))
    seconds: float = 0.0


class ProgressBook:
    """The progress of all files that have any."""

    def __init__(self) -> None:
        self.files: dict[JobId, Progress] = {}

    def apply(self, record: Replayed | Window, offset: int) -> None:
        """Take the record at `offset` of the journal into account."""
        match record:
            case Begun(job=job_id, plan=plan):
                self.files[job_id] = Progress(offset, plan.language)
            case Window(job=job_id, result=result) | WindowMark(job=job_id, result=result):
                if progress := self.files.get(job_id):
                    progress.windows.append(offset)
                    progress.seconds = result.seconds
            case Forgotten(job=job_id):
                self.files.pop(job_id, None)
            case JobsAdded(jobs=jobs):
                self._drop(job.id for job in jobs)
            case JobsRemoved(ids=ids):
                self._drop(ids)
            case _:
                pass

    def _drop(self, ids: Iterable[JobId]) -> None:
        for job_id in ids:
            self.files.pop(job_id, None)

    def unfinished(self, jobs: Mapping[JobId, Job]) -> dict[JobId, Progress]:
        """The progress that a resume may use: not of jobs that are completed or gone."""
        return {
            job_id: progress
            for job_id, progress in self.files.items()
            if job_id in jobs and not isinstance(jobs[job_id].state, Completed)
        }


def interrupt(job: Job, progress: Progress | None) -> Job:
    """The job as it is after its fwtui is gone: running ones wait again, with what is done."""
    if not isinstance(job.state, Pending | Processing):
        return job
    state = Pending(progress.seconds if progress else 0.0)
    return job if job.state == state else replace(job, state=state)
