"""What is still to be sent to one client, within bounds."""

import asyncio
from collections.abc import Callable

from fwtui.batch.coalesce import Gathering
from fwtui.batch.remote.protocol import Message, line
from fwtui.core.events import AnyEvent, BatchSnapshot, Recap

MOST_BYTES = 16 << 20


class Outbox:
    """Never blocks who fills it. For a client that falls too far behind, `on_full` is called once.

    Nothing more is taken then: the client has to come again, and gets a fresh snapshot.
    """

    def __init__(self, on_full: Callable[[], None], most: int = MOST_BYTES) -> None:
        self.full = False
        self._on_full = on_full
        self._most = most
        self._bytes = 0
        self._gathering: Gathering[bytes] = Gathering()
        self._news = asyncio.Event()
        self._last = False

    def event(self, event: AnyEvent) -> None:
        """Send an event; what everybody gets at the beginning may be of any size."""
        if self.full:
            return
        data = line(event)
        if self._gathering.put(event, data) and not isinstance(event, BatchSnapshot | Recap):
            self._count(data)
        self._news.set()

    def message(self, message: Message) -> None:
        """Send something else."""
        if not self.full:
            data = line(message)
            self._gathering.keep(data)
            self._count(data)
            self._news.set()

    def _count(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > self._most:
            self.full = True
            self._on_full()

    def close(self) -> None:
        """What is in it is the last."""
        self._last = True
        self._news.set()

    async def pump(self, writer: asyncio.StreamWriter) -> None:
        """Send everything as fast as the client takes it, until it is closed or full.

        Raises OSError when the client is gone.
        """
        while not self.full:
            await self._news.wait()
            self._news.clear()
            last, self._bytes = self._last, 0
            writer.write(b"".join(self._gathering.take()))
            await writer.drain()
            if last:
                return
