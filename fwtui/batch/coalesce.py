"""Events on their way to somebody who takes them in portions: only what still matters is kept."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from fwtui.core.events import (
    AnyEvent,
    BatchProgress,
    BatchSnapshot,
    JobChanged,
    JobProgress,
    JobsRemoved,
    MemorySampled,
    SegmentsReset,
)
from fwtui.core.job import JobId

Item = TypeVar("Item")
Latest = type[BatchProgress] | type[MemorySampled] | JobId


class Gathering(Generic[Item]):
    """Keeps an item for each event, in order; of progress and memory only the latest."""

    def __init__(self) -> None:
        self._kept: list[Item] = []
        self._latest: dict[Latest, Item] = {}

    def put(self, event: AnyEvent, item: Item) -> bool:
        """Take what stands for an event; whether it stays, whatever comes after it."""
        match event:
            case JobProgress():
                self._latest[event.id] = item
            case BatchProgress():
                self._latest[BatchProgress] = item
            case MemorySampled():
                self._latest[MemorySampled] = item
            case _:
                self._outdate(event)
                self._kept.append(item)
                return True
        return False

    def keep(self, item: Item) -> None:
        """Take something that is no event, and is never left out."""
        self._kept.append(item)

    def take(self) -> Iterator[Item]:
        """Everything gathered so far, which is no longer here then."""
        kept, self._kept = self._kept, []
        latest, self._latest = self._latest, {}
        yield from kept
        yield from latest.values()

    def _outdate(self, event: AnyEvent) -> None:
        """Progress from before a change of its job says nothing about the job after it."""
        match event:
            case JobChanged(job=job):
                self._latest.pop(job.id, None)
            case SegmentsReset(id=job_id):
                self._latest.pop(job_id, None)
            case JobsRemoved(ids=ids):
                for job_id in ids:
                    self._latest.pop(job_id, None)
            case BatchSnapshot():
                self._latest.clear()
            case _:
                pass
