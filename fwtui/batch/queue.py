"""Queue of a batch in memory: the next job, and unique names for outputs. Pure."""

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from fwtui.core.events import DurableChange, JobChanged, JobsAdded, JobsRemoved
from fwtui.core.job import Completed, Job, JobId, Pending
from fwtui.core.paths import StrPath, path_to_text
from fwtui.core.view import BatchView
from fwtui.outputs.naming import Names, plain_names, unused_stem

# Jobs that no longer wait, behind one whose link is not downloaded, before the list is rebuilt.
MOST_PASSED = 1000


class Queue:
    """The jobs of `view`, indexed by path and name of outputs, and which of them is next.

    Frequent operations take constant time. A new job holds its path and its name as soon as it is
    made; it is in the queue when the change that adds it is applied.
    """

    def __init__(self, view: BatchView | None = None) -> None:
        self.view = view or BatchView()
        # Waiting jobs, and some that no longer wait; None: to be found again.
        self._waiting: deque[JobId] | None = None
        self._links: list[JobId] | None = None  # jobs to be downloaded; None: as above
        self._fetched: set[JobId] = set()
        self._numbers: dict[str, int] = {}
        self._done_stems: dict[str, str] = {}
        self._next_id = max(self.view.jobs, default=0) + 1
        self._paths: dict[str, JobId] = {}
        for job in self:
            self._hold_path(job)
        self._stem_index: dict[str, JobId] | None = None
        self._reserved: set[str] = set()  # case-folded stems that no job may get

    def __len__(self) -> int:
        return len(self.view.jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self.view.jobs.values())

    def __contains__(self, job: JobId) -> bool:
        return job in self.view.jobs

    def __getitem__(self, job: JobId) -> Job:
        return self.view.jobs[job]

    def get(self, job: JobId) -> Job | None:
        """The job, or None if it is not in the queue."""
        return self.view.jobs.get(job)

    @property
    def next_id(self) -> JobId:
        """The id that the next new job gets."""
        return self._next_id

    @property
    def order(self) -> tuple[JobId, ...]:
        """The ids in the order of the queue."""
        return self.view.order

    def has_path(self, path: StrPath) -> bool:
        """Whether the file is in the queue."""
        return path_to_text(path) in self._paths

    def at(self, path: str) -> Job | None:
        """The job of a file, by its `path_to_text`."""
        job = self._paths.get(path)
        return None if job is None else self.get(job)

    def with_stem(self, stem: str) -> Job | None:
        """The job whose outputs have this name, in any case."""
        job = self._stems.get(stem.casefold())
        return None if job is None else self.get(job)

    def has_link(self, url: str) -> bool:
        """Whether the link is in the queue."""
        return any(job.source == url for job in self)

    def make(
        self,
        path: StrPath,
        names: Names | None = None,
        root: str = "",
        source: str | None = None,
        track: int = 0,
    ) -> Job:
        """A new job for the file, with a unique name for its outputs; to be added, or released.

        `names` are its first choices, `root` is where it was found. A file that was done and
        removed gets its old name again, and no other file does.
        """
        text = path_to_text(path)
        stem = None if track else self._done_stems.pop(text, None)
        if stem is None:
            stem = self._unused(names or plain_names(path))
        job = Job(self._next_id, text, root=sys.intern(root), source=source, track=track)
        job = job.with_stem(stem)
        self._next_id += 1
        self._hold(job)
        return job

    def remake(self, job: Job, names: Names | None = None) -> Job | None:
        """A removed job, to be added again; None if its file is in the queue again.

        Its outputs get another name if the old one is in use.
        """
        is_there = job.path in self._paths and job.track < 2
        if job.id in self.view.jobs or is_there:
            return None
        is_its_own = self._done_stems.pop(job.path, None) is not None
        if not is_its_own and self._is_taken(job.stem.casefold()):
            job = job.with_stem(self._unused(names or plain_names(job.file)))
        self._hold(job)
        return job

    def release(self, jobs: Iterable[Job]) -> None:
        """Free the paths and names of jobs that were not added, or were removed."""
        for job in jobs:
            self._give_up(job)
            if isinstance(job.state, Completed):  # its outputs must not be overwritten
                if not job.track:
                    self._done_stems[job.path] = job.stem
                self._reserved.add(job.stem.casefold())
            else:
                self._reserved.discard(job.stem.casefold())

    @property
    def _stems(self) -> dict[str, JobId]:
        """Jobs by the case-folded stem of their outputs."""
        if self._stem_index is None:
            self._stem_index = {job.stem.casefold(): job.id for job in self}
        return self._stem_index

    def drop_stem_index(self) -> None:
        """Free 120 bytes per job until a name is chosen again; no job may be about to be added."""
        self._stem_index = None

    def _hold(self, job: Job) -> None:
        stem = job.stem.casefold()
        self._hold_path(job)
        self._stems[stem] = job.id
        if self._reserved:
            self._reserved.discard(stem)

    def _hold_path(self, job: Job) -> None:
        """The path is that of the first of several audio tracks."""
        if job.track < 2:
            self._paths[job.path] = job.id
        else:
            self._paths.setdefault(job.path, job.id)

    def _give_up(self, job: Job) -> None:
        stem = job.stem.casefold()
        if self._paths.get(job.path) == job.id:
            del self._paths[job.path]
        if self._stems.get(stem) == job.id:
            del self._stems[stem]

    def free_name(self, job: Job) -> None:
        """Free the name of the job's outputs."""
        stem = job.stem.casefold()
        if self._stems.get(stem) == job.id:
            del self._stems[stem]
        self._reserved.discard(stem)

    def keep_name(self, job: Job) -> None:
        """Hold the name of the job's outputs again: the job could not be renamed."""
        self._stems[job.stem.casefold()] = job.id

    def apply(self, change: DurableChange) -> None:
        """Apply a change of the batch to the queue and to `view`."""
        match change:
            case JobChanged(job=job):
                before = self.view.put(job)
                if before is not None:
                    self._follow(before, job)
            case JobsRemoved(ids=ids):
                removed = self.view.remove(ids)
                self.release(removed)
                self._forget_links(removed)
            case JobsAdded(jobs=jobs):
                self.view.add(jobs)
                self._forget_links(jobs)
                if self._waiting is not None:
                    self._waiting.extend(job.id for job in jobs)
            case _:
                self.view.apply(change)
                self._waiting = self._links = None  # the order may have changed

    def _follow(self, before: Job, job: Job) -> None:
        if (before.path, before.custom_stem) != (job.path, job.custom_stem):
            self._give_up(before)
            self._hold(job)
        self._forget_links([job])
        if isinstance(job.state, Pending) and not isinstance(before.state, Pending):
            self._waiting = None  # its position among the others is unknown

    def _forget_links(self, changed: Iterable[Job]) -> None:
        if any(job.source is not None for job in changed):
            self._links = None

    def _unused(self, names: Names) -> str:
        return path_to_text(unused_stem(names, self._is_taken, self._numbers))

    def _is_taken(self, stem: str) -> bool:
        return stem in self._reserved or stem in self._stems

    def avoid(self, stems: Iterable[str]) -> None:
        """Do not use these names (case-folded) from now on."""
        self._reserved.update(stems)

    def renamed(self, job: Job, names: Names | None = None) -> Job:
        """The job with another, unique name for its outputs; to be committed."""
        stem = self._unused(names or plain_names(job.file))
        self._reserved.add(stem.casefold())
        return job.with_stem(stem)

    def set_fetched(self, job: JobId, there: bool = True) -> None:
        """Record whether the file behind the job's link is downloaded."""
        (self._fetched.add if there else self._fetched.discard)(job)
        self._links = None

    def next_link(self) -> Job | None:
        """The first waiting job whose file has to be downloaded."""
        if self._links is None:
            waiting = (job for job in self if isinstance(job.state, Pending))
            self._links = [job.id for job in waiting if not self._has_file(job)]
        return self[self._links[0]] if self._links else None

    def _has_file(self, job: Job) -> bool:
        return job.source is None or job.id in self._fetched

    def next_pending(self) -> Job | None:
        """The first waiting job whose file need not be downloaded."""
        if self._waiting is None:
            self._waiting = deque(job.id for job in self if isinstance(job.state, Pending))
        while self._waiting and self._pending(self._waiting[0]) is None:
            self._waiting.popleft()
        passed = 0
        for job_id in self._waiting:
            job = self._pending(job_id)
            if job is None:
                passed += 1
            elif self._has_file(job):
                break
        else:
            job = None
        if passed > MOST_PASSED:
            self._waiting = None
        return job

    def _pending(self, job_id: JobId) -> Job | None:
        job = self.get(job_id)
        return job if job is not None and isinstance(job.state, Pending) else None


def moved(order: Sequence[JobId], chosen: set[JobId], offset: int) -> list[JobId]:
    """The order after moving the chosen jobs by `offset` (negative: up), at most to the end."""
    if offset > 0:
        return moved(order[::-1], chosen, -offset)[::-1]
    positions = [position for position, job in enumerate(order) if job in chosen]
    # The chosen ones keep their order: at the end of the queue they pile up.
    moving = {max(at + offset, rank): order[at] for rank, at in enumerate(positions)}
    others = (job for job in order if job not in chosen)
    return [moving[at] if at in moving else next(others) for at in range(len(order))]


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
