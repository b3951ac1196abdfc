"""The ordered jobs of a batch, in memory. Pure: what is durable is the store's matter."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from fwtui.core.job import Job, JobId, Pending
from fwtui.core.paths import path_to_text


class Queue:
    """Jobs by id, in the user's order."""

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._jobs = {job.id: job for job in jobs}
        self._next_id = max(self._jobs, default=0) + 1
        self._paths = {job.path for job in self._jobs.values()}
        self._stems = {job.stem.casefold() for job in self._jobs.values()}

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def __contains__(self, job: JobId) -> bool:
        return job in self._jobs

    def __getitem__(self, job: JobId) -> Job:
        return self._jobs[job]

    @property
    def order(self) -> tuple[JobId, ...]:
        """Ids in order."""
        return tuple(self._jobs)

    def has_path(self, path: Path) -> bool:
        """Whether the file is in the queue."""
        return path_to_text(path) in self._paths

    def make(self, path: Path) -> Job:
        """A new job for the file, at the end of the queue, with outputs that clash with none."""
        stem = unused_stem(path, self._stems)
        job = Job(self._next_id, path_to_text(path), path_to_text(stem))
        self._next_id += 1
        self._paths.add(job.path)
        self._stems.add(job.stem.casefold())
        self._jobs[job.id] = job
        return job

    def put(self, job: Job) -> None:
        """Replace a job that is in the queue."""
        assert job.id in self._jobs
        self._jobs[job.id] = job

    def remove(self, ids: Iterable[JobId]) -> tuple[JobId, ...]:
        """Take jobs out; returns those that were there."""
        gone = tuple(job for job in ids if job in self._jobs)
        for job in gone:
            removed = self._jobs.pop(job)
            self._paths.discard(removed.path)
            self._stems.discard(removed.stem.casefold())
        return gone

    def move(self, ids: Sequence[JobId], offset: int) -> bool:
        """Move jobs by `offset` places, together, stopping at the ends; whether anything moved."""
        before = list(self._jobs)
        order = moved(before, set(ids), offset)
        self._jobs = {job: self._jobs[job] for job in order}
        return order != before

    def next_pending(self, skip: Iterable[JobId] = ()) -> Job | None:
        """The first waiting job that is not in `skip`."""
        passed = set(skip)
        for job in self._jobs.values():
            if isinstance(job.state, Pending) and job.id not in passed:
                return job
        return None


def moved(order: Sequence[JobId], chosen: set[JobId], offset: int) -> list[JobId]:
    """The order after moving the chosen ones `offset` places (negative: up), one by one."""
    result = list(order)
    step = 1 if offset > 0 else -1
    for _ in range(abs(offset)):
        places = [place for place, job in enumerate(result) if job in chosen]
        for place in reversed(places) if step > 0 else places:
            other = place + step
            if 0 <= other < len(result) and result[other] not in chosen:
                result[place], result[other] = result[other], result[place]
    return result


def unused_stem(path: Path, taken: set[str]) -> str:
    """A name for the outputs: the stem, else with its extension, else numbered.

    `taken` holds case-folded names, since some file systems do not tell cases apart.
    """
    for candidate in (path.stem, path.name):
        if path_to_text(candidate).casefold() not in taken:
            return candidate
    number = 2
    while path_to_text(f"{path.stem} ({number})").casefold() in taken:
        number += 1
    return f"{path.stem} ({number})"
