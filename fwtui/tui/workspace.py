"""What the terminal application needs from whoever keeps sessions and runs batches."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from fwtui.batch.link import BatchLink
from fwtui.batch.remote.endpoints import Place
from fwtui.batch.remote.status import Glimpse
from fwtui.core.job import Job
from fwtui.core.segment import Transcript
from fwtui.core.settings import Settings
from fwtui.sessions.catalog import SessionList, StoredSession
from fwtui.sessions.delete import Discarded

if TYPE_CHECKING:
    from fwtui.batch.workspace import Mapped

Stored = StoredSession


class Runner(BatchLink, Protocol):
    """A batch in this process."""

    async def run(self) -> None:
        """Work until a Quit command; returns when everything is saved."""


class Workspace(Protocol):
    """Sessions and the batches made of them."""

    async def incomplete(self) -> SessionList:
        """Sessions with something left to do."""

    async def all_sessions(self) -> SessionList:
        """All sessions."""

    async def transcript(self, stored: Stored, job: Job) -> Transcript:
        """The words of a file of a session that nobody works on here."""

    async def start(self, settings: Settings) -> Runner:
        """A new session."""

    async def resume(self, stored: Stored, own: Settings) -> Runner:
        """Go on with this one, with the user's `own` screen, hooks and log."""

    async def mapped(self, stored: Stored) -> "Mapped":
        """The session with the paths of this machine, and which folders are not known here."""

    async def remember(self, maps: Mapping[str, str]) -> None:
        """Where folders of another machine are here."""

    async def running(self) -> tuple[Place, ...]:
        """Where batches of other processes can be reached."""

    async def look(self, place: Place) -> Glimpse:
        """What such a batch does at this moment."""

    async def attach(self, place: Place) -> Runner:
        """A batch of another process."""

    async def discard(self, stored: Stored) -> Discarded:
        """Delete it and everything that belongs to it."""

    async def delete(self, stored: Stored) -> Discarded:
        """Delete it and the transcripts it wrote."""
