"""Server: lets user interfaces attach to a batch, in the batch's own event loop."""

import asyncio
import contextlib
import hmac
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec

from fwtui.batch.link import BatchLink, EventCoalescer
from fwtui.batch.remote.endpoints import Listening
from fwtui.batch.remote.protocol import (
    LONGEST_HELLO,
    LONGEST_LINE,
    AskTranscript,
    End,
    Ended,
    FromClient,
    HaveTranscript,
    Hello,
    LinkMessage,
    Refused,
    Welcome,
    line,
    refusal,
)
from fwtui.core.commands import AddPaths, AnyCommand, Quit
from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    BatchProgress,
    BatchSnapshot,
    EngineChanged,
    JobChanged,
    JobProgress,
    JobsRemoved,
    LogLine,
    MemorySampled,
    Recap,
)
from fwtui.core.job import JobId, Processing
from fwtui.core.paths import searchable, text_to_path
from fwtui.core.segment import Transcript
from fwtui.disk.codec import UNREADABLE
from fwtui.errors import FwtuiError

MOST_BYTES = 16 << 20


class Outbox:
    """Messages to one client; adding one never blocks.

    If the client falls too far behind, `on_full` is called once and nothing more is added: the
    client has to connect again, and gets a new snapshot.
    """

    def __init__(self, on_full: Callable[[], None], most: int = MOST_BYTES) -> None:
        self.full = False
        self._on_full = on_full
        self._most = most
        self._bytes = 0
        self._coalescer: EventCoalescer[bytes] = EventCoalescer()
        self._added = asyncio.Event()
        self._last = False

    def event(self, event: AnyEvent) -> None:
        """Add an event. The first ones, which all clients get, may be of any size."""
        if self.full:
            return
        data = line(event)
        if self._coalescer.put(event, data) and not isinstance(event, BatchSnapshot | Recap):
            self._count(data)
        self._added.set()

    def message(self, message: LinkMessage) -> None:
        """Add a message that is not an event."""
        if not self.full:
            data = line(message)
            self._coalescer.keep(data)
            self._count(data)
            self._added.set()

    def _count(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > self._most:
            self.full = True
            self._on_full()

    def close(self) -> None:
        """Send what was added, then end."""
        self._last = True
        self._added.set()

    async def pump(self, writer: asyncio.StreamWriter) -> None:
        """Send everything as fast as the client reads it, until the outbox is closed or full.

        Raises OSError if the client is gone.
        """
        while not self.full:
            await self._added.wait()
            self._added.clear()
            last, self._bytes = self._last, 0
            writer.write(b"".join(self._coalescer.drain()))
            await writer.drain()
            if last:
                return


HELLO_SECONDS = 30.0
# A client that does not read the last message is not waited for any longer.
GOODBYE_SECONDS = 2.0


# Errors that end a connection: it is lost, a line is too long, or not our protocol.
class LineReader:
    """Lines of up to `LONGEST_LINE`, from a stream whose own limit is that of a hello."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def next(self) -> bytes:
        """The next line; empty at the end. Raises ValueError if it is too long."""
        parts, length = [], 0
        while length <= LONGEST_LINE:
            try:
                parts.append(await self._reader.readuntil())
                return b"".join(parts)
            except asyncio.IncompleteReadError as error:
                return b"".join((*parts, error.partial))
            except asyncio.LimitOverrunError as error:
                part = await self._reader.read(error.consumed)
                parts.append(part)
                length += len(part)
        raise ValueError("a line of a client is too long")


_BROKEN = (OSError, EOFError, ValueError, *UNREADABLE)


class ClientConnection:
    """Connection to one client, which is ended when the client falls too far behind."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.outbox = Outbox(self.abort)
        self.writing: asyncio.Task[None] = asyncio.create_task(self._write())

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    async def _write(self) -> None:
        with contextlib.suppress(OSError):
            await self.outbox.pump(self._writer)


class ServedBatch(BatchLink, Protocol):
    """What the server needs of a batch."""

    @property
    def welcome(self) -> Welcome:
        """The description of the batch at this moment."""

    @property
    def recap(self) -> Recap:
        """What a client has missed so far."""

    def end(self) -> None:
        """Stop the batch, and end its process unless that has a screen."""


class BatchServer:
    """Accepts clients, sends them the batch's events and passes on their commands."""

    def __init__(self, batch: ServedBatch) -> None:
        self._batch = batch
        self._listening: Listening | None = None
        self._server: asyncio.Server | None = None
        self._clients: set[ClientConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def clients(self) -> int:
        """The number of attached clients."""
        return len(self._clients)

    async def open(self, listening: Listening) -> None:
        """Accept clients from now on."""
        self._listening = listening
        self._server = await asyncio.start_server(
            self._serve, sock=listening.socket, limit=LONGEST_HELLO
        )

    async def close(self) -> None:
        """Tell all clients that the batch has ended, and accept no more."""
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
                await self._serve_client(reader, writer)
        except (TimeoutError, *_BROKEN):
            pass  # a broken client must not disturb the batch
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Accept or refuse a client; returns whether it was accepted."""
        assert self._listening is not None
        data = await asyncio.wait_for(reader.readline(), HELLO_SECONDS)
        hello = msgspec.json.decode(data, type=Hello)
        endpoint = self._listening.endpoint
        refused = refusal(hello, endpoint.pid)
        if not hmac.compare_digest(hello.token.encode(), endpoint.token.encode()):
            refused = Refused("This batch belongs to another user")
        writer.write(line(refused or self._batch.welcome))
        await writer.drain()
        return refused is None

    async def _serve_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        client = ClientConnection(writer)
        decoder: msgspec.json.Decoder[FromClient] = msgspec.json.Decoder(FromClient)
        unsubscribe = self._batch.subscribe(client.outbox.event)  # emits the snapshot
        client.outbox.event(self._batch.recap)
        self._clients.add(client)
        try:
            lines = LineReader(reader)
            while data := await lines.next():
                self._handle(decoder.decode(data), client)
        finally:
            self._clients.discard(client)
            unsubscribe()
            client.writing.cancel()
            await asyncio.gather(client.writing, return_exceptions=True)

    def _handle(self, message: End | AskTranscript | AnyCommand, client: ClientConnection) -> None:
        match message:
            case AskTranscript():
                task = asyncio.create_task(self._answer(message, client))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case End():
                self._batch.end()
            case Quit():
                pass  # a client can only detach: quitting is up to the owner
            case AddPaths(paths=paths, roots=roots, lengths=lengths):
                names = tuple(map(searchable, paths))
                folders = tuple(str(text_to_path(root)) for root in roots)
                self._batch.send(AddPaths(names, folders, lengths))
            case _:
                self._batch.send(message)

    async def _answer(self, question: AskTranscript, client: ClientConnection) -> None:
        try:
            transcript, error = await self._batch.transcript(question.job), ""
        except FwtuiError as failed:
            transcript, error = Transcript("", ()), failed.title
        client.outbox.message(HaveTranscript(question.number, transcript, error))


LOG_LINES = 2_000
MEMORY_SAMPLES = 600


class RecapRecorder:
    """Listener that keeps what a `Recap` needs, in bounded memory."""

    def __init__(self) -> None:
        self._log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self._rss: deque[float] = deque(maxlen=MEMORY_SAMPLES)
        self._progress: dict[JobId, JobProgress] = {}
        self._batch: BatchProgress | None = None
        self._finished: BatchFinished | None = None
        self._loading: set[int] = set()

    @property
    def recap(self) -> Recap:
        """The recap at this moment."""
        return Recap(
            log=tuple(self._log),
            rss=tuple(self._rss),
            progress=tuple(self._progress.values()),
            batch=self._batch,
            finished=self._finished,
            loading=tuple(sorted(self._loading)),
        )

    @property
    def finished(self) -> BatchFinished | None:
        """The last end of the batch; None if there was none."""
        return self._finished

    def record(self, event: AnyEvent) -> None:
        """Record an event."""
        match event:
            case LogLine():
                self._log.append(event)
            case MemorySampled(reading=reading):
                self._rss.append(reading.rss)
            case JobProgress(id=job):
                self._progress[job] = event
            case JobChanged(job=job):
                if not isinstance(job.state, Processing):
                    self._progress.pop(job.id, None)
            case JobsRemoved(ids=ids):
                for gone in ids:
                    self._progress.pop(gone, None)
            case BatchProgress():
                self._batch = event
            case BatchFinished():
                self._finished = event
            case EngineChanged(slot=slot, loading=True):
                self._loading.add(slot)
            case EngineChanged(slot=slot):
                self._loading.discard(slot)
            case _:
                pass
