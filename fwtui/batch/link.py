"""Interface between a batch and its user interfaces."""

from collections.abc import Callable
from typing import Protocol

from fwtui.core.commands import AnyCommand
from fwtui.core.events import AnyEvent
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
