"""Which files of the queue are shown, and in which order. Pure; the queue does not change."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from fwtui.core.job import (
    Cancelled,
    Completed,
    Failed,
    Job,
    JobId,
    Pending,
    Processing,
    Skipped,
    needs_check,
)
from fwtui.core.view import length_of
from fwtui.tui.model import BatchModel, casefolded_names
from fwtui.tui.queue_filter import QueueFilter, parse_filter

Sort = Literal[
    "queue",
    "name",
    "shortest",
    "longest",
    "state",
    "slowest",
    "newest",
    "findings",
    "name_down",
    "state_down",
    "fastest",
    "oldest",
    "findings_down",
    "quickest",
    "longest_run",
]
Column = Literal["", "name", "length", "progress", "speed", "time"]


class Order(NamedTuple):
    """An order of the view: what it is called, the opposite one, and the column that it is of.

    `ascending`: small values, or the beginning of the alphabet, come first.
    """

    title: str
    opposite: Sort
    column: Column = ""
    ascending: bool = True


ORDERS: dict[Sort, Order] = {
    "queue": Order("", "queue"),
    "name": Order("by name", "name_down", "name"),
    "name_down": Order("by name, last first", "name", "name", ascending=False),
    "shortest": Order("shortest first", "longest", "length"),
    "longest": Order("longest first", "shortest", "length", ascending=False),
    "state": Order("by state", "state_down", "progress"),
    "state_down": Order("by state, done first", "state", "progress", ascending=False),
    "slowest": Order("slowest first", "fastest", "speed"),
    "fastest": Order("fastest first", "slowest", "speed", ascending=False),
    "quickest": Order("least time first", "longest_run", "time"),
    "longest_run": Order("most time first", "quickest", "time", ascending=False),
    "newest": Order("newest first", "oldest"),
    "oldest": Order("oldest first", "newest"),
    "findings": Order("most to check first", "findings_down"),
    "findings_down": Order("least to check first", "findings"),
}
SORTS: tuple[Sort, ...] = tuple(ORDERS)
# What the key goes through; another one turns each of them round.
MAIN_SORTS: tuple[Sort, ...] = (
    "queue",
    "name",
    "shortest",
    "longest",
    "state",
    "slowest",
    "longest_run",
    "newest",
    "findings",
)
_FIXED = frozenset({"queue", "name", "name_down"})
# What needs attention comes first; after failed files those that are done, but to check.
RANKS = {Processing: 0, Failed: 1, Pending: 3, Cancelled: 4, Skipped: 5, Completed: 6}
CHECK_RANK = 2
MOVED_SINGLY = 10  # changes at once; each is a walk through the files shown


@dataclass
class VisibleJobs:
    """The ids of the files shown: those that match `needle` (see `queue_filter`), sorted.

    `modified`: when the files were changed on disk, as far as that has been looked up (None:
    they are not there).
    """

    model: BatchModel
    needle: str = ""
    sort: Sort = "queue"
    ids: list[JobId] = field(default_factory=list)
    modified: dict[JobId, float | None] = field(default_factory=dict)

    @property
    def filter(self) -> QueueFilter:
        """The filter that `needle` stands for."""
        return parse_filter(self.needle)

    def rebuild(self) -> None:
        """Filter and sort everything again."""
        ids = self.model.order
        if not self.filter.is_empty:
            ids = matching(self.model, self.needle, ids)
        if self.sort in {"name", "name_down"}:
            ids = self._by_name(ids)
        elif self.sort != "queue":
            ids = self._sorted(ids)
        self.ids = ids

    def _sorted(self, ids: list[JobId]) -> list[JobId]:
        """Sorted by `_key`, but quicker: of a long queue most files have no value yet."""
        jobs = self.model.jobs_of(ids)
        value = self._value()
        if value is None:
            return [job.id for job in sorted(jobs, key=self._key())]
        values = list(map(value, jobs))
        known = [n for n, found in enumerate(values) if found is not None]
        if not known:
            return list(ids)  # which is changed when files move
        known.sort(key=values.__getitem__, reverse=self._is_down)  # keeps the order of equal ones
        unknown = [ids[n] for n, found in enumerate(values) if found is None]
        return [*(ids[n] for n in known), *unknown]

    def _whole(self) -> list[JobId]:
        """All files in the order of the view, if that is a fixed one."""
        if self.sort == "queue":
            return self.model.order
        return self.model.by_name(reverse=self.sort == "name_down")

    def _by_name(self, ids: list[JobId]) -> list[JobId]:
        """Ids of all or some files, in the order of names."""
        whole = self._whole()
        if ids is self.model.order:
            return whole
        shown = set(ids)
        return [job_id for job_id in whole if job_id in shown]

    def narrow(self, needle: str) -> None:
        """Filter by another needle; a longer one searches only the files shown, if they are few."""
        before, self.needle = self.needle, needle
        is_text = not (self.filter.conditions or self.filter.problem or '"' in needle)
        was_text = bool(parse_filter(before).texts) and not parse_filter(before).conditions
        narrower = is_text and was_text and needle.startswith(before)
        if narrower and len(self.ids) * 4 < len(self.model.order):
            self.ids = matching(self.model, needle, self.ids)
        else:
            self.rebuild()

    def follow(self, changed: Collection[JobId]) -> bool:
        """Move, add or drop jobs that have changed; True if anything moved."""
        joins_and_leaves = bool(self.filter.conditions)
        if self.filter.problem or (self.sort in _FIXED and not joins_and_leaves):
            return False
        if len(changed) > MOVED_SINGLY:
            before = self.ids
            self.rebuild()
            return self.ids != before
        if self.sort in _FIXED:
            moved = [self._join_or_leave(job_id) for job_id in changed]
        else:
            moved = [self._move(job_id, joins=joins_and_leaves) for job_id in changed]
        return any(moved)

    def _matches(self, job: Job) -> bool:
        return self.filter.has(job) and self.filter.names(casefolded_names([job.path])[0])

    def _join_or_leave(self, job_id: JobId) -> bool:
        job = self.model.jobs.get(job_id)
        joins = job is not None and self._matches(job)
        if joins == (job_id in self.ids):
            return False
        if joins:
            self.ids.insert(insert_index(job_id, self.ids, self._whole()), job_id)
        else:
            self.ids.remove(job_id)
        return True

    def _move(self, job_id: JobId, *, joins: bool) -> bool:
        job = self.model.jobs.get(job_id)
        try:
            at = self.ids.index(job_id)
        except ValueError:
            at = -1
        if at < 0 and not joins:
            return False
        if at >= 0:
            del self.ids[at]
        if job is None or (joins and not self._matches(job)):
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

    def _value(self) -> Callable[[Job], Any] | None:
        """What sorts the files, None where it is not known; None: their state sorts them."""
        match self.sort:
            case "shortest" | "longest":
                return _length
            case "slowest" | "fastest":
                return _speed
            case "quickest" | "longest_run":
                return _work
            case "newest" | "oldest":
                return lambda job: self.modified.get(job.id)
            case "findings" | "findings_down":
                return _to_check
            case _:
                return None

    @property
    def _is_down(self) -> bool:
        """Whether the highest values come first."""
        return self.sort in {"longest", "fastest", "longest_run", "newest", "findings"}

    def _key(self) -> Callable[[Job], Any]:
        """A key that sorts the files. What is not known comes last, whatever the order."""
        value, sign = self._value(), -1 if self._is_down else 1
        if value is None:
            return (lambda job: -rank(job)) if self.sort == "state_down" else rank

        def key(job: Job) -> tuple[bool, float]:
            found = value(job)
            return found is None, 0.0 if found is None else sign * found

        return key


def _length(job: Job) -> float | None:
    if job.media is None and type(job.state) is Pending:  # most of a long queue
        return None
    return length_of(job) or None


def _speed(job: Job) -> float | None:
    return job.state.speed if isinstance(job.state, Completed) else None


def _work(job: Job) -> float | None:
    return job.state.work_seconds or None if isinstance(job.state, Completed) else None


def _to_check(job: Job) -> float | None:
    """Findings and warnings of a done file; None where there are none."""
    state = job.state
    return (
        len(state.findings) + len(state.warnings) or None if isinstance(state, Completed) else None
    )


def rank(job: Job) -> int:
    """The place of a job's state in the order by state."""
    return CHECK_RANK if needs_check(job.state) else RANKS[type(job.state)]


def matching(model: BatchModel, needle: str, within: list[JobId] | None = None) -> list[JobId]:
    """The jobs (of all, or `within` these ids) that match a filter, in order."""
    ids = model.order if within is None else within
    wanted = parse_filter(needle)
    if wanted.problem:
        return []
    if wanted.conditions:
        ids = [job.id for job in model.jobs_of(ids) if wanted.has(job)]
    for text in wanted.texts:
        names = model.names_of(ids)
        ids = [job_id for job_id, name in zip(ids, names, strict=True) if text in name]
    return ids


def insert_index(job_id: JobId, ids: Sequence[JobId], whole: Iterable[JobId]) -> int:
    """Where to insert a job into `ids`, which are in the order of `whole`."""
    index = 0
    for one in whole:
        if one == job_id:
            break
        index += index < len(ids) and ids[index] == one
    return index
