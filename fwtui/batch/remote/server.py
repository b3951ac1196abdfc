"""The batch's end: lets user interfaces attach, in the batch's own loop."""

import asyncio
import contextlib
import hmac
from typing import Protocol

import msgspec

from fwtui.batch.link import BatchLink
from fwtui.batch.remote.endpoints import Listening
from fwtui.batch.remote.outbox import Outbox
from fwtui.batch.remote.protocol import (
    LONGEST_LINE,
    AskTranscript,
    End,
    Ended,
    FromClient,
    HaveTranscript,
    Hello,
    Refused,
    Welcome,
    line,
    refusal,
)
from fwtui.core.commands import AddPaths, AnyCommand, Quit
from fwtui.core.events import Recap
from fwtui.core.paths import text_to_path
from fwtui.core.segment import Transcript
from fwtui.disk.codec import UNREADABLE
from fwtui.errors import FwtuiError

HELLO_SECONDS = 30.0
# A client that does not even take the end is not waited for any longer.
GOODBYE_SECONDS = 2.0
# What a connection can end with: it is gone, too long a line, or not our protocol.
_BROKEN = (OSError, EOFError, ValueError, *UNREADABLE)


class Connected:
    """One client. Ends the connection by itself when the client falls too far behind."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.outbox = Outbox(self.abort)
        self.writing: asyncio.Task[None] = asyncio.create_task(self._write())

    def abort(self) -> None:
        """End the connection, whatever was still to be sent."""
        self._writer.transport.abort()

    async def _write(self) -> None:
        with contextlib.suppress(OSError):
            await self.outbox.pump(self._writer)


class Served(BatchLink, Protocol):
    """A batch that can be served."""

    @property
    def welcome(self) -> Welcome:
        """What it is, at this moment."""

    @property
    def recap(self) -> Recap:
        """What a client has missed so far."""

    def end(self) -> None:
        """Stop, and end whatever it runs in, unless that is a screen."""


class BatchServer:
    """Serves a batch."""

    def __init__(self, batch: Served) -> None:
        self._batch = batch
        self._listening: Listening | None = None
        self._server: asyncio.Server | None = None
        self._clients: set[Connected] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def clients(self) -> int:
        """How many look at the batch."""
        return len(self._clients)

    async def open(self, listening: Listening) -> None:
        """Let clients in from now on."""
        self._listening = listening
        self._server = await asyncio.start_server(
            self._serve, sock=listening.socket, limit=LONGEST_LINE
        )

    async def close(self) -> None:
        """Tell all clients that the batch has ended, and let nobody in any more."""
        if self._server is None or self._listening is None:
            return
        self._server.close()
        await asyncio.to_thread(self._listening.remove)
        for client in self._clients:
            client.outbox.message(Ended())
            client.outbox.close()
        writing = [client.writing for client in self._clients]
        if writing:
            await asyncio.wait(writing, timeout=GOODBYE_SECONDS)
        for client in self._clients:
            if not client.writing.done():
                client.abort()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its beginning to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if await self._greet(reader, writer):
                await self._attend(reader, writer)
        except (TimeoutError, *_BROKEN):
            pass  # the client's end is no matter of the batch
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Say welcome or why not; whether the client may stay."""
        assert self._listening is not None
        said = await asyncio.wait_for(reader.readline(), HELLO_SECONDS)
        hello = msgspec.json.decode(said, type=Hello)
        place = self._listening.place
        refused = refusal(hello, place.pid)
        if not hmac.compare_digest(hello.token.encode(), place.token.encode()):
            refused = Refused("This batch belongs to another user")
        writer.write(line(refused or self._batch.welcome))
        await writer.drain()
        return refused is None

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Connected(writer)
        decoder: msgspec.json.Decoder[FromClient] = msgspec.json.Decoder(FromClient)
        unsubscribe = self._batch.subscribe(client.outbox.event)  # the snapshot is there now
        client.outbox.event(self._batch.recap)
        self._clients.add(client)
        try:
            while said := await reader.readline():
                self._obey(decoder.decode(said), client)
        finally:
            self._clients.discard(client)
            unsubscribe()
            client.writing.cancel()
            await asyncio.gather(client.writing, return_exceptions=True)

    def _obey(self, message: End | AskTranscript | AnyCommand, client: Connected) -> None:
        match message:
            case AskTranscript():
                task = asyncio.create_task(self._answer(message, client))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case End():
                self._batch.end()
            case Quit():
                pass  # to leave is the client's own matter, to end the owner's
            case AddPaths(paths=paths, roots=roots):
                plain = tuple(str(text_to_path(path)) for path in paths)
                below = tuple(str(text_to_path(root)) for root in roots)
                self._batch.send(AddPaths(plain, below))
            case _:
                self._batch.send(message)

    async def _answer(self, question: AskTranscript, client: Connected) -> None:
        try:
            transcript, error = await self._batch.transcript(question.job), ""
        except FwtuiError as trouble:
            transcript, error = Transcript("", ()), trouble.title
        client.outbox.message(HaveTranscript(question.number, transcript, error))
