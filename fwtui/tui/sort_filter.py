"""Which files of the queue are shown, and in which order. Pure; the queue does not change."""

from bisect import bisect_left, bisect_right
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
    needs_check,
)
from fwtui.tui.model import BatchModel

Sort = Literal["queue", "name", "shortest", "longest", "state"]
SORTS: tuple[Sort, ...] = ("queue", "name", "shortest", "longest", "state")
SORT_NAMES: dict[Sort, str] = {
    "queue": "",
    "name": "by name",
    "shortest": "shortest first",
    "longest": "longest first",
    "state": "by state",
}
# What needs attention comes first; after failed files those that are done, but to check.
RANKS = {Processing: 0, Failed: 1, Pending: 3, Cancelled: 4, Skipped: 5, Completed: 6}
CHECK_RANK = 2
# What may follow `is:`, as it is shown to the user.
FILTER_STATES = ("waiting", "running", "done", "check", "failed", "cancelled", "skipped")
STATE = "is:"
MOVED_SINGLY = 10  # changes at once; each is a walk through the files shown


@dataclass
class VisibleJobs:
    """The ids of the files shown: those that match `needle`, sorted.

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
            ids = matching(self.model, self.needle, ids)
        if self.sort == "name":
            ids = self._by_name(ids)
        elif self.sort != "queue":
            ids = [job.id for job in sorted(self.model.jobs_of(ids), key=self._key())]
        self.ids = ids

    def _by_name(self, ids: list[JobId]) -> list[JobId]:
        """Ids of all or some files, in the order of names."""
        if ids is self.model.order:
            return self.model.by_name()
        shown = set(ids)
        return [job_id for job_id in self.model.by_name() if job_id in shown]

    def narrow(self, needle: str) -> None:
        """Filter by another needle; a longer one searches only the files shown, if they are few."""
        narrower = bool(self.needle.strip()) and needle.startswith(self.needle)
        narrower = narrower and not needle.startswith(STATE)
        narrower = narrower and len(self.ids) * 4 < len(self.model.order)
        self.needle = needle
        if narrower:
            self.ids = matching(self.model, needle, self.ids)
        else:
            self.rebuild()

    def follow(self, changed: Collection[JobId]) -> bool:
        """Move, add or drop jobs whose state changed; True if anything moved."""
        by_state = self.needle.startswith(STATE)
        in_a_fixed_order = self.sort in {"queue", "name"}
        if in_a_fixed_order and not by_state:
            return False
        if len(changed) > MOVED_SINGLY:
            before = self.ids
            self.rebuild()
            return self.ids != before
        if in_a_fixed_order:
            moved = [self._join_or_leave(job_id) for job_id in changed]
        else:
            moved = [self._move(job_id, by_state=by_state) for job_id in changed]
        return any(moved)

    def _join_or_leave(self, job_id: JobId) -> bool:
        job = self.model.jobs.get(job_id)
        joins = job is not None and is_in_state(job, self.needle)
        if joins == (job_id in self.ids):
            return False
        if joins:
            whole = self.model.order if self.sort == "queue" else self.model.by_name()
            self.ids.insert(insert_index(job_id, self.ids, whole), job_id)
        else:
            self.ids.remove(job_id)
        return True

    def _move(self, job_id: JobId, *, by_state: bool) -> bool:
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
        self._insert(job)
        return at < 0 or self.ids[at : at + 1] != [job_id]

    def _insert(self, job: Job) -> None:
        """Put a job into its place; among equal ones that is their order in the queue."""
        key, jobs, ids = self._key(), self.model.jobs, self.ids
        own = key(job)
        low = bisect_left(ids, own, key=lambda one: key(jobs[one]))
        high = bisect_right(ids, own, lo=low, key=lambda one: key(jobs[one]))
        equal = ids[low:high]
        at = insert_index(job.id, equal, self.model.order) if equal else 0
        ids.insert(low + at, job.id)

    def _key(self) -> Callable[[Job], Any]:
        match self.sort:
            case "shortest":
                return lambda job: job.duration or float("inf")
            case "longest":
                return lambda job: -job.duration
            case _:
                return rank


def rank(job: Job) -> int:
    """The place of a job's state in the order by state."""
    return CHECK_RANK if needs_check(job.state) else RANKS[type(job.state)]


def matching(model: BatchModel, needle: str, within: list[JobId] | None = None) -> list[JobId]:
    """The jobs (of all, or `within` these ids) that match a filter, in order."""
    ids = model.order if within is None else within
    needle = needle.casefold().strip()
    if needle.startswith(STATE):
        return [job.id for job in model.jobs_of(ids) if is_in_state(job, needle)]
    names = model.names_of(ids)
    return [job_id for job_id, name in zip(ids, names, strict=True) if needle in name]


def is_in_state(job: Job, needle: str) -> bool:
    """Whether `needle` (`is:fail`) is the beginning of the job's state; `is:check`: findings."""
    return has_state(job, needle[len(STATE) :].strip().casefold())


def insert_index(job_id: JobId, ids: Sequence[JobId], whole: Iterable[JobId]) -> int:
    """Where to insert a job into `ids`, which are in the order of `whole`."""
    index = 0
    for one in whole:
        if one == job_id:
            break
        index += index < len(ids) and ids[index] == one
    return index
