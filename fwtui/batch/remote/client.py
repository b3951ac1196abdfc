"""The user interface's end: a batch in another process, as a `BatchLink`."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from fwtui.batch.discovery import absolute
from fwtui.batch.link import Listener
from fwtui.batch.remote.endpoints import Place, connect, is_running
from fwtui.batch.remote.protocol import (
    LONGEST_LINE,
    AskTranscript,
    Ended,
    FromBatch,
    HaveTranscript,
    Hello,
    Message,
    Refused,
    Welcome,
    line,
)
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, AnyCommand, Quit
from fwtui.core.events import AnyEvent, BatchSnapshot, Level, LogLine, Recap
from fwtui.core.job import JobId
from fwtui.core.paths import path_to_text
from fwtui.core.segment import Transcript
from fwtui.disk.codec import UNREADABLE
from fwtui.errors import BatchEndedError, LinkError

ANSWER_SECONDS = 20.0
# A batch that dropped this client lets it in again at once; one that ends is soon gone.
_TRIES, _PAUSE = 20, 0.25


class Connection:
    """A connection that is welcome, with what came first."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, welcome: Welcome
    ) -> None:
        self.welcome = welcome
        self.snapshot: BatchSnapshot
        self.recap: Recap
        self._reader = reader
        self._writer = writer
        self._decoder: msgspec.json.Decoder[FromBatch] = msgspec.json.Decoder(FromBatch)

    @classmethod
    async def open(cls, place: Place, seconds: float = ANSWER_SECONDS) -> "Connection":
        """Connect and hear the beginning. Raises LinkError that says why not."""
        if not place.is_here:
            raise LinkError(
                f"Session {place.session_id} is worked on by {place}, not on this computer",
                f"attach there: ssh {place.host} -t fwtui attach",
            )
        try:
            async with asyncio.timeout(seconds):
                return await cls._open(place)
        except TimeoutError as error:
            raise LinkError(
                f"The batch of process {place.pid} does not answer",
                "it may be stopped (Ctrl-Z) or very busy; try again",
            ) from error
        except (OSError, EOFError, ValueError, *UNREADABLE) as error:
            raise LinkError(
                f"The batch of process {place.pid} cannot be reached: {error}",
                "it may have ended at this moment; see: fwtui status",
            ) from error

    @classmethod
    async def _open(cls, place: Place) -> "Connection":
        opened = await asyncio.to_thread(connect, place)
        reader, writer = await asyncio.open_connection(sock=opened, limit=LONGEST_LINE)
        try:
            writer.write(line(Hello(token=place.token)))
            answer = msgspec.json.decode(await reader.readline(), type=Welcome | Refused)
            if isinstance(answer, Refused):
                raise LinkError(answer.title, answer.hint)
            connection = cls(reader, writer, answer)
            snapshot, recap = await connection.read(), await connection.read()
            if not (isinstance(snapshot, BatchSnapshot) and isinstance(recap, Recap)):
                raise EOFError("it began with something else")
        except BaseException:
            writer.close()
            raise
        connection.snapshot, connection.recap = snapshot, recap
        return connection

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._writer.is_closing()

    async def read(self) -> AnyEvent | HaveTranscript | Ended | None:
        """The next message; None when the connection is over. Raises LinkError."""
        try:
            said = await self._reader.readline()
            return self._decoder.decode(said) if said.endswith(b"\n") else None
        except OSError:
            return None
        except (ValueError, *UNREADABLE) as error:
            raise LinkError(
                "The batch said something that is not our protocol",
                "fwtui was changed while it ran; it goes on, and can be stopped with"
                f": kill {self.welcome.pid}",
            ) from error

    def write(self, message: Message | AnyCommand) -> None:
        """Send something; what it comes to is heard, or the connection is over."""
        self._writer.write(line(message))

    def close(self) -> None:
        """Leave."""
        self._writer.close()


class RemoteBatch:
    """Implements `BatchLink`. `Quit` only leaves: the batch goes on.

    Listeners must subscribe before `run` goes on from its first event, as `Host` does: they hear
    everything from the beginning then.
    """

    def __init__(self, place: Place, locations: Locations, connection: Connection) -> None:
        self.place = place
        self._locations = locations
        self._connection = connection
        self._listeners: list[Listener] = []
        self._numbers = itertools.count()
        self._questions: dict[int, asyncio.Future[Transcript]] = {}
        self._left = False
        log = connection.recap.log
        self._logged = log[-1].at if log else None

    @classmethod
    async def attach(cls, place: Place, locations: Locations) -> "RemoteBatch":
        """Connect to a running batch. Raises LinkError."""
        return cls(place, locations, await Connection.open(place))

    @property
    def welcome(self) -> Welcome:
        """What the batch said of itself."""
        return self._connection.welcome

    def send(self, command: AnyCommand) -> None:
        """See `BatchLink`."""
        match command:
            case Quit():
                self._left = True
                self._connection.close()
            case _ if self._connection.is_closed:
                text = f"{type(command).__name__} was not sent: the batch cannot be reached"
                self._tell(LogLine(datetime.now(UTC), Level.WARNING, text))
            case AddPaths(paths=paths, roots=roots):
                # The batch may have another current folder.
                whole = tuple(path_to_text(absolute(path)) for path in paths)
                below = tuple(path_to_text(absolute(root)) for root in roots)
                self._connection.write(AddPaths(whole, below))
            case _:
                self._connection.write(command)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See `BatchLink`."""
        listener(self._connection.snapshot)
        listener(self._connection.recap)
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def transcript(self, job: JobId) -> Transcript:
        """See `BatchLink`; raises LinkError when the batch cannot be asked or cannot read it."""
        if self._connection.is_closed:
            raise LinkError("The batch cannot be reached: its transcript cannot be read")
        number = next(self._numbers)
        answer: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
        self._questions[number] = answer
        self._connection.write(AskTranscript(number, job))
        try:
            return await answer
        finally:
            del self._questions[number]

    async def run(self) -> None:
        """Hear the batch until this side leaves.

        Raises BatchEndedError when the batch ended before, LinkError when it cannot be reached.
        """
        try:
            while not self._left:
                await self._hear(await self._connection.read())
        finally:
            self._connection.close()
            self._no_answers()

    async def _hear(self, message: AnyEvent | HaveTranscript | Ended | None) -> None:
        match message:
            case None:
                self._no_answers()
                if not self._left:
                    await self._come_again()
            case Ended():
                raise BatchEndedError(
                    "The batch was ended where it runs",
                    "what is left of it can be resumed: start fwtui again",
                )
            case HaveTranscript(number=number, transcript=transcript, error=error):
                answer = self._questions.get(number)
                if answer is not None and not answer.done():
                    if error:
                        answer.set_exception(LinkError(error))
                    else:
                        answer.set_result(transcript)
            case _:
                self._tell(message)

    def _tell(self, event: AnyEvent) -> None:
        if isinstance(event, LogLine):
            self._logged = event.at
        for listener in tuple(self._listeners):
            listener(event)

    def _no_answers(self) -> None:
        for answer in self._questions.values():
            if not answer.done():
                answer.set_exception(LinkError("The connection to the batch was lost"))

    async def _come_again(self) -> None:
        """The connection broke: a batch that still runs tells everything anew."""
        self._connection.close()
        for _ in range(_TRIES):
            if not await asyncio.to_thread(is_running, self.place, self._locations):
                raise BatchEndedError(
                    "The batch has ended unexpectedly",
                    "what was finished is saved; start fwtui again to resume it",
                )
            with contextlib.suppress(LinkError):
                self._connection = await Connection.open(self.place)
                break
            await asyncio.sleep(_PAUSE)
        else:
            raise LinkError(
                "The connection to the batch was lost", "the batch goes on; see: fwtui status"
            )
        self._tell(self._connection.snapshot)
        seen, recap = self._logged, self._connection.recap
        news = tuple(line for line in recap.log if seen is None or line.at > seen)
        self._tell(replace(recap, log=news))
