"""Which files of the queue are shown, and in which order. Pure; the queue itself stays as it is."""

from bisect import insort
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from fwtui.core.job import (
    Cancelled,
    Completed,
    Failed,
    Job,
    JobId,
    Pending,
    Processing,
    Skipped,
    has_state,
)
from fwtui.tui.model import BatchModel

Sort = Literal["queue", "name", "shortest", "longest", "state"]
SORTS: tuple[Sort, ...] = ("queue", "name", "shortest", "longest", "state")
SORT_WORDS: dict[Sort, str] = {
    "queue": "",
    "name": "by name",
    "shortest": "shortest first",
    "longest": "longest first",
    "state": "by state",
}
# What one looks for comes first.
RANKS = {Processing: 0, Failed: 1, Pending: 2, Cancelled: 3, Skipped: 4, Completed: 5}
STATE = "is:"
FOLLOWED_SINGLY = 10  # changes at once; each is a walk through what is shown


@dataclass
class VisibleJobs:
    """The ids shown: those of `model` that match `needle`, sorted.

    `needle` is part of a name, or `is:` and the beginning of a state.
    """

    model: BatchModel
    needle: str = ""
    sort: Sort = "queue"
    ids: list[JobId] = field(default_factory=list)

    def rebuild(self) -> None:
        """Filter and sort everything again."""
        ids = self.model.order
        if self.needle.strip():
            ids = self.model.matching(self.needle, ids)
        if self.sort == "name":
            ids = self._by_name(ids)
        elif self.sort != "queue":
            ids = [job.id for job in sorted(self.model.jobs_of(ids), key=self._key())]
        self.ids = ids

    def _by_name(self, ids: list[JobId]) -> list[JobId]:
        """These, all or some of the queue, in the order of names."""
        if ids is self.model.order:
            return self.model.by_name()
        shown = set(ids)
        return [job_id for job_id in self.model.by_name() if job_id in shown]

    def narrow(self, needle: str) -> None:
        """Filter by another needle; a longer one only looks at what is shown, if that is little."""
        narrower = bool(self.needle.strip()) and needle.startswith(self.needle)
        narrower = narrower and not needle.startswith(STATE)
        narrower = narrower and len(self.ids) * 4 < len(self.model.order)
        self.needle = needle
        if narrower:
            self.ids = self.model.matching(needle, self.ids)
        else:
            self.rebuild()

    def follow(self, changed: Collection[JobId]) -> bool:
        """Jobs are in another state now: move, add or drop them. Whether anything moved."""
        by_state = self.needle.startswith(STATE)
        in_a_fixed_order = self.sort in {"queue", "name"}
        if in_a_fixed_order and not by_state:
            return False
        if len(changed) > FOLLOWED_SINGLY:
            before = self.ids
            self.rebuild()
            return self.ids != before
        if in_a_fixed_order:
            moved = [self._join_or_leave(job_id) for job_id in changed]
        else:
            moved = [self._place(job_id, by_state=by_state) for job_id in changed]
        return any(moved)

    def _join_or_leave(self, job_id: JobId) -> bool:
        job = self.model.jobs.get(job_id)
        joins = job is not None and is_in_state(job, self.needle)
        if joins == (job_id in self.ids):
            return False
        if joins:
            whole = self.model.order if self.sort == "queue" else self.model.by_name()
            self.ids.insert(place_of(job_id, self.ids, whole), job_id)
        else:
            self.ids.remove(job_id)
        return True

    def _place(self, job_id: JobId, *, by_state: bool) -> bool:
        job = self.model.jobs.get(job_id)
        try:
            at = self.ids.index(job_id)
        except ValueError:
            at = -1
        if at < 0 and not by_state:
            return False
        if at >= 0:
            del self.ids[at]
        if job is None or (by_state and not is_in_state(job, self.needle)):
            return at >= 0
        key, jobs = self._key(), self.model.jobs
        insort(self.ids, job_id, key=lambda one: key(jobs[one]))
        return at < 0 or self.ids[at : at + 1] != [job_id]

    def _key(self) -> Callable[[Job], Any]:
        match self.sort:
            case "shortest":
                return lambda job: job.duration or float("inf")
            case "longest":
                return lambda job: -job.duration
            case _:
                return lambda job: RANKS[type(job.state)]


def is_in_state(job: Job, needle: str) -> bool:
    """Whether `needle` (`is:fail`) names the job's state."""
    return has_state(job, needle[len(STATE) :].strip().casefold())


def place_of(job_id: JobId, ids: Sequence[JobId], whole: Iterable[JobId]) -> int:
    """Where a job comes into `ids`, which are in the order of `whole`, as it is."""
    place = 0
    for one in whole:
        if one == job_id:
            break
        place += place < len(ids) and ids[place] == one
    return place
