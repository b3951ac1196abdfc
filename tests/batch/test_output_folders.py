"""A place that is gone is not made anew: folders and drives that a session remembers."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from fwtui.batch import disk_wait
from fwtui.batch.disk_wait import is_still_blocked
from fwtui.batch.output_folders import OutputFolders, folders_now
from fwtui.core.commands import Start
from fwtui.core.events import AnyEvent, BatchFinished, JobChanged, JobsAdded, Phase, PhaseChanged
from fwtui.core.job import Job, Processing
from fwtui.core.settings import Settings
from fwtui.disk.mounts import mount_of, mount_points
from fwtui.sessions.store import SessionStore
from tests.batch.driver import SHORT, BatchDriver, outputs, settings_for
from tests.faults.faulty_disk import FaultyDisk
from tests.optional import Optional

NOW = datetime(2026, 1, 2, 3, 4, 5)
needs_mount = pytest.mark.skipif(not FaultyDisk.is_possible(), reason=Optional.MOUNT.reason)


class Drive:
    """A drive that can be disconnected; below its mount point is an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.inserted = False
        self.connect()

    def connect(self) -> None:
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(self.folder)]
        subprocess.run(mount, check=True)
        self.inserted = True

    def disconnect(self) -> None:
        if self.inserted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
            self.inserted = False


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Drive]:
    inserted = Drive(tmp_path / "drive")
    yield inserted
    inserted.disconnect()


def new_store(folder: Path, *seen: Path) -> SessionStore:
    return SessionStore.create(folder / "sessions", Settings(), NOW, seen=folders_now(seen))


def reopened(store: SessionStore) -> SessionStore:
    if not store.view.jobs:
        store.commit(JobsAdded((Job(1, "/a.wav"),)))
    store.close()
    return SessionStore.open(store.directory, store.session_id)


@needs_mount
@pytest.mark.parametrize("below", ["", "out", "out/deeper"])
@pytest.mark.parametrize("existed", [True, False])
@pytest.mark.parametrize("again", [lambda s: s, reopened], ids=["same process", "resumed"])
def test_a_drive(
    below: str,
    existed: bool,
    again: Callable[[SessionStore], SessionStore],
    drive: Drive,
    tmp_path: Path,
) -> None:
    """Whether its folder existed or not, and through a link, too."""
    folder = drive.folder / below
    if existed:
        folder.mkdir(parents=True, exist_ok=True)
    link = tmp_path / "link"
    link.symlink_to(folder)
    store = new_store(tmp_path, folder, link)
    assert OutputFolders(store).missing(folder) is None
    drive.disconnect()
    store = again(store)
    known = OutputFolders(store)
    known.remember([folder, link])  # what is missing now is not forgotten
    failures = [known.missing(wanted) for wanted in (folder, link, link / "2026")]
    for gone in failures:
        assert gone is not None
        assert "nothing is mounted" in gone.title
        assert is_still_blocked(gone)
    drive.connect()
    assert not any(is_still_blocked(gone) for gone in failures if gone)
    if existed and below:
        failure = known.missing(folder)  # it is another drive, or the folder was deleted
        assert failure is not None
        assert is_still_blocked(failure)
        folder.mkdir(parents=True)
        assert not is_still_blocked(failure)
    assert known.missing(folder) is None
    store.close()


@pytest.mark.parametrize("again", [lambda s: s, reopened], ids=["same process", "resumed"])
def test_a_folder_on_the_disk_of_the_system(
    again: Callable[[SessionStore], SessionStore], tmp_path: Path
) -> None:
    there, new = tmp_path / "there", tmp_path / "new"
    there.mkdir()
    store = again(new_store(tmp_path, there, new))
    known = OutputFolders(store)
    assert known.missing(new) is None  # it was never there: it is created
    assert known.missing(there) is None
    there.rmdir()
    failure = known.missing(there)
    assert failure is not None
    assert is_still_blocked(failure)
    there.mkdir()
    assert known.missing(there) is None
    known.add(new)
    assert known.missing(new) is not None
    store.close()


def test_which_mount_a_folder_is_on(tmp_path: Path) -> None:
    real = tmp_path.resolve()
    points = {"/", str(real), f"{real}/a", f"{real}/a/b", f"{real}/ab"}
    for below, mount in [("x", ""), ("a/x", "/a"), ("a", "/a"), ("a/b/c/d", "/a/b"), ("abc", "")]:
        assert mount_of(tmp_path / below, points) == f"{real}{mount}"
    (tmp_path / "link").symlink_to(real / "a" / "b")
    assert mount_of(tmp_path / "link" / "new", points) == f"{real}/a/b"
    assert mount_of(tmp_path, {Path(real).anchor}) == ""
    if sys.platform == "linux":
        assert "/" in mount_points()


def test_a_session_file_that_was_edited(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store._content.extra |= {"output_mounts": 7, "output_folders": [None, {"a": 1}]}
    assert OutputFolders(store).missing(tmp_path / "new") is None
    store.close()


@needs_mount
async def test_unmounted_before_the_first_file_is_done(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_wait, "CHECK_SECONDS", 0.2)

    def unplug(event: AnyEvent) -> None:
        if isinstance(event, JobChanged) and isinstance(event.job.state, Processing):
            drive.disconnect()

    async with BatchDriver(settings_for(drive.folder), [SHORT]) as batch:
        stop = batch.actor.subscribe(unplug)
        batch.send(Start())
        waits = await batch.until(PhaseChanged, lambda e: e.phase is Phase.PAUSED)
        stop()
        assert waits.failure is not None
        assert "nothing is mounted" in waits.failure.title
        assert list(drive.folder.iterdir()) == []
        drive.connect()
        finished = await batch.until(BatchFinished)
        assert (finished.completed, finished.failure) == (1, None)
        assert len(outputs(drive.folder)) == 5
    drive.disconnect()
    assert list(drive.folder.iterdir()) == []


@needs_mount
@pytest.mark.parametrize("again", [lambda s: s, reopened], ids=["same process", "resumed"])
def test_a_drive_whose_folders_may_be_made_anew(
    again: Callable[[SessionStore], SessionStore], drive: Drive, tmp_path: Path
) -> None:
    """Scratch files: their folder may be deleted at any time, but not be on another disk."""
    scratch = drive.folder / "cache" / "scratch"
    store = new_store(tmp_path)
    OutputFolders(store).remember_drive(scratch)
    known = OutputFolders(store := again(store))
    assert known.missing_drive(scratch) is None
    drive.disconnect()
    gone = known.missing_drive(scratch)
    assert gone is not None
    assert is_still_blocked(gone)
    drive.connect()
    assert known.missing_drive(scratch) is None
    assert not is_still_blocked(gone)
    store.close()
