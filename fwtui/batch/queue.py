"""The ordered jobs of a batch, in memory. Pure: what is durable is the store's matter."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from fwtui.core.job import Completed, Job, JobId, Pending
from fwtui.core.paths import path_to_text

# The name that outputs would like, and the one that they take if that is taken.
Names = tuple[str, str]


class Queue:
    """Jobs by id, in the user's order. What happens all the time costs the same for any length."""

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._jobs = {job.id: job for job in jobs}
        self._waiting: dict[JobId, None] | None = None  # the pending ones, or to be looked up
        self._links: list[JobId] | None = None  # those to be downloaded, or to be looked up
        self._fetched: set[JobId] = set()
        self._numbers: dict[str, int] = {}
        self._done_stems: dict[str, str] = {}
        self._next_id = max(self._jobs, default=0) + 1
        self._paths = {job.path: job.id for job in self._jobs.values()}
        self._stems = {folded(job.stem) for job in self._jobs.values()}

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def __contains__(self, job: JobId) -> bool:
        return job in self._jobs

    def __getitem__(self, job: JobId) -> Job:
        return self._jobs[job]

    def get(self, job: JobId) -> Job | None:
        """The job, or None if it is not in the queue."""
        return self._jobs.get(job)

    @property
    def next_id(self) -> JobId:
        """The id of the next job that is made."""
        return self._next_id

    @property
    def order(self) -> tuple[JobId, ...]:
        """Ids in order."""
        return tuple(self._jobs)

    def has_path(self, path: Path) -> bool:
        """Whether the file is in the queue."""
        return path_to_text(path) in self._paths

    def at(self, path: str) -> Job | None:
        """The job of a file, by its `path_to_text`."""
        job = self._paths.get(path)
        return None if job is None else self._jobs[job]

    def has_link(self, url: str) -> bool:
        """Whether the link is in the queue."""
        return any(job.source == url for job in self)

    def make(
        self, path: Path, names: Names | None = None, root: str = "", source: str | None = None
    ) -> Job:
        """A new job for the file, at the end of the queue, with outputs that clash with none.

        `names` are those that it would like, `root` is where it was found. A file that was done
        and removed gets its old name again; nobody else does.
        """
        text = path_to_text(path)
        stem = self._done_stems.pop(text, None)
        if stem is None:
            stem = self._unused(names or plain_names(path))
        job = Job(self._next_id, text, stem, root=root, source=source)
        self._next_id += 1
        self._paths[text] = job.id
        self._stems.add(folded(stem))
        self._jobs[job.id] = job
        if self._waiting is not None:
            self._waiting[job.id] = None
        if source is not None:
            self._links = None
        return job

    def _unused(self, names: Names) -> str:
        return path_to_text(unused_stem(names, self._stems, self._numbers))

    def bring_back(self, job: Job, names: Names | None = None) -> Job | None:
        """Put a job that was removed at the end; None if its file is in the queue again.

        Its outputs get another name if the old one is taken by now.
        """
        if job.id in self._jobs or job.path in self._paths:
            return None
        if self._done_stems.pop(job.path, None) is None and job.stem.casefold() in self._stems:
            job = replace(job, stem=self._unused(names or plain_names(job.file)))
        self._jobs[job.id] = job
        self._paths[job.path] = job.id
        self._stems.add(folded(job.stem))
        self._waiting = self._links = None
        return job

    def avoid(self, stems: Iterable[str]) -> None:
        """Give these names (case-folded) to no job from now on: others use them."""
        self._stems.update(stems)

    def renamed(self, job: Job, names: Names | None = None) -> Job:
        """The job with outputs of another name, which is taken by it now."""
        stem = self._unused(names or plain_names(job.file))
        self._stems.add(folded(stem))
        return replace(job, stem=stem)

    def free(self, job: Job) -> None:
        """Others may have the name of the job's outputs."""
        self._stems.discard(job.stem.casefold())

    def put(self, job: Job) -> None:
        """Replace a job that is in the queue."""
        before = self._jobs[job.id]
        if before.path != job.path:
            self._paths.pop(before.path, None)
            self._paths[job.path] = job.id
        waited = isinstance(before.state, Pending)
        self._jobs[job.id] = job
        if job.source is not None:
            self._links = None
        if waited and not isinstance(job.state, Pending):
            self._no_longer_waiting(job.id)
        elif not waited and isinstance(job.state, Pending):
            self._waiting = None  # its place among the others is not known

    def remove(self, ids: Iterable[JobId]) -> tuple[JobId, ...]:
        """Take jobs out; returns those that were there."""
        gone = tuple(job for job in ids if job in self._jobs)
        for job in gone:
            removed = self._jobs.pop(job)
            self._paths.pop(removed.path, None)
            self._no_longer_waiting(job)
            if removed.source is not None:
                self._links = None
            if isinstance(removed.state, Completed):  # its outputs must not be written over
                self._done_stems[removed.path] = removed.stem
            else:
                self._stems.discard(removed.stem.casefold())
        return gone

    def arrange(self, order: Iterable[JobId]) -> None:
        """Put all jobs into this order."""
        self._jobs = {job: self._jobs[job] for job in order}
        self._waiting = self._links = None

    def set_fetched(self, job: JobId, there: bool = True) -> None:
        """The file behind the job's link is there, or not any more."""
        (self._fetched.add if there else self._fetched.discard)(job)
        self._links = None

    def next_link(self) -> Job | None:
        """The first waiting job whose file has to be downloaded."""
        if self._links is None:
            waiting = (job for job in self if isinstance(job.state, Pending))
            self._links = [job.id for job in waiting if not self._has_file(job)]
        return self._jobs[self._links[0]] if self._links else None

    def _has_file(self, job: Job) -> bool:
        return job.source is None or job.id in self._fetched

    def next_pending(self) -> Job | None:
        """The first waiting job whose file is there."""
        if self._waiting is None:
            waiting = (job.id for job in self if isinstance(job.state, Pending))
            self._waiting = dict.fromkeys(waiting)
        jobs = (self._jobs[job_id] for job_id in self._waiting)
        return next(filter(self._has_file, jobs), None)

    def _no_longer_waiting(self, job: JobId) -> None:
        if self._waiting is not None:
            self._waiting.pop(job, None)


def moved(order: Sequence[JobId], chosen: set[JobId], offset: int) -> list[JobId]:
    """The order after moving the chosen ones `offset` places (negative: up), up to the ends."""
    if offset > 0:
        return moved(order[::-1], chosen, -offset)[::-1]
    places = [place for place, job in enumerate(order) if job in chosen]
    # Nobody overtakes another chosen one: the first ones pile up at the end of the way.
    moving = {max(place + offset, rank): order[place] for rank, place in enumerate(places)}
    others = (job for job in order if job not in chosen)
    return [moving[place] if place in moving else next(others) for place in range(len(order))]


def put_back(now: Sequence[JobId], before: Sequence[JobId], back: set[JobId]) -> list[JobId]:
    """`now` with the jobs `back` in it where they were in `before`: each after its neighbour.

    Their neighbour is the nearest job in front of them that is still there.
    """
    after: dict[JobId | None, list[JobId]] = {}
    others = set(now) - back
    neighbour: JobId | None = None
    for job in before:
        if job in back:
            after.setdefault(neighbour, []).append(job)
        elif job in others:
            neighbour = job
    order = after.get(None, [])[:]
    for job in now:
        if job not in back:
            order += [job, *after.get(job, ())]
    return order


def folded(stem: str) -> str:
    """The name without regard to case; the same object if it is the same, as most are."""
    case_folded = stem.casefold()
    return stem if case_folded == stem else case_folded


def plain_names(path: Path) -> Names:
    """The names that outputs have without a template: the stem, else with the extension."""
    return path.stem, path.name


def unused_stem(names: Names, taken: set[str], numbers: dict[str, int]) -> str:
    """A name for the outputs: the first of `names`, else the second, else numbered.

    `taken` holds case-folded names, since some file systems do not tell cases apart; `numbers`
    remembers between calls where the search for a name's next number begins.
    """
    for candidate in names:
        if path_to_text(candidate).casefold() not in taken:
            return candidate
    wanted = names[0]
    number = numbers.get(wanted, 2)
    while path_to_text(numbered(wanted, number)).casefold() in taken:
        number += 1
    numbers[wanted] = number + 1
    return numbered(wanted, number)


def numbered(name: str, number: int) -> str:
    """The name of the `number`th file that wants it."""
    return f"{name} ({number})"
