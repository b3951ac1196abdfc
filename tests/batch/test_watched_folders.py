"""Watched folders feed a real batch: what comes is transcribed, once, and then settled."""

import asyncio
import os
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.audio.identity import identify
from fwtui.batch.watched_folders import reconcile
from fwtui.config.locations import Locations
from fwtui.core.commands import (
    AddPaths,
    Pause,
    RemoveJobs,
    Start,
    UndoRemove,
    UnwatchFolder,
    WatchFolder,
)
from fwtui.core.events import (
    BatchFinished,
    FoldersChanged,
    JobChanged,
    JobsAdded,
    JobsRemoved,
    LogLine,
    Phase,
    PhaseChanged,
)
from fwtui.core.failure import FailureKind
from fwtui.core.job import Completed, Failed, Job, JobId, Pending
from fwtui.core.paths import path_to_text
from fwtui.core.settings import DoneSettings, MemorySettings, Settings
from fwtui.core.watched_folder import WatchedFolder
from fwtui.sessions.store import SessionStore
from fwtui.watch.actions import can_tag
from fwtui.watch.processed import ProcessedFile, ProcessedFiles, processed_file
from tests.batch.driver import SHORT, BatchDriver, outputs, settings_for


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    pair = tmp_path / "one", tmp_path / "two"
    for root in pair:
        root.mkdir()
    return pair


def put(folder: Path, name: str, more: bytes = b"") -> Path:
    """A whole recording in one step; `more` makes its content another one."""
    waiting = folder.parent / f"{name}.coming"
    waiting.write_bytes(SHORT.read_bytes() + more)
    return waiting.rename(folder / name)


async def added(batch: BatchDriver, name: str) -> JobId:
    event = await batch.until(JobsAdded, lambda event: any(job.name == name for job in event.jobs))
    return next(job.id for job in event.jobs if job.name == name)


async def phase(batch: BatchDriver, wanted: Phase, since: int = 0) -> None:
    await batch.until(PhaseChanged, lambda event: event.phase is wanted, since)


async def until_job(
    batch: BatchDriver, job: JobId, fits: type[object], path: Path, since: int
) -> Job:
    event = await batch.until(
        JobChanged,
        lambda event: (
            event.job.id == job and isinstance(event.job.state, fits) and event.job.file == path
        ),
        since,
    )
    return event.job


async def test_two_folders_each_in_its_own_way(tmp_path: Path, roots: tuple[Path, Path]) -> None:
    one, two = roots
    out, other = tmp_path / "out", tmp_path / "other"
    taking = WatchedFolder(path=str(one), after="move")
    values = {"output.output_dir": str(other), "output.output_format": "srt"}
    tagging = WatchedFolder(path=str(two), after="tag" if can_tag else "leave", values=values)
    kept = MemorySettings(keep_model_minutes=9)  # the model is there for the next file too
    told = tmp_path / "told"
    done = DoneSettings(on_file_done=f"sh -c 'echo done >> {told}'")
    settings = replace(settings_for(out), memory=kept, done=done)
    async with BatchDriver(settings) as batch:
        put(one, "a.flac")
        batch.send(WatchFolder(taking))
        batch.send(WatchFolder(tagging))
        first = await added(batch, "a.flac")
        assert batch.actor.phase is Phase.IDLE  # nothing begins before the user says so
        batch.send(Start())
        await until_job(batch, first, Completed, one / "transcribed" / "a.flac", 0)
        await phase(batch, Phase.WATCHING)
        assert not (one / "a.flac").exists()
        assert len(outputs(out)) == 5

        # At rest it can be paused: what comes has to wait.
        batch.send(Pause())
        await phase(batch, Phase.PAUSED)
        second = await added(batch, put(two, "b.flac", b"b").name)
        assert isinstance(batch.jobs[second].state, Pending)
        since = len(batch.events)
        batch.send(Start())
        await batch.state(second, Completed, since)
        assert set(outputs(other)) == {"b.srt"}

        # FileReplaced, it is done again; removed, it does not come again.
        since = len(batch.events)
        put(two, "b.flac", b"another one")
        await batch.state(second, Completed, since)
        await phase(batch, Phase.WATCHING, since)
        batch.send(RemoveJobs((second,)))
        await batch.until(JobsRemoved)

        since = len(batch.events)
        for folder in (one, two):
            batch.send(UnwatchFolder(str(folder)))
        await phase(batch, Phase.IDLE, since)
        assert not (await batch.until(BatchFinished, since=since)).stopped
        gone = await batch.until(FoldersChanged, lambda event: not event.folders, since)
        assert gone.folders == ()
    assert told.read_text() == "done\n" * 3  # not again for the new place of what was moved
    if can_tag:
        assert os.getxattr(two / "b.flac", "user.xdg.tags") == b"transcribed"


async def test_renamed_and_gone_and_there_again_it_is_still_the_same_file(
    tmp_path: Path, roots: tuple[Path, Path]
) -> None:
    root, elsewhere = roots
    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.send(WatchFolder(WatchedFolder(path=str(root))))
        job = await added(batch, put(root, "a.flac").name)
        (root / "a.flac").rename(root / "b.flac")
        await until_job(batch, job, Pending, root / "b.flac", 0)
        shutil.move(root, elsewhere / "away")
        await batch.until(
            FoldersChanged, lambda event: [one.state for one in event.folders] == ["missing"]
        )
        batch.send(Start())  # the file is not there, whatever that means for the batch
        await batch.until(PhaseChanged, lambda event: event.phase is not Phase.RUNNING)
        shutil.move(elsewhere / "away", root)
        await batch.state(job, Completed)
        assert list(batch.jobs) == [job]


async def test_a_file_that_was_not_there_is_done_when_it_comes_again(
    tmp_path: Path, roots: tuple[Path, Path]
) -> None:
    root, _ = roots
    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.send(WatchFolder(WatchedFolder(path=str(root))))
        job = await added(batch, put(root, "a.flac").name)
        (root / "a.flac").unlink()
        batch.send(Start())
        failed = await batch.state(job, Failed)
        assert isinstance(failed, Failed)
        assert failed.failure.kind is FailureKind.FILE_MISSING
        put(root, "a.flac")
        await batch.state(job, Completed)
        assert list(batch.jobs) == [job]


async def test_the_session_goes_on_watching_and_nobody_else_may(
    tmp_path: Path, roots: tuple[Path, Path]
) -> None:
    root, _ = roots
    folder = WatchedFolder(path=str(root), existing="ignore")
    put(root, "before.flac", b"before")
    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.send(WatchFolder(folder))
        await batch.until(
            FoldersChanged, lambda event: [one.state for one in event.folders] == ["watching"]
        )
        async with BatchDriver(settings_for(tmp_path / "out")) as rival:
            rival.send(WatchFolder(folder))
            refused = await rival.until(FoldersChanged, lambda event: bool(event.folders))
            assert refused.folders[0].state == "failed"
            assert "already being watched" in refused.folders[0].problem
            rival.send(UnwatchFolder(folder.path))
            await rival.until(FoldersChanged, lambda event: not event.folders)
    put(root, "while down.flac", b"while down")
    again = await BatchDriver.resumed()
    async with again:
        await added(again, "while down.flac")
        assert [job.name for job in again.jobs.values()] == ["while down.flac"]


def test_what_was_cut_off_is_taken_again_and_what_is_gone_is_done(tmp_path: Path) -> None:
    sessions = Locations.default().sessions
    file = tmp_path / "a.wav"
    file.write_bytes(b"a")
    stored = SessionStore.create(sessions, Settings(), datetime(2026, 1, 1))
    stored.commit(JobsAdded((Job(1, path_to_text("/in/in its queue.wav")),)))
    stored.close()

    def entry(name: str, session: str) -> ProcessedFile:
        return processed_file(Path("/in") / name, identify(file), "queued", session)

    taken = ProcessedFiles.open(tmp_path / "watched", "/in")
    taken.create()
    taken.add(
        [
            entry("in our queue.wav", "ours"),
            entry("cut off.wav", "ours"),
            entry("in its queue.wav", stored.session_id),
            entry("cut off there.wav", stored.session_id),
            entry("long ago.wav", "20200101_000000"),
        ]
    )
    reconcile(taken, sessions, "ours", lambda path: path == "/in/in our queue.wav")
    assert {Path(one.path).name for one in taken.queued()} == {
        "in our queue.wav",
        "in its queue.wav",
    }
    done = taken.at("/in/long ago.wav")
    assert done is not None
    assert done.status == "done"
    assert taken.at("/in/cut off.wav") is None
    taken.close()


def test_a_session_that_cannot_be_read_gives_no_file_up(tmp_path: Path) -> None:
    """In quarantine: its files are taken again. Of a newer version: they stay in its queue."""
    sessions = tmp_path / "sessions"
    (sessions / "quarantine").mkdir(parents=True)
    (sessions / "quarantine" / "20200101_000000.json").write_bytes(b"?")
    (sessions / "20200102_000000.json").write_bytes(b"?")
    (sessions / "20200103_000000.json").write_bytes(b'{"version": 99}')
    file = put(tmp_path, "a.wav")
    taken = ProcessedFiles.open(tmp_path / "watched", "/in")
    taken.create()
    for number in (1, 2, 3):
        session = f"2020010{number}_000000"
        path = Path(f"/in/{number}.wav")
        taken.add([processed_file(path, identify(file), "queued", session)])
    reconcile(taken, sessions, "ours", lambda _: False)
    assert [taken.at("/in/1.wav"), taken.at("/in/2.wav")] == [None, None]
    assert [one.path for one in taken.queued()] == ["/in/3.wav"]
    taken.close()


async def test_more_than_a_portion_at_once_is_in_the_queue_once(
    tmp_path: Path, roots: tuple[Path, Path]
) -> None:
    root, _ = roots
    count = 1200
    for number in range(count):
        (root / f"{number}.wav").write_bytes(b"%d" % number)
        os.utime(root / f"{number}.wav", (1, 1))
    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.send(WatchFolder(WatchedFolder(path=str(root))))
        async with asyncio.timeout(120):
            while len(batch.jobs) < count:
                await batch.until(JobsAdded, since=len(batch.events))
        assert len({job.path for job in batch.jobs.values()}) == count


async def test_a_start_that_finds_nothing_to_do_keeps_watching(
    tmp_path: Path, roots: tuple[Path, Path]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        batch.send(WatchFolder(WatchedFolder(path=str(roots[0]))))
        batch.send(Start())
        await phase(batch, Phase.WATCHING)
        since = len(batch.events)
        # The start has to wait for the search, and a command behind it waits when its turn comes.
        for command in (AddPaths((str(empty),)), Start(), RemoveJobs((99,)), UndoRemove()):
            batch.send(command)
        await batch.until(LogLine, lambda event: event.text == "Nothing to undo", since)
        assert batch.actor.phase is Phase.WATCHING
        assert not any(isinstance(event, BatchFinished) for event in batch.events[since:])
