"""Running batches on the command line: which one is meant, and how it is talked to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fwtui.cli.completing import running_ids
from fwtui.config.locations import Locations
from fwtui.core.events import AnyEvent, Phase
from fwtui.core.job import Job
from fwtui.core.text import printable
from fwtui.errors import BatchEndedError, FwtuiError, UsageError

if TYPE_CHECKING:
    from fwtui.batch.remote.client import Connection
    from fwtui.batch.remote.endpoints import Place

Command = TypeVar("Command", bound=Callable[..., Any])


def session_argument(command: Command) -> Command:
    """The session of a running batch, which need not be named when there is only one."""
    argument = click.argument("session_id", required=False, default="", shell_complete=running_ids)
    return argument(command)


def find_batch(wanted: str, command: str) -> "Place":
    """The running batch that is meant. Raises FwtuiError; `command` is for what to type then."""
    from fwtui.batch.remote.endpoints import running

    places = running(Locations.default())
    names = [printable(place.session_id) for place in places]
    if wanted:
        for place in places:
            if place.session_id == wanted:
                return place
        raise UsageError(
            f"no running batch has the session {wanted!r}",
            f"these run: {', '.join(names)}" if names else "none runs; see: fwtui sessions",
        )
    if not places:
        raise FwtuiError("no batch is running", "see: fwtui status")
    if len(places) > 1:
        raise UsageError(
            f"{len(places)} batches are running: {', '.join(names)}",
            f"say which one, for example: fwtui {command} {names[0]}",
        )
    return places[0]


@contextlib.asynccontextmanager
async def connected(place: "Place") -> AsyncIterator["Talk"]:
    """A conversation with a running batch. Raises LinkError."""
    from fwtui.batch.remote.client import Connection

    connection = await Connection.open(place)
    try:
        yield Talk(connection)
    finally:
        connection.close()


class Talk:
    """A connection, and what the batch is like by what was heard so far."""

    def __init__(self, connection: "Connection") -> None:
        from fwtui.cli.progress import Tally

        self.connection = connection
        self.phase: Phase = connection.snapshot.phase
        self.tally = Tally()
        self.tally(connection.snapshot)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The queue."""
        return tuple(self.tally.jobs.values())

    async def until(self, enough: Callable[[AnyEvent], bool]) -> None:
        """Hear events up to the first that is enough. Raises BatchEndedError."""
        while (event := await self._next()) is not None:
            if enough(event):
                return
        raise BatchEndedError("the batch has ended meanwhile", "see: fwtui status")

    async def until_end(self) -> None:
        """Hear events until the batch has ended and let its session go."""
        while await self._next() is not None:
            await asyncio.sleep(0)

    async def _next(self) -> AnyEvent | None:
        from fwtui.batch.remote.protocol import Ended, HaveTranscript
        from fwtui.core.events import PhaseChanged

        event = await self.connection.read()
        if event is None or isinstance(event, Ended):
            return None
        assert not isinstance(event, HaveTranscript)  # nobody has asked for one
        if isinstance(event, PhaseChanged):
            self.phase = event.phase
        self.tally(event)
        return event
