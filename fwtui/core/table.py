"""Jobs by id, for queues of a hundred thousand."""

from collections.abc import Iterable, Iterator, MutableMapping, ValuesView
from itertools import chain
from typing import Any, TypeVar, overload

from fwtui.core.job import Job, JobId

T = TypeVar("T")

_BITS = 8
_PAGE = 1 << _BITS
_WITHIN = _PAGE - 1


class JobTable(MutableMapping[JobId, Job]):
    """A mapping with an order, as `dict`, that takes 8 bytes for each job; a `dict` takes 50.

    Ids are given out one after the other, so jobs are kept in short lists by id. The order is
    that of the ids until another one comes about; then it takes 8 bytes more.
    """

    __slots__ = ("_gone", "_last", "_length", "_order", "_pages")

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._pages: dict[int, list[Job | None]] = {}
        self._length = 0
        self._last: JobId | None = None  # the greatest so far
        self._order: list[JobId] | None = None  # None: that of the ids
        self._gone: set[JobId] = set()  # removed ones that the order still has
        for job in jobs:
            self[job.id] = job

    def __getitem__(self, job_id: JobId) -> Job:
        job = self._pages[job_id >> _BITS][job_id & _WITHIN]
        if job is None:
            raise KeyError(job_id)
        return job

    def __contains__(self, job_id: object) -> bool:
        return isinstance(job_id, int) and self._at(job_id) is not None

    @overload
    def get(self, job_id: JobId, /) -> Job | None: ...
    @overload
    def get(self, job_id: JobId, /, default: Job | T) -> Job | T: ...
    def get(self, job_id: JobId, /, default: Any = None) -> Any:
        """The job, or `default`."""
        job = self._at(job_id)
        return default if job is None else job

    def _at(self, job_id: JobId) -> Job | None:
        page = self._pages.get(job_id >> _BITS)
        return None if page is None else page[job_id & _WITHIN]

    def __setitem__(self, job_id: JobId, job: Job) -> None:
        page = self._pages.get(job_id >> _BITS)
        if page is None or page[job_id & _WITHIN] is None:
            self._make_room(job_id)
            page = self._pages.setdefault(job_id >> _BITS, page or [None] * _PAGE)
        page[job_id & _WITHIN] = job

    def _make_room(self, job_id: JobId) -> None:
        in_order = self._last is None or job_id > self._last
        if self._order is None and not in_order:
            self._order = list(self)
        elif job_id in self._gone:
            self._tidy_up()
        if self._order is not None:
            self._order.append(job_id)
        self._last = job_id if in_order else self._last
        self._length += 1

    def __delitem__(self, job_id: JobId) -> None:
        _ = self[job_id]
        page = self._pages[job_id >> _BITS]
        page[job_id & _WITHIN] = None
        if not any(page):
            del self._pages[job_id >> _BITS]
        self._length -= 1
        if self._order is not None:
            self._gone.add(job_id)
            if len(self._gone) > self._length:
                self._tidy_up()

    def _tidy_up(self) -> None:
        self._order = list(self)
        self._gone.clear()

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[JobId]:
        if self._order is None:
            return (job.id for job in self._in_order())
        return (job_id for job_id in self._order if job_id not in self._gone)

    def values(self) -> ValuesView[Job]:
        """The jobs in order."""
        return _Jobs(self)

    def _in_order(self) -> Iterator[Job]:
        if self._order is None:
            return (job for page in self._pages.values() for job in page if job is not None)
        return (job for job in map(self._at, self._order) if job is not None)

    def arrange(self, order: Iterable[JobId]) -> None:
        """Put those that it names into this order; all others come last, as they were."""
        named = dict.fromkeys(job_id for job_id in order if job_id in self)
        rest = [job_id for job_id in self if job_id not in named]
        self._order = list(chain(named, rest))
        self._gone.clear()


class _Jobs(ValuesView[Job]):
    """As its base, but without a search for each job."""

    def __init__(self, table: JobTable) -> None:
        super().__init__(table)
        self._table = table

    def __iter__(self) -> Iterator[Job]:
        return self._table._in_order()
