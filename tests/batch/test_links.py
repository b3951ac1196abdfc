"""Links as inputs: yt-dlp in a real child, a real web server, the real engine."""

import asyncio
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from fwtui.batch.discovery import find_media
from fwtui.batch.link_downloads import LinkDownloads
from fwtui.batch.messages import DownloadEnded
from fwtui.batch.queue import Queue
from fwtui.batch.state import BatchState
from fwtui.batch.ytdlp import NEEDED, LinkProgress, failure_of, fetch, parse_line
from fwtui.cli.main import main
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, SkipJobs, Start
from fwtui.core.events import BatchFinished, JobChanged, JobProgress, JobsAdded
from fwtui.core.failure import FailureKind
from fwtui.core.job import Cancelled, Completed, Failed, Pending, Processing
from fwtui.core.paths import is_link, link_name
from fwtui.core.settings import Settings
from fwtui.errors import DiskFullError, ExitCode
from fwtui.sessions.scratch import link_folder, link_place, sweep_links
from fwtui.sessions.store import SessionStore
from tests.batch.driver import PATIENCE, SHORT, BatchDriver, leftovers, outputs, settings_for
from tests.batch.media_server import serving
from tests.batch.queues import add

LINK = "https://example.org/talk.mp3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LINK, True),
        ("HTTP://example.org", True),
        ("http:/example.org", False),
        ("http://", False),
        ("http://example.org/a b", False),
        ("ftp://example.org/a.mp3", False),
        ("file:///tmp/a.mp3", False),
        ("talks/https.mp3", False),
    ],
)
def test_what_is_a_link(text: str, expected: bool) -> None:
    assert is_link(text) == expected
    assert (text in find_media([text]).links) == expected


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (LINK, "talk.mp3"),
        ("https://example.org/a/My%20talk%2F1.m4a?key=1#t=3", "My talk 1.m4a"),
        ("https://www.example.org/watch?v=abc", "example.org watch v=abc"),
        ("https://example.org", "example.org"),
        ("https://[oops", "link"),
        ("https://example.org/" + "x" * 300, "example.org " + "x" * 108),
    ],
)
def test_the_name_of_a_link(url: str, name: str) -> None:
    assert link_name(url) == name


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("fwtui-progress 1024 78512 NA 12\n", LinkProgress(1024, 78512, 12)),
        ("fwtui-progress 1024 NA 80000.5 NA", LinkProgress(1024, 80000.5, None)),
        ("fwtui-progress NA NA NA NA", LinkProgress(0, 0, None)),
        ("fwtui-progress 1024", None),
        ('fwtui-file "/x/a \\u00e9.mp3"', Path("/x/a é.mp3")),
        ("[download] 100%", None),
        ("", None),
    ],
)
def test_what_yt_dlp_says(line: str, expected: LinkProgress | Path | None) -> None:
    assert parse_line(line) == expected


@pytest.mark.parametrize(
    ("code", "lines", "kind", "title"),
    [
        (
            1,
            ["WARNING: x", "ERROR: [generic] talk: HTTP Error 404: Not found (caused by <E>)"],
            FailureKind.DOWNLOAD,
            "Download failed: HTTP Error 404: Not found",
        ),
        (
            1,
            [f"ERROR: Unsupported URL: {LINK}"],
            FailureKind.DOWNLOAD,
            "Download failed: Unsupported URL: the link",
        ),
        (
            1,
            ["ERROR: unable to write data: [Errno 28] No space left on device"],
            FailureKind.DISK_FULL,
            "Download failed: unable to write data: [Errno 28] No space left on device",
        ),
        (-9, [], FailureKind.DOWNLOAD, "Download failed: yt-dlp ended with signal 9, SIGKILL"),
        (0, [], FailureKind.DOWNLOAD, "The link does not lead to a single recording"),
    ],
)
def test_why_there_is_no_file(code: int, lines: list[str], kind: FailureKind, title: str) -> None:
    failure = failure_of(LINK, code, lines)
    assert (failure.kind, failure.title) == (kind, title)
    assert LINK not in failure.detail


def test_a_link_waits_for_its_file_and_the_others_do_not_wait_for_it() -> None:
    queue = Queue()
    link = add(queue, Path("/cache/1/talk.mp3"), source=LINK)
    file = add(queue, Path("/media/talk.mp3"))
    assert (link.stem, file.stem) == ("talk", "talk.mp3")
    assert queue.next_pending() == file
    assert queue.next_link() == link
    assert queue.has_link(LINK)
    queue.free_name(link)
    there = queue.renamed(replace(link, path="/cache/1/A talk.m4a"))
    queue.apply(JobChanged(there))
    queue.set_fetched(link.id)
    assert there.stem == "A talk"
    assert queue.next_pending() == there
    assert queue.next_link() is None
    assert queue.has_path(Path("/cache/1/A talk.m4a"))
    assert not queue.has_path(Path("/cache/1/talk.mp3"))


def test_only_downloads_of_sessions_that_are_gone_are_swept(tmp_path: Path) -> None:
    links, sessions = tmp_path / "links", tmp_path / "state" / "sessions"
    sessions.mkdir(parents=True)
    (sessions / "20260101_000000.json").touch()
    kept = link_folder(links, sessions, "20260101_000000")
    gone = link_folder(links, sessions, "20260102_000000")
    others = link_folder(links, tmp_path / "elsewhere", "20260102_000000")
    for folder in (kept, gone, others):
        link_place(folder, LINK).parent.mkdir(parents=True)
    assert sweep_links(links, sessions) == (gone,)
    assert sorted(links.iterdir()) == sorted([kept, others])


async def test_links_are_downloaded_and_transcribed_and_nothing_is_left(tmp_path: Path) -> None:
    out, copy = tmp_path / "out", tmp_path / "same.flac"
    shutil.copy(SHORT, copy)
    with serving(SHORT, hold_after=SHORT.stat().st_size // 2) as server:
        link, gone = server.link("far%20away.flac"), server.link("gone.mp3")
        async with BatchDriver(settings_for(out)) as batch:
            batch.send(AddPaths((link, str(copy), gone, link)))
            batch.send(Start())  # waits until all are found, however many events that takes
            await batch.until(JobsAdded, lambda _: len(batch.jobs) == 3)
            by_source = {job.source: job for job in batch.jobs.values()}
            assert by_source.keys() == {None, link, gone}
            file, far, lost = by_source[None], by_source[link], by_source[gone]
            await batch.state(file.id, Completed)  # while the other is being downloaded
            state = batch.jobs[far.id].state
            assert isinstance(state, Processing)
            assert state.downloading
            server.go_on.set()
            finished = await batch.until(BatchFinished)
            job = batch.jobs[far.id]
            assert isinstance(job.state, Completed)
            assert not job.file.exists()
            failed = batch.jobs[lost.id].state
            assert isinstance(failed, Failed)
            assert failed.failure.kind is FailureKind.DOWNLOAD
            assert "404" in failed.failure.title
    assert (finished.completed, finished.failed) == (2, 1)
    assert any(e.id == far.id and e.done > 0 for e in batch.events if isinstance(e, JobProgress))
    found = outputs(out)
    assert found["far away.srt"] == found["same.srt"]
    assert len(found["far away.srt"]) > 50


async def test_a_download_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    half = SHORT.stat().st_size // 2
    with serving(SHORT, hold_after=half) as server:
        link = server.link("talk.flac")
        async with BatchDriver(settings_for(tmp_path / "out")) as batch:
            batch.send(AddPaths((link,)))
            await batch.until(JobsAdded)
            batch.send(Start())
            await batch.until(JobProgress, lambda e: e.done >= half / 2)
            assert isinstance(batch.jobs[1].state, Processing)
        assert isinstance(batch.jobs[1].state, Pending)
        (part,) = Locations.default().cache.glob("links/*/*/*.part")
        size = part.stat().st_size
        server.go_on.set()
        async with await BatchDriver.resumed() as batch:
            assert batch.jobs[1].source == link
            finished = await batch.to_the_end()
    assert finished.completed == 1
    assert server.ranges[-1] == f"bytes={size}-"
    assert leftovers() == []
    assert not (Locations.default().cache / "links").exists()


async def test_a_download_that_is_not_wanted_ends_at_once(tmp_path: Path) -> None:
    with serving(SHORT, hold_after=1000) as server:
        async with BatchDriver(settings_for(tmp_path / "out")) as batch:
            batch.send(AddPaths((server.link("talk.flac"),)))
            await batch.until(JobsAdded)
            batch.send(Start())
            await batch.state(1, Processing)
            batch.send(SkipJobs((1,)))
            await batch.state(1, Cancelled)
            finished = await batch.until(BatchFinished)
    assert finished.cancelled == 1


def test_a_download_ends_with_the_process_that_began_it(tmp_path: Path) -> None:
    script = """
import asyncio, sys
from pathlib import Path
from fwtui.batch.ytdlp import fetch
asyncio.run(fetch(sys.argv[1], Path(sys.argv[2]), lambda step: print(step, flush=True)))
"""
    with serving(SHORT, hold_after=SHORT.stat().st_size // 2) as server:
        command = [sys.executable, "-c", script, server.link("talk.flac"), str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            assert parent.stdout.readline().startswith(b"LinkProgress(")
            (child,) = psutil.Process(parent.pid).children()
            parent.kill()
            child.wait(PATIENCE)


def test_without_yt_dlp_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "yt_dlp", None)  # as Python marks what is not there
    assert asyncio.run(fetch(LINK, tmp_path, lambda _: None)) == NEEDED
    assert main(["run", LINK]) == ExitCode.CANNOT_START
    assert capsys.readouterr().err == f"fwtui: {NEEDED.title}\n  {NEEDED.hint}\n"


@pytest.mark.parametrize("full", [True, False], ids=["full", "404"])
async def test_a_download_whose_disk_fails_waits(full: bool, tmp_path: Path) -> None:
    """The link is not to blame: any other would fail, too."""
    store = SessionStore.create(tmp_path / "sessions", Settings(), datetime(2026, 1, 2))
    state = BatchState(store)
    downloads = LinkDownloads(state, tmp_path / "cache" / "links" / "1", lambda _: None)
    await state.add([], [], links={LINK: downloads.path_of(LINK)})
    (job,) = state.queue
    await downloads.feed()
    downloads.kill_engine()
    await downloads.join()
    said = "ERROR: [Errno 28] No space left on device" if full else "ERROR: HTTP Error 404"
    ended = DownloadEnded(job.id, failure_of(LINK, 1, [said]))
    if full:
        with pytest.raises(DiskFullError) as caught:
            await downloads.ended(ended)
        assert caught.value.place == str(tmp_path)
        assert isinstance(state.queue[job.id].state, Pending)
    else:
        await downloads.ended(ended)
        assert isinstance(state.queue[job.id].state, Failed)
    store.close()
