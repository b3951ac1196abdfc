"""Somebody who is attached to a batch, in this process or another one."""

import asyncio
from collections.abc import Callable

from fwtui.batch.remote.client import RemoteBatch
from fwtui.batch.workspace import Workspace
from fwtui.config.locations import Locations
from fwtui.core.commands import Pause, Quit
from fwtui.core.events import AnyEvent, BatchSnapshot, LogLine, Phase, PhaseChanged, SegmentsFound
from tests.batch.driver import PATIENCE


class Client:
    """Somebody who is attached."""

    def __init__(self, link: RemoteBatch) -> None:
        self.link = link
        self.events: list[AnyEvent] = []
        self._news = asyncio.Event()
        link.subscribe(self._hear)
        self.running = asyncio.create_task(link.run())

    def _hear(self, event: AnyEvent) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, accept: Callable[[AnyEvent], bool], since: int = 0) -> AnyEvent:
        async with asyncio.timeout(PATIENCE):
            while True:
                for event in self.events[since:]:
                    if accept(event):
                        return event
                since = len(self.events)
                self._news.clear()
                await self._news.wait()

    async def phase(self, phase: Phase) -> None:
        await self.until(lambda event: event == PhaseChanged(phase))

    async def log_line(self, beginning: str) -> None:
        def is_it(event: AnyEvent) -> bool:
            return isinstance(event, LogLine) and event.text.startswith(beginning)

        await self.until(is_it)

    @property
    def snapshots(self) -> list[BatchSnapshot]:
        return [event for event in self.events if isinstance(event, BatchSnapshot)]


def pause(session: str = "", *, after_words: bool = False) -> int:
    """Pause a running batch as soon as can be, or as soon as it has words; its process id.

    From here, since starting a process for it takes longer than a short file.
    """
    return asyncio.run(_pause(session, after_words=after_words))


async def _pause(session: str, *, after_words: bool) -> int:
    workspace = Workspace(Locations.default())
    async with asyncio.timeout(PATIENCE):
        while True:
            endpoints = [p for p in await workspace.running() if session in {"", p.session_id}]
            if endpoints:
                break
            await asyncio.sleep(0.05)  # it is being started
    client = Client(await workspace.attach(endpoints[0]))
    if after_words:
        await client.until(lambda event: isinstance(event, SegmentsFound))
    client.link.send(Pause())
    await client.phase(Phase.PAUSED)
    client.link.send(Quit())
    await client.running
    return endpoints[0].pid
