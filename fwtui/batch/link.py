"""Interface between a batch and its user interfaces."""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from fwtui.core.commands import AnyCommand
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
from fwtui.core.segment import Transcript

Listener = Callable[[AnyEvent], None]


class BatchLink(Protocol):
    """A batch as a user interface sees it, in this process or over a socket.

    All methods are called in the event loop's thread; listeners are called there too, in the
    order of the events, and must return quickly.
    """

    def send(self, command: AnyCommand) -> None:
        """Send a command. Results arrive as events, refusals as a `LogLine`."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with a `BatchSnapshot` at once, then with every event.

        Returns a function that ends the subscription.
        """

    async def transcript(self, job: JobId) -> Transcript:
        """The transcript of a job so far, finished or not."""


Item = TypeVar("Item")
Latest = type[BatchProgress] | type[MemorySampled] | JobId


class EventCoalescer(Generic[Item]):
    """Keeps one item for each event, in order; for progress and memory only the latest."""

    def __init__(self) -> None:
        self._kept: list[Item] = []
        self._latest: dict[Latest, Item] = {}

    def put(self, event: AnyEvent, item: Item) -> bool:
        """Add the item for an event; returns whether it is kept whatever comes after it."""
        match event:
            case JobProgress():
                self._latest[event.id] = item
            case BatchProgress():
                self._latest[BatchProgress] = item
            case MemorySampled():
                self._latest[MemorySampled] = item
            case _:
                self._drop_outdated(event)
                self._kept.append(item)
                return True
        return False

    def keep(self, item: Item) -> None:
        """Add an item that is always kept."""
        self._kept.append(item)

    def drain(self) -> Iterator[Item]:
        """Remove and return all items."""
        kept, self._kept = self._kept, []
        latest, self._latest = self._latest, {}
        yield from kept
        yield from latest.values()

    def _drop_outdated(self, event: AnyEvent) -> None:
        """Drop progress that an event makes obsolete."""
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
