"""A real folder, a real thread: what is taken of what happens in it, and when."""

import contextlib
import errno
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fwtui.audio.identity import Identity, identify
from fwtui.core.watched_folder import WatchedFolder
from fwtui.watch.folder import (
    FileRenamed,
    FilesArrived,
    FolderLogLine,
    FolderMessage,
    FolderStatusChanged,
    FolderWatch,
)
from fwtui.watch.processed import ProcessedFiles

PATIENCE = 60.0
SESSION = "20260101_000000"


class Watched:
    """A folder, a history and the news. `settle` is long where nothing may be taken by waiting."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "in"
        self.root.mkdir()
        self.histories = tmp_path / "watched"
        self.excluded: set[str] = set()
        self.missing: set[str] = set()
        self._names: list[str] = []
        self.lines: list[str] = []
        self._inbox: queue.SimpleQueue[FolderMessage] = queue.SimpleQueue()
        self._running: tuple[FolderWatch, ProcessedFiles] | None = None

    def start(self, **how: Any) -> None:
        """Watch, and wait until what is there was looked at."""
        folder = replace(WatchedFolder(path=str(self.root), settle_seconds=60.0), **how)
        history = ProcessedFiles.open(self.histories, folder.path)
        watch = FolderWatch(folder, history, SESSION, self.excluded, self.missing, self._inbox.put)
        self._running = watch, history
        watch.start()
        self.until(FolderStatusChanged, lambda news: news.status.state in {"watching", "polling"})

    def stop(self) -> None:
        if self._running is not None:
            watch, history = self._running
            watch.stop()
            watch.join(PATIENCE)
            history.close()
            self._running = None

    @property
    def history(self) -> ProcessedFiles:
        assert self._running is not None
        return self._running[1]

    def until(self, kind: type[Any], accept: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next such news."""
        while True:
            news = self._next(PATIENCE)
            if isinstance(news, kind) and accept(news):
                return news

    def _next(self, seconds: float) -> FolderMessage:
        news = self._inbox.get(timeout=seconds)
        if isinstance(news, FilesArrived):
            self._names += [os.path.relpath(path, self.root) for path in news.files]
        if isinstance(news, FolderLogLine):
            self.lines.append(news.text)
        return news

    def taken(self, count: int) -> list[str]:
        """The names of the next so many files, sorted."""
        while len(self._names) < count:
            self._next(PATIENCE)
        names, self._names = sorted(self._names), []
        return names

    @property
    def nothing_else(self) -> bool:
        """Whether nothing more was taken until the watch ended."""
        self.stop()
        with contextlib.suppress(queue.Empty):
            while True:
                self._next(0.0)
        return not self._names

    def put(self, name: str, data: bytes, *, old: bool = True) -> Path:
        """A file that came from elsewhere in one step, complete (`old`) or just written to."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if old:
            long_ago = time.time() - 3600
            os.utime(path, (long_ago, long_ago))
        return path


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    folder = Watched(tmp_path)
    yield folder
    folder.stop()


@pytest.fixture(params=["off", "on"], ids=["told", "polling"])
def how(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Both ways to notice what happens."""
    return {"poll": request.param, "poll_seconds": 0.1, "settle_seconds": 0.2}


def test_what_is_there_and_what_comes_below_is_taken_when_it_has_settled(
    watched: Watched, how: dict[str, Any]
) -> None:
    watched.put("a.wav", b"a")
    watched.put("deep/er/b.mp3", b"b")
    watched.put("notes.txt", b"no recording")
    watched.put(".hidden/c.wav", b"c")
    watched.start(**how)
    assert watched.taken(2) == ["a.wav", "deep/er/b.mp3"]
    watched.put("new/folder/d.wav", b"d", old=False)
    (watched.root / "empty.wav").touch()
    assert watched.taken(1) == ["new/folder/d.wav"]
    assert watched.nothing_else


def test_a_file_is_not_taken_while_it_grows_or_is_open(watched: Watched) -> None:
    watched.start(settle_seconds=0.3)
    with (watched.root / "long.wav").open("wb") as file:
        file.write(b"begun")
        file.flush()
        watched.until(FolderStatusChanged, lambda news: news.status.waiting == 1)
        watched.put("short.wav", b"short")  # comes later, is taken before
        assert watched.taken(1) == ["short.wav"]
        time.sleep(0.6)  # twice the time to settle: nothing but the open file keeps it waiting
        file.write(b" and ended")
    assert watched.taken(1) == ["long.wav"]
    entry = watched.history.at(str(watched.root / "long.wav"))
    assert entry is not None
    assert entry.known.size == len(b"begun and ended")
    assert watched.nothing_else


def test_a_rename_into_place_is_taken_at_once(watched: Watched) -> None:
    watched.start()  # a minute to settle
    part = watched.put("talk.mp3.part", b"download", old=False)
    rsync = watched.put(".other.mp3.x7Gh", b"copy", old=False)
    watched.put("never.mp3.crdownload", b"cut off", old=False)
    watched.put("slow.wav", b"as a witness", old=False)
    watched.until(FolderStatusChanged, lambda news: news.status.waiting == 1)
    part.rename(watched.root / "talk.mp3")
    rsync.rename(watched.root / "other.mp3")
    assert watched.taken(2) == ["other.mp3", "talk.mp3"]
    elsewhere = watched.root.parent / "elsewhere.wav"
    elsewhere.write_bytes(b"recorded elsewhere")
    os.utime(elsewhere, (time.time() - 1, time.time() - 1))
    elsewhere.rename(watched.root / "elsewhere.wav")
    assert watched.taken(1) == ["elsewhere.wav"]
    assert watched.nothing_else


def test_existing_files_can_be_left_alone_but_only_those_of_the_first_time(
    watched: Watched,
) -> None:
    watched.put("before.wav", b"before")
    watched.start(existing="ignore")
    watched.put("after.wav", b"after")
    assert watched.taken(1) == ["after.wav"]
    watched.stop()
    watched.put("while down.wav", b"while down")
    (watched.root / "before.wav").rename(watched.root / "before, renamed.wav")
    watched.start(existing="ignore")
    assert watched.taken(1) == ["while down.wav"]
    assert watched.nothing_else


def test_a_file_is_taken_once_whatever_its_name_and_again_when_it_is_replaced(
    watched: Watched, how: dict[str, Any]
) -> None:
    path = watched.put("a.wav", b"first")
    watched.start(**how)
    assert watched.taken(1) == ["a.wav"]
    path.rename(watched.root / "b.wav")
    renamed = watched.until(FileRenamed)
    assert (renamed.before, renamed.after) == (str(path), str(watched.root / "b.wav"))
    shutil.copy2(watched.root / "b.wav", watched.root / "copy.wav")
    watched.until(FolderLogLine, lambda news: "is a copy of" in news.text)
    watched.stop()
    (watched.root / "b.wav").rename(watched.root / "c.wav")  # while nobody looks
    os.utime(watched.root / "c.wav")
    watched.start(**how)
    watched.put("c.wav", b"second")
    assert watched.taken(1) == ["c.wav"]
    assert watched.nothing_else


def test_a_file_that_was_missed_is_told_of_when_it_is_there_again(
    watched: Watched, how: dict[str, Any], tmp_path: Path
) -> None:
    path = watched.put("a.wav", b"a")
    watched.start(**how)
    assert watched.taken(1) == ["a.wav"]
    path.rename(tmp_path / "away.wav")
    watched.missing.add(str(path))
    (tmp_path / "away.wav").rename(path)  # with the same dates
    back = watched.until(FileRenamed)
    assert (back.before, back.after) == (str(path), str(path))
    watched.missing.clear()
    assert watched.nothing_else


def test_lookalikes_with_the_same_ends_are_both_taken(watched: Watched) -> None:
    silence = bytes(70_000)
    watched.put("one.wav", silence + b"one" + silence)
    watched.put("two.wav", silence + b"two" + silence)
    watched.put("copy of one.wav", silence + b"one" + silence)
    watched.start()
    names = watched.taken(2)
    assert "two.wav" in names
    assert names[0] in {"one.wav", "copy of one.wav"}
    watched.until(FolderLogLine, lambda news: "is a copy of" in news.text)
    assert watched.nothing_else


def test_thousands_at_once_are_each_taken_once(watched: Watched) -> None:
    watched.start(settle_seconds=0.0)
    count = 2000
    for number in range(count):
        if number % 50 == 0:
            (watched.root / f"{number // 50:03}").mkdir()
        (watched.root / f"{number // 50:03}" / f"{number}.wav").write_bytes(b"%d" % number)
    names = watched.taken(count)
    assert len(set(names)) == count
    assert len(watched.history.queued()) == count
    assert watched.nothing_else


def test_the_folder_goes_and_comes_again(watched: Watched, how: dict[str, Any]) -> None:
    watched.put("a.wav", b"a")
    watched.start(**how)
    assert watched.taken(1) == ["a.wav"]
    shutil.rmtree(watched.root)
    watched.until(FolderStatusChanged, lambda news: news.status.state == "missing")
    watched.put("b.wav", b"b")
    watched.put("sub/a again.wav", b"a")
    assert watched.taken(1) == ["b.wav"]
    watched.put("c.wav", b"c")  # it is listened to again, not only looked through
    assert watched.taken(1) == ["c.wav"]
    assert watched.nothing_else


def test_folders_apart_are_not_looked_into(watched: Watched) -> None:
    watched.excluded.add(str(watched.root / "transcribed"))
    watched.put("transcribed/deep/old.wav", b"old")
    watched.start()
    watched.put("transcribed/new.wav", b"new")
    watched.put("transcribed/deep/newer.wav", b"newer")
    watched.put("a.wav", b"a")
    assert watched.taken(1) == ["a.wav"]
    assert watched.nothing_else


def test_a_file_that_cannot_be_read_is_taken_when_it_can(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = watched.root / "a.wav"
    allowed = threading.Event()

    def guarded(path: Path) -> Identity:  # modes keep nobody out who is root
        if not allowed.is_set():
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return identify(path)

    monkeypatch.setattr("fwtui.watch.folder.identify", guarded)
    watched.start()
    watched.put("a.wav", b"a")
    watched.until(FolderLogLine, lambda news: f"{path} cannot be read yet: Permission" in news.text)
    allowed.set()
    assert watched.taken(1) == ["a.wav"]
    assert watched.nothing_else


def test_a_download_is_held_back_by_the_file_beside_it(
    watched: Watched, how: dict[str, Any]
) -> None:
    """However long it does not change; it is said once, and it goes on by itself."""
    notes = [watched.put(f"film.mp4.{name}", b"note") for name in ("aria2", "part-Frag3")]
    watched.put("film.mp4", b"allocated")
    watched.put("other.wav", b"as a witness")
    watched.start(**how)
    assert watched.taken(1) == ["other.wav"]
    notes[0].unlink()
    watched.put("third.wav", b"as another witness")
    assert watched.taken(1) == ["third.wav"]
    notes[1].unlink()
    assert watched.taken(1) == ["film.mp4"]
    assert watched.nothing_else
    assert len([line for line in watched.lines if "beside it says" in line]) == 1


def test_what_is_not_taken_is_said_once(watched: Watched) -> None:
    for name in ("a.jpg", "b.jpg", "talk.txt", "talk.json", "@eaDir/x.mp3", "no"):
        watched.put(name, b"x")
    watched.put("talk.mp3", b"sound")
    watched.start(settle_seconds=0.0)
    assert watched.taken(1) == ["talk.mp3"]
    assert watched.nothing_else
    said = [line for line in watched.lines if line.startswith("Not taken from")]
    assert said == [f"Not taken from {watched.root}: 2 .jpg, 1 without extension"]
