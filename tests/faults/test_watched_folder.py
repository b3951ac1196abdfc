"""A watched folder on a disk that fails: it is said, nothing ends, and it goes on by itself."""

import errno
import queue
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fwtui.core.watched_folder import WatchedFolder
from fwtui.watch.folder import (
    FilesArrived,
    FolderLogLine,
    FolderMessage,
    FolderStatusChanged,
    FolderWatch,
)
from fwtui.watch.processed import ProcessedFiles
from tests.faults.faulty_disk import FaultyDisk
from tests.optional import Optional

pytestmark = pytest.mark.skipif(not FaultyDisk.is_possible(), reason=Optional.MOUNT.reason)
PATIENCE = 60.0
FAULTS = [
    ("probe", errno.ENOTCONN),
    ("probe", errno.ESTALE),
    ("list", errno.EIO),
    ("list", errno.EACCES),
    ("open", errno.EACCES),
    ("read", errno.EIO),
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FaultyDisk]:
    with FaultyDisk(tmp_path / "backing", tmp_path / "disk") as mounted:
        yield mounted


def test_a_watched_folder_outlives_its_disk(disk: FaultyDisk, tmp_path: Path) -> None:
    root = disk.folder / "in"
    root.mkdir()
    folder = WatchedFolder(path=str(root), poll="on", poll_seconds=0.1, settle_seconds=0.0)
    history = ProcessedFiles.open(tmp_path / "watched", folder.path)
    news: queue.SimpleQueue[FolderMessage] = queue.SimpleQueue()
    watch = FolderWatch(folder, history, "20260101_000000", set(), set(), news.put)
    watch.start()
    try:
        for number, (call, error) in enumerate(FAULTS):
            name = f"{number}.wav"
            disk.fail(call, error)
            (tmp_path / "backing" / "in" / name).write_bytes(b"%d" % number)
            assert said(news), (call, error)
            disk.work()
            assert arrived(news) == [str(root / name)], (call, error)
    finally:
        watch.stop()
        watch.join(PATIENCE)
        history.close()


def said(news: "queue.SimpleQueue[FolderMessage]") -> str:
    """What is said about the disk."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        match news.get(timeout=PATIENCE):
            case FolderStatusChanged(status=status) if status.problem:
                assert status.state != "failed"
                return status.problem
            case FolderLogLine(text=text) if "cannot be read" in text:
                return text
            case _:
                pass
    return ""


def arrived(news: "queue.SimpleQueue[FolderMessage]") -> list[str]:
    while True:
        message = news.get(timeout=PATIENCE)
        if isinstance(message, FilesArrived):
            return list(message.files)
