"""The seam between a batch and its user interfaces."""

from collections.abc import Callable
from typing import Protocol

from fwtui.core.commands import AnyCommand
from fwtui.core.events import AnyEvent
from fwtui.core.job import JobId
from fwtui.core.segment import Transcript

Listener = Callable[[AnyEvent], None]


class BatchLink(Protocol):
    """How a user interface sees a batch, in this process or on the far side of a socket.

    All methods are called in the event loop's thread; listeners are called there too, in the
    order of the events, and must return quickly.
    """

    def send(self, command: AnyCommand) -> None:
        """Ask for something. What came of it arrives as events, refusals as a `LogLine`."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with a `BatchSnapshot` at once, then with every event.

        Returns a function that ends the subscription.
        """

    async def transcript(self, job: JobId) -> Transcript:
        """What is known of a job's transcript so far, finished or not."""
