"""Stored sessions, and batches created from them: the entry point of every user interface."""

import asyncio
import contextlib
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fwtui.batch.batch import Batch
from fwtui.batch.discovery import Finder, find_in_portions
from fwtui.batch.link import Listener
from fwtui.batch.model_needs import ModelNeeds, model_needs, presence_text
from fwtui.batch.output_folders import folders_now
from fwtui.batch.remote.batch_status import BatchStatus, status_of
from fwtui.batch.remote.client import RemoteBatch
from fwtui.batch.remote.endpoints import Endpoint, running
from fwtui.batch.remote.protocol import Where
from fwtui.batch.session_outputs import delete_stored, stored_transcript
from fwtui.config.locations import Locations, load_maps, save_maps
from fwtui.core.commands import AddPaths
from fwtui.core.job import Job
from fwtui.core.paths import absolute_text, expand_home, path_to_text, searchable, text_to_path
from fwtui.core.segment import Transcript
from fwtui.core.session import Session
from fwtui.core.settings import ModelSettings, Settings
from fwtui.core.watched_folder import WatchedFolder
from fwtui.errors import StorageError
from fwtui.memory.measure import MemoryMeter
from fwtui.sessions.catalog import (
    SessionList,
    StoredSession,
    adopt,
    discard_stored,
    list_sessions,
    remove_empty,
)
from fwtui.sessions.delete import DeletedFiles
from fwtui.sessions.hidden import hidden_sessions, hide_sessions
from fwtui.sessions.remap import missing, remap_session
from fwtui.sessions.scratch import LINKS, leftovers_text, sweep, sweep_links, sweep_system_temp
from fwtui.sessions.store import SessionStore


class MappedSession(msgspec.Struct, frozen=True):
    """A session with its paths mapped to this machine; `missing` folders have no mapping yet."""

    session: Session
    missing: tuple[str, ...]


class Workspace:
    """The sessions in one state folder. `listeners` subscribe to every batch created here.

    `where` tells clients what the batches run in; `find` searches their paths.
    """

    def __init__(
        self,
        locations: Locations,
        listeners: Sequence[Listener] = (),
        where: Where = "run",
        find: Finder = find_in_portions,
    ) -> None:
        self._find = find
        self.locations = locations
        self._where: Where = where
        self._listeners = tuple(listeners)
        self._swept: list[DeletedFiles] = []

    async def incomplete(self) -> SessionList:
        """Unfinished sessions, the last changed first. Deletes nothing."""
        listed = await self.all_sessions()
        left = tuple(stored for stored in listed.sessions if stored.is_unfinished)
        return replace(listed, sessions=left)

    async def clean_up(self) -> None:
        """Delete leftovers of crashes: scratch files, sockets, sessions in which there is nothing.

        Done before a batch is created; what only shows sessions deletes nothing.
        """
        await asyncio.to_thread(self._clean_up)

    def _clean_up(self) -> None:
        self._swept.append(self.sweep())
        remove_empty(self.locations.sessions)

    async def all_sessions(self) -> SessionList:
        """All sessions, the last changed first, including those that are finished or in use."""
        return await asyncio.to_thread(self._all_sessions)

    def _all_sessions(self) -> SessionList:
        listed = list_sessions(self.locations.sessions)
        hidden = hidden_sessions(self.locations.not_offered)
        if not hidden:
            return listed
        sessions = (
            replace(one, hidden=one.session.session_id in hidden) for one in listed.sessions
        )
        return replace(listed, sessions=tuple(sessions))

    async def set_offered(self, session_ids: Sequence[str], *, offered: bool) -> None:
        """Offer these sessions at a start, or do not. Raises StorageError."""

        def save() -> None:
            known = {one.session.session_id for one in self._all_sessions().sessions}
            file = self.locations.not_offered
            hide_sessions(file, session_ids, hidden=not offered, known=known)

        await asyncio.to_thread(save)

    def sweep(self) -> DeletedFiles:
        """Delete scratch files and sockets that no running process uses."""
        with contextlib.suppress(StorageError):
            running(self.locations)
        sweep_links(self.locations.cache / LINKS, self.locations.sessions)
        return sweep(self.locations.scratch, self.locations.sessions, datetime.now())

    async def draft(self, settings: Settings, asked: Sequence[str]) -> SessionStore:
        """Create the session of a batch before anything else, with what it is asked to transcribe.

        Whatever happens meanwhile, a resume begins with that. Raises StorageError.
        """
        sessions, now = self.locations.sessions, datetime.now()
        texts = tuple(absolute_text(path) for path in asked)
        return await asyncio.to_thread(
            lambda: SessionStore.create(sessions, settings, now, asked=texts)
        )

    async def start(
        self,
        settings: Settings,
        folders: tuple[WatchedFolder, ...] = (),
        *,
        draft: SessionStore | None = None,
    ) -> Batch:
        """Create a batch with a new session that watches these folders. Raises StorageError.

        `draft` is its session, if it exists.
        """

        def create() -> SessionStore:
            self._clean_up()
            output = expand_home(text_to_path(path_to_text(settings.output.output_dir)))
            seen = folders_now([output])
            if draft is not None:
                draft.remember_folders(*seen)
                return draft
            started = self._where != "screen"
            store = SessionStore.create(
                self.locations.sessions, settings, datetime.now(), seen=seen, started=started
            )
            if folders:
                store.set_folders(folders)
            return store

        store = await asyncio.to_thread(create)
        await self._sweep_system_temp(settings)
        return self._create_batch(store)

    async def resume(
        self,
        stored: StoredSession,
        own: Settings,
        folders: tuple[WatchedFolder, ...] | None = None,
    ) -> Batch:
        """Create a batch that resumes a stored session, with its paths mapped as remembered.

        `own` gives what a session does not keep (`Settings.with_user_settings_of`). `folders`
        are watched instead of the session's. Raises SessionInUseError, StorageError, ConfigError.
        """

        def open_store() -> SessionStore:
            self._clean_up()
            maps = load_maps(self.locations.path_maps)
            store = adopt(stored, self.locations.sessions, maps=maps)
            if stored.hidden:  # what is interrupted from now on is offered again
                file, ids = self.locations.not_offered, [stored.session.session_id]
                with contextlib.suppress(StorageError):
                    hide_sessions(file, ids, hidden=False, known=hidden_sessions(file))
            if folders is not None and folders != store.folders:
                store.set_folders(folders)
            return store

        store = await asyncio.to_thread(open_store)
        await self._sweep_system_temp(store.session.settings)
        batch = self._create_batch(store)
        batch.state.use_settings_of_user(own)
        if store.asked:
            batch.send(AddPaths(tuple(map(searchable, store.asked))))
        return batch

    async def _sweep_system_temp(self, settings: Settings) -> None:
        """Delete what other programs left in the system's temporary folder, if that is enabled."""
        if settings.batch.sweep_system_temp:
            folder = Path(tempfile.gettempdir())
            now = datetime.now()
            self._swept.append(await asyncio.to_thread(sweep_system_temp, folder, now))

    async def mapped(self, stored: StoredSession) -> MappedSession:
        """The session as it would be resumed, and the folders that need a mapping before.

        Raises ConfigError.
        """

        def read_session() -> MappedSession:
            session = remap_session(stored.session, load_maps(self.locations.path_maps))
            return MappedSession(session, missing(session))

        return await asyncio.to_thread(read_session)

    async def remember(self, maps: Mapping[str, str]) -> None:
        """Remember where folders of other machines are on this one. Raises ConfigError."""
        path = self.locations.path_maps
        await asyncio.to_thread(lambda: save_maps(path, {**load_maps(path), **maps}))

    def _create_batch(self, store: SessionStore) -> Batch:
        batch = Batch(store, self.locations, self._where, find=self._find)
        swept, self._swept = self._swept, []
        batch.notices += [leftovers_text(removed) for removed in swept if removed.files]
        for listener in self._listeners:
            batch.subscribe(listener)
        return batch

    async def discard(self, stored: StoredSession) -> DeletedFiles:
        """Delete a stored session and its scratch files. Raises SessionInUseError, StorageError."""
        return await asyncio.to_thread(discard_stored, stored, self.locations.sessions)

    async def delete(self, stored: StoredSession) -> DeletedFiles:
        """Delete a stored session and the transcripts it wrote. Raises as `discard`."""
        return await asyncio.to_thread(delete_stored, stored, self.locations.sessions)

    async def transcript(self, stored: StoredSession, job: Job) -> Transcript:
        """The transcript of a file of a stored session. Raises StorageError."""
        return await asyncio.to_thread(stored_transcript, stored, self.locations.sessions, job)

    async def model_presence(self, settings: ModelSettings) -> str:
        """Whether a model is on this machine, in words."""
        return await asyncio.to_thread(presence_text, settings)

    async def model_needs(self, settings: Settings, names: Sequence[str]) -> dict[str, ModelNeeds]:
        """What these models need here, and how fast they were."""

        def examine() -> dict[str, ModelNeeds]:
            reading = MemoryMeter().read()
            return model_needs(settings, names, reading, self.locations.history)

        return await asyncio.to_thread(examine)

    async def running(self) -> tuple[Endpoint, ...]:
        """The endpoints of running batches, the oldest first."""
        return await asyncio.to_thread(running, self.locations)

    async def status(self, endpoint: Endpoint) -> BatchStatus:
        """The status of a running batch; never raises."""
        return await status_of(endpoint)

    async def attach(self, endpoint: Endpoint) -> RemoteBatch:
        """Attach to a batch of another process. Raises LinkError."""
        return await RemoteBatch.attach(endpoint, self.locations)
