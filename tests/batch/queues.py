"""Queues for tests, without a session."""

from pathlib import Path

from fwtui.batch.queue import Queue
from fwtui.core.events import JobsAdded
from fwtui.core.job import Job
from fwtui.outputs.naming import Names


def add(
    queue: Queue,
    path: Path | str,
    names: Names | None = None,
    root: str = "",
    source: str | None = None,
) -> Job:
    """A new job at the end of the queue."""
    job = queue.make(path, names, root, source)
    queue.apply(JobsAdded((job,)))
    return job
