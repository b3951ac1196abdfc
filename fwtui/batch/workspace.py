"""Sessions on disk and the batches made of them: what every user interface starts with."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from fwtui.batch.link import Listener
from fwtui.batch.remote.client import RemoteBatch
from fwtui.batch.remote.glimpse import Glimpse, look
from fwtui.batch.remote.places import Place, running
from fwtui.batch.remote.protocol import Where
from fwtui.batch.remote.shared import SharedBatch
from fwtui.config.locations import Locations
from fwtui.core.settings import Settings
from fwtui.storage.erase import Discarded
from fwtui.storage.scratch import Swept, sweep
from fwtui.storage.sessions import (
    SessionList,
    StoredSession,
    adopt,
    discard_stored,
    list_sessions,
)
from fwtui.storage.store import SessionStore


class Workspace:
    """The sessions in one state folder. `listeners` hear every batch made here.

    `where` tells those who attach what the batches run in.
    """

    def __init__(
        self, locations: Locations, listeners: Sequence[Listener] = (), where: Where = "run"
    ) -> None:
        self.locations = locations
        self._where: Where = where
        self._listeners = tuple(listeners)

    async def incomplete(self) -> SessionList:
        """Sessions with something left to do, the last changed first.

        On the way, scratch files that a crash left are deleted, and sessions that are all done
        and held by nobody, which a kill just before the end can leave.
        """
        return await asyncio.to_thread(self._incomplete)

    def _incomplete(self) -> SessionList:
        self.sweep()
        listed = list_sessions(self.locations.sessions)
        for stored in listed.sessions:
            if not (stored.session.is_incomplete or stored.in_use or stored.foreign):
                discard_stored(stored, self.locations.sessions)
        left = tuple(stored for stored in listed.sessions if stored.session.is_incomplete)
        return replace(listed, sessions=left)

    def sweep(self) -> Swept:
        """Delete scratch files and sockets that no running fwtui uses."""
        running(self.locations)
        return sweep(self.locations.scratch, self.locations.sessions, datetime.now())

    async def start(self, settings: Settings) -> SharedBatch:
        """A batch with a new session. Raises StorageError."""
        store = await asyncio.to_thread(
            SessionStore.create, self.locations.sessions, settings, datetime.now()
        )
        return self._runner(store)

    async def resume(self, stored: StoredSession) -> SharedBatch:
        """A batch that goes on with a stored session. Raises SessionInUseError, StorageError."""
        store = await asyncio.to_thread(adopt, stored, self.locations.sessions)
        return self._runner(store)

    def _runner(self, store: SessionStore) -> SharedBatch:
        runner = SharedBatch(store, self.locations, self._where)
        for listener in self._listeners:
            runner.subscribe(listener)
        return runner

    async def discard(self, stored: StoredSession) -> Discarded:
        """Delete a stored session and its scratch files. Raises SessionInUseError, StorageError."""
        return await asyncio.to_thread(discard_stored, stored, self.locations.sessions)

    async def running(self) -> tuple[Place, ...]:
        """Where the batches of other processes can be reached, the oldest first."""
        return await asyncio.to_thread(running, self.locations)

    async def look(self, place: Place) -> Glimpse:
        """What such a batch does at this moment; never raises."""
        return await look(place)

    async def attach(self, place: Place) -> RemoteBatch:
        """A batch of another process. Raises LinkError."""
        return await RemoteBatch.attach(place, self.locations)
