"""Client: a batch of another process as a `BatchLink`."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from fwtui.batch.discovery import absolute
from fwtui.batch.link import Listener
from fwtui.batch.remote.endpoints import Endpoint, connect, is_running
from fwtui.batch.remote.protocol import (
    LONGEST_LINE,
    AskTranscript,
    Ended,
    FromBatch,
    HaveTranscript,
    Hello,
    LinkMessage,
    Refused,
    Welcome,
    line,
)
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, AnyCommand, Quit
from fwtui.core.events import AnyEvent, BatchSnapshot, Level, LogLine, Recap
from fwtui.core.job import JobId
from fwtui.core.paths import is_link, path_to_text
from fwtui.core.segment import Transcript
from fwtui.disk.codec import UNREADABLE
from fwtui.errors import BatchEndedError, LinkError

ANSWER_SECONDS = 20.0
# A batch that dropped this client accepts it again at once; one that is ending is soon gone.
_TRIES, _PAUSE = 20, 0.25


class Connection:
    """An accepted connection, with the first messages."""

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
    async def open(cls, endpoint: Endpoint, seconds: float = ANSWER_SECONDS) -> "Connection":
        """Connect and read the first messages. Raises LinkError."""
        if not endpoint.is_local:
            raise LinkError(
                f"Session {endpoint.session_id} is in use by {endpoint}, which is another computer",
                f"attach there: ssh {endpoint.host} -t fwtui attach",
            )
        try:
            async with asyncio.timeout(seconds):
                return await cls._open(endpoint)
        except TimeoutError as error:
            raise LinkError(
                f"The batch of process {endpoint.pid} does not answer",
                "it may be suspended (Ctrl-Z) or very busy; try again",
            ) from error
        except (OSError, EOFError, ValueError, *UNREADABLE) as error:
            raise LinkError(
                f"The batch of process {endpoint.pid} cannot be reached: {error}",
                "it may just have ended; see: fwtui status",
            ) from error

    @classmethod
    async def _open(cls, endpoint: Endpoint) -> "Connection":
        opened = await asyncio.to_thread(connect, endpoint)
        reader, writer = await asyncio.open_connection(sock=opened, limit=LONGEST_LINE)
        try:
            writer.write(line(Hello(token=endpoint.token)))
            answer = msgspec.json.decode(await reader.readline(), type=Welcome | Refused)
            if isinstance(answer, Refused):
                raise LinkError(answer.title, answer.hint)
            connection = cls(reader, writer, answer)
            snapshot, recap = await connection.read(), await connection.read()
            if not (isinstance(snapshot, BatchSnapshot) and isinstance(recap, Recap)):
                raise EOFError("unexpected first message")
        except BaseException:
            writer.close()
            raise
        connection.snapshot, connection.recap = snapshot, recap
        return connection

    @property
    def is_closed(self) -> bool:
        """Whether it is closed for sending."""
        return self._writer.is_closing()

    async def read(self) -> AnyEvent | HaveTranscript | Ended | None:
        """The next message; None at the end of the connection. Raises LinkError."""
        try:
            data = await self._reader.readline()
            return self._decoder.decode(data) if data.endswith(b"\n") else None
        except OSError:
            return None
        except (ValueError, *UNREADABLE) as error:
            raise LinkError(
                "The batch sent an unknown message",
                "fwtui was updated while it was running; it continues, and can be stopped with"
                f": kill {self.welcome.pid}",
            ) from error

    def write(self, message: LinkMessage | AnyCommand) -> None:
        """Send a message. A broken connection shows in `read`."""
        self._writer.write(line(message))

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


class RemoteBatch:
    """A batch of another process. Implements `BatchLink`; `Quit` only detaches from it.

    Listeners must subscribe before `run` has read its first event, to miss none.
    """

    def __init__(self, endpoint: Endpoint, locations: Locations, connection: Connection) -> None:
        self.endpoint = endpoint
        self._locations = locations
        self._connection = connection
        self._listeners: list[Listener] = []
        self._numbers = itertools.count()
        self._questions: dict[int, asyncio.Future[Transcript]] = {}
        self._detached = False
        log = connection.recap.log
        self._logged = log[-1].at if log else None

    @classmethod
    async def attach(cls, endpoint: Endpoint, locations: Locations) -> "RemoteBatch":
        """Connect to a running batch. Raises LinkError."""
        return cls(endpoint, locations, await Connection.open(endpoint))

    @property
    def welcome(self) -> Welcome:
        """The batch's description of itself."""
        return self._connection.welcome

    def send(self, command: AnyCommand) -> None:
        match command:
            case Quit():
                self._detached = True
                self._connection.close()
            case _ if self._connection.is_closed:
                text = f"{type(command).__name__} was not sent: no connection to the batch"
                self._emit(LogLine(datetime.now(UTC), Level.WARNING, text))
            case AddPaths(paths=paths, roots=roots, lengths=lengths):
                # The batch may have another current folder.
                whole = tuple(
                    path if is_link(path) else path_to_text(absolute(path)) for path in paths
                )
                below = tuple(path_to_text(absolute(root)) for root in roots)
                self._connection.write(AddPaths(whole, below, lengths))
            case _:
                self._connection.write(command)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        listener(self._connection.snapshot)
        listener(self._connection.recap)
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def transcript(self, job: JobId) -> Transcript:
        """The transcript of a job so far. Raises LinkError."""
        if self._connection.is_closed:
            raise LinkError("No connection to the batch: the transcript cannot be read")
        number = next(self._numbers)
        answer: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
        self._questions[number] = answer
        self._connection.write(AskTranscript(number, job))
        try:
            return await answer
        finally:
            del self._questions[number]

    async def run(self) -> None:
        """Handle messages until this side detaches.

        Raises BatchEndedError if the batch has ended, LinkError if the connection is lost.
        """
        try:
            while not self._detached:
                await self._handle(await self._connection.read())
        finally:
            self._connection.close()
            self._fail_questions()

    async def _handle(self, message: AnyEvent | HaveTranscript | Ended | None) -> None:
        match message:
            case None:
                self._fail_questions()
                if not self._detached:
                    await self._reconnect()
            case Ended():
                raise BatchEndedError(
                    "The batch was stopped elsewhere",
                    "start fwtui again to resume what is left",
                )
            case HaveTranscript(number=number, transcript=transcript, error=error):
                answer = self._questions.get(number)
                if answer is not None and not answer.done():
                    if error:
                        answer.set_exception(LinkError(error))
                    else:
                        answer.set_result(transcript)
            case _:
                self._emit(message)

    def _emit(self, event: AnyEvent) -> None:
        if isinstance(event, LogLine):
            self._logged = event.at
        for listener in tuple(self._listeners):
            listener(event)

    def _fail_questions(self) -> None:
        for answer in self._questions.values():
            if not answer.done():
                answer.set_exception(LinkError("The connection to the batch was lost"))

    async def _reconnect(self) -> None:
        """Connect again after the connection broke; the batch sends everything again."""
        self._connection.close()
        for _ in range(_TRIES):
            if not await asyncio.to_thread(is_running, self.endpoint, self._locations):
                raise BatchEndedError(
                    "The batch has ended unexpectedly",
                    "what was finished is saved; start fwtui again to resume it",
                )
            with contextlib.suppress(LinkError):
                self._connection = await Connection.open(self.endpoint)
                break
            await asyncio.sleep(_PAUSE)
        else:
            raise LinkError(
                "The connection to the batch was lost", "the batch continues; see: fwtui status"
            )
        self._emit(self._connection.snapshot)
        seen, recap = self._logged, self._connection.recap
        missed = tuple(line for line in recap.log if seen is None or line.at > seen)
        self._emit(replace(recap, log=missed))
