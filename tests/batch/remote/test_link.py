"""Attaching to a real batch over its real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest

from fwtui.batch.remote import server
from fwtui.batch.remote.batch_status import last_result
from fwtui.batch.remote.endpoints import Endpoint, connect
from fwtui.batch.remote.protocol import Hello, Refused, Welcome, line
from fwtui.batch.remote.server import Outbox
from fwtui.core.commands import AddPaths, Pause, Quit, SkipJobs, Start
from fwtui.core.events import (
    BatchFinished,
    JobsAdded,
    Level,
    LogLine,
    MemorySampled,
    Phase,
    PhaseChanged,
    Recap,
    SegmentsFound,
)
from fwtui.core.job import Completed, Skipped
from fwtui.errors import BatchEndedError, ExitCode, LinkError
from tests.batch.driver import MINUTE, PATIENCE, SHORT, BatchDriver, settings_for
from tests.batch.remote.client import Client

NEVER_MERGED = (SegmentsFound, PhaseChanged, JobsAdded, LogLine, BatchFinished)


async def place_of(batch: BatchDriver) -> Endpoint:
    async with asyncio.timeout(PATIENCE):
        while not (endpoints := await batch.workspace.running()):
            await asyncio.sleep(0.01)  # the batch is just opening its socket
    return endpoints[0]


@asynccontextmanager
async def attached(batch: BatchDriver) -> AsyncIterator[Client]:
    client = Client(await batch.workspace.attach(await place_of(batch)))
    yield client
    client.link.send(Quit())
    await asyncio.wait_for(asyncio.gather(client.running, return_exceptions=True), PATIENCE)


async def test_two_clients_see_and_steer_what_the_owner_sees(tmp_path: Path) -> None:
    """Also a client that comes late, in the middle of a file."""
    out = tmp_path / "out"
    async with BatchDriver(settings_for(out), [MINUTE]) as batch, attached(batch) as first:
        seen = len(batch.events)
        first.link.send(Start())
        await first.until(lambda event: isinstance(event, SegmentsFound))
        first.link.send(Pause())
        await first.phase(Phase.PAUSED)
        async with attached(batch) as second:
            (snapshot,) = second.snapshots
            assert snapshot.phase is Phase.PAUSED
            recap = second.events[1]
            assert isinstance(recap, Recap)
            assert recap.progress[0].done > 0
            assert [entry.text for entry in recap.log] == batch.log
            transcript = await second.link.transcript(snapshot.jobs[0].id)
            found = [s for e in batch.events if isinstance(e, SegmentsFound) for s in e.segments]
            assert transcript.segments == tuple(found)
            # A path as it is seen from where the client is.
            second.link.send(AddPaths((str(SHORT),), lengths={str(SHORT): 12.5}))
            await second.until(
                lambda event: isinstance(event, JobsAdded) and event.jobs[0].duration == 12.5
            )
            second.link.send(SkipJobs((2,)))
            second.link.send(Start())
            await second.until(lambda event: isinstance(event, BatchFinished))
        await first.until(lambda event: isinstance(event, BatchFinished))
        wanted = [event for event in batch.events[seen:] if isinstance(event, NEVER_MERGED)]
        heard = [event for event in first.events if isinstance(event, NEVER_MERGED)]
        assert heard[-len(wanted) :] == wanted
    done, skipped = batch.jobs[1].state, batch.jobs[2].state
    assert isinstance(done, Completed)
    assert isinstance(skipped, Skipped)
    result = last_result(batch.workspace.locations.last_batch)
    assert result is not None
    assert (result.exit_code, result.completed, result.total) == (ExitCode.DONE, 1, 2)


async def test_a_client_that_leaves_leaves_the_batch_and_hears_of_its_end_otherwise(
    tmp_path: Path,
) -> None:
    async with BatchDriver(settings_for(tmp_path), [SHORT]) as batch:
        async with attached(batch) as gone:
            gone.link.send(Quit())
            await asyncio.wait_for(gone.running, PATIENCE)
            with pytest.raises(LinkError):
                await gone.link.transcript(1)
            gone.link.send(Start())
            last = gone.events[-1]
            assert isinstance(last, LogLine)
            assert "was not sent" in last.text
        client = Client(await batch.workspace.attach(await place_of(batch)))
    with pytest.raises(BatchEndedError):
        await asyncio.wait_for(client.running, PATIENCE)
    assert list(batch.workspace.locations.live.iterdir()) == []


async def test_in_the_background_it_ends_when_there_is_nothing_to_do_and_nobody_looks(
    tmp_path: Path,
) -> None:
    batch = BatchDriver(settings_for(tmp_path), [SHORT])
    async with batch, attached(batch) as client:
        batch.actor.go_to_background()
        here = len(client.events)
        for _ in range(2):
            await client.until(lambda event: isinstance(event, MemorySampled), here)
            here = len(client.events)
        assert not batch._task.done()
        client.link.send(Quit())
        await asyncio.wait_for(batch._task, PATIENCE)


async def test_in_the_background_no_reading_follows_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fwtui.batch.memory_sampling.SAMPLE_SECONDS", 0.0)
    async with BatchDriver(settings_for(tmp_path), [SHORT]) as batch:
        batch.send(Start())
        await batch.until(SegmentsFound)
        batch.actor.go_to_background()
        await asyncio.wait_for(batch._task, PATIENCE)
    assert isinstance(batch.events[-1], BatchFinished)


async def test_who_falls_too_far_behind_is_dropped_and_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "Outbox", partial(Outbox, most=1 << 20))
    async with BatchDriver(settings_for(tmp_path), [SHORT]) as batch:
        link = await batch.workspace.attach(await place_of(batch))
        async with attached(batch) as quick:
            door = batch.actor._server
            assert door.clients == 2
            # As when the terminal is stopped, or on a line that is too slow.
            transport = link._connection._writer.transport
            assert isinstance(transport, asyncio.ReadTransport)
            transport.pause_reading()
            number = 0
            async with asyncio.timeout(PATIENCE):
                while door.clients == 2:
                    number += 1
                    batch.actor.state.log(Level.INFO, f"{number} " + "x" * 100_000)
                    await quick.log_line(f"{number} ")
            batch.actor.state.log(Level.INFO, "the last one")
            transport.resume_reading()
            slow = Client(link)
            await slow.until(lambda _: len(slow.snapshots) == 2)
            await slow.until(lambda e: isinstance(e, Recap) and bool(e.log))
            texts = [e.text for e in slow.events if isinstance(e, LogLine)]
            for event in slow.events:
                texts += [entry.text for entry in event.log] if isinstance(event, Recap) else []
            assert texts[-1] == "the last one"
            assert len(texts) == len(set(texts)) == number + 1
            link.send(Quit())
            await asyncio.wait_for(slow.running, PATIENCE)


async def say(endpoint: Endpoint, hello: bytes) -> bytes:
    """The answer to a first line."""
    reader, writer = await asyncio.open_connection(sock=connect(endpoint))
    writer.write(hello)
    answer = await asyncio.wait_for(reader.readline(), PATIENCE)
    writer.close()
    return answer


@pytest.mark.parametrize("hello", [Hello(protocol=99), Hello(version="0.0.1")])
async def test_another_version_is_refused(hello: Hello, tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path), [SHORT]) as batch:
        endpoint = await place_of(batch)
        refused = msgspec.json.decode(await say(endpoint, line(hello)), type=Welcome | Refused)
        assert isinstance(refused, Refused)
        assert hello.version in refused.title
        assert f"kill {endpoint.pid}" in refused.hint


async def test_who_is_no_client_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fwtui.batch.remote.endpoints.LONGEST_SOCKET_PATH", 0)
    async with BatchDriver(settings_for(tmp_path), [SHORT]) as batch:
        endpoint = await place_of(batch)
        assert endpoint.port
        assert await say(endpoint, b"GET / HTTP/1.1\r\n\r\n") == b""
        answer = msgspec.json.decode(await say(endpoint, line(Hello())), type=Welcome | Refused)
        assert isinstance(answer, Refused)  # without the secret
        assert "another user" in answer.title
        async with attached(batch) as client:
            assert client.snapshots
            client.link._connection._writer.write(b"[]\n")  # a mistake in a client
            await client.until(lambda _: len(client.snapshots) == 2)
