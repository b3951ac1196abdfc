"""A disk that is really full, or gone: the batch waits, no file fails, and it goes on by itself."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fwtui import demo
from fwtui.batch import disk_wait
from fwtui.batch.disk_wait import failure_of, is_still_blocked, output_failure, shortage
from fwtui.core.commands import Start, Stop
from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    JobChanged,
    Phase,
    PhaseChanged,
    SegmentsFound,
)
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Completed, Pending
from fwtui.core.settings import BatchSettings
from tests.batch.driver import MINUTE, SHORT, BatchDriver, outputs, settings_for
from tests.optional import Optional

OTHER = demo.clips()[1]


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_wait, "CHECK_SECONDS", 0.2)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip(Optional.MOUNT.reason)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip(Optional.MOUNT.reason)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def waits(batch: BatchDriver, since: int = 0) -> Failure:
    """Until the batch has paused by itself; what it waits for."""
    event = await batch.until(PhaseChanged, lambda e: e.failure is not None, since)
    assert event.failure is not None
    assert event.phase is Phase.PAUSED
    return event.failure


async def test_no_room_for_the_outputs(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(64 << 10))
    async with BatchDriver(settings_for(small_disk), [SHORT, OTHER]) as batch:
        batch.send(Start())
        failure = await waits(batch)
        assert failure.kind is FailureKind.DISK_FULL
        assert str(small_disk) in failure.title
        assert re.search("0 bytes free in .*small, .* needed: .* missing", failure.hint)
        assert all(isinstance(job.state, Pending) for job in batch.jobs.values())
        assert [path.name for path in small_disk.iterdir()] == ["ballast"]
        ballast.unlink()  # it goes on by itself
        finished = await batch.until(BatchFinished)
        assert (finished.completed, finished.failure) == (2, None)
    assert len(outputs(small_disk)) == 10


async def test_no_room_for_the_scratch_file_is_seen_before_it_is_written(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FWTUI_CACHE_DIR", str(small_disk))
    code = "import fwtui.audio.wav as wav; wav.WavWriter._write = None"  # nothing is written
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE], code) as batch:
        batch.send(Start())
        failure = await waits(batch)
        assert failure.kind is FailureKind.DISK_FULL
        assert "2.3 MB needed" in failure.hint
        assert isinstance(batch.jobs[1].state, Pending)
        assert not list((small_disk / "scratch").iterdir())
        batch.send(Stop())  # a batch that waits can be stopped
        finished = await batch.until(BatchFinished)
        assert finished.stopped


async def test_no_room_for_the_session(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FWTUI_STATE_DIR", str(small_disk))
    ballast = small_disk / "ballast"
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE]) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
            while True:
                file.write(bytes(512))
        failure = await waits(batch)
        assert failure.kind is FailureKind.DISK_FULL
        since = len(batch.events)
        batch.send(Start())  # too early: it waits again
        await waits(batch, since)
        ballast.unlink()
        finished = await batch.until(BatchFinished)
        assert finished.completed == 1
        assert isinstance(batch.jobs[1].state, Completed)
    found = [s for e in batch.events if isinstance(e, SegmentsFound) for s in e.segments]
    assert [segment.id for segment in found] == list(range(1, len(found) + 1))


async def test_an_output_drive_that_goes_away_and_comes_back(
    small_disk: Path, tmp_path: Path
) -> None:
    """Unmounted in the middle of a batch: nothing is written to the disk below it."""
    drive = mounted(small_disk, "1m")
    async with BatchDriver(settings_for(drive / "out"), [SHORT, OTHER]) as batch:
        batch.actor.subscribe(lambda e: unplug(e, drive))
        batch.send(Start())
        failure = await waits(batch)
        assert failure.kind is FailureKind.OUTPUT
        assert "has disappeared" in failure.title
        assert list(drive.iterdir()) == []
        assert isinstance(batch.jobs[2].state, Pending)
        mounted(small_disk, "1m")
        (drive / "out").mkdir()
        finished = await batch.until(BatchFinished)
        assert finished.completed == 2
    assert {Path(name).stem for name in outputs(drive / "out")} == {OTHER.stem}
    subprocess.run(["umount", str(drive)], check=True)


def unplug(event: AnyEvent, drive: Path) -> None:
    if not isinstance(event, JobChanged) or event.job.id != 1:
        return
    if isinstance(event.job.state, Completed):
        subprocess.run(["umount", "--lazy", str(drive)], check=True)


def mounted(folder: Path, size: str) -> Path:
    drive = folder / "drive"
    drive.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(drive)]
    subprocess.run(command, check=True)
    return drive


async def test_a_drive_that_becomes_read_only(small_disk: Path) -> None:
    drive = mounted(small_disk, "1m")
    remount = ["mount", "-o", "remount"]
    subprocess.run([*remount, "-r", str(drive)], check=True)
    async with BatchDriver(settings_for(drive), [SHORT]) as batch:
        batch.send(Start())
        failure = await waits(batch)
        assert "Read-only" in failure.title
        subprocess.run([*remount, "-w", str(drive)], check=True)
        finished = await batch.until(BatchFinished)
        assert finished.completed == 1
    subprocess.run(["umount", str(drive)], check=True)


async def test_a_batch_can_be_told_to_stop_instead(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(64 << 10))
    settings = settings_for(small_disk, batch=BatchSettings(on_disk_full="stop"))
    async with BatchDriver(settings, [SHORT]) as batch:
        finished = await batch.to_the_end()
        assert finished.stopped
        assert finished.failure is not None
        assert finished.failure.kind is FailureKind.DISK_FULL


@pytest.mark.parametrize(
    ("needed", "free", "words"),
    [
        (3 << 20, 1 << 20, "1.0 MB free in /x, 3.0 MB needed: 2.0 MB missing"),
        (100, 0, "0 bytes free in /x, 100 bytes needed: 100 bytes missing"),
        (100, 200, "Free some space in /x"),
    ],
)
def test_what_is_missing_in_words(needed: int, free: int, words: str) -> None:
    assert shortage(Failure(FailureKind.DISK_FULL, "", place="/x", needed=needed), free) == words


def test_an_obstacle_is_looked_at_for_real(small_disk: Path, tmp_path: Path) -> None:
    full = Failure(FailureKind.DISK_FULL, "", place=str(small_disk), needed=50 << 10)
    assert not is_still_blocked(full)
    (small_disk / "ballast").write_bytes(bytes(32 << 10))
    assert is_still_blocked(full)
    media = tmp_path / "share" / "talk.mp3"
    lost = Failure(FailureKind.INPUT_LOST, "", place=str(media))
    assert is_still_blocked(lost)
    media.parent.mkdir()
    media.write_bytes(b"x")
    assert not is_still_blocked(lost)
    assert not is_still_blocked(Failure(FailureKind.OUTPUT, "", place=str(tmp_path)))
    assert is_still_blocked(Failure(FailureKind.OUTPUT, "", place=str(tmp_path / "gone")))
    assert not is_still_blocked(Failure(FailureKind.BAD_MEDIA, "", place=str(tmp_path / "gone")))
    assert list(media.parent.iterdir()) == [media]


@pytest.mark.parametrize(
    ("named", "place"),
    [
        (None, "/media/usb/out"),
        ("/media/usb/out/talk.txt", "/media/usb/out"),
        ("/media/usb/out", "/media/usb/out"),  # the folder itself refused
        ("/media/usb", "/media/usb"),
        ("/other/file", "/other"),
    ],
)
def test_the_folder_that_is_tried_is_the_one_that_failed(named: str | None, place: str) -> None:
    folder, error = Path("/media/usb/out"), OSError(errno.EROFS, "Read-only file system", named)
    assert output_failure(error, folder).place == place
    assert failure_of(error, folder).place == place
    refused = OSError(errno.EACCES, "Permission denied", named)
    assert output_failure(refused, folder).place == failure_of(refused, folder).place == ""


def test_a_disk_that_fails_again_and_again_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_wait, "CHECK_SECONDS", 600.0)  # it is not tried here
    lost = Failure(FailureKind.OUTPUT, "", place="/out")
    full = Failure(FailureKind.DISK_FULL, "", place="/out")

    def waits(count: int) -> disk_wait.DiskWait:
        wait = disk_wait.DiskWait(lambda: None)
        for _ in range(count):
            wait.begin(lost)
            wait.end()
        return wait

    assert not waits(disk_wait.MOST_USELESS).is_useless(lost)
    broken = waits(disk_wait.MOST_USELESS + 1)
    assert broken.is_useless(lost)
    assert not broken.is_useless(full)
    monkeypatch.setattr(disk_wait, "SOON_SECONDS", 0.0)  # each is the first one in a long time
    assert not waits(disk_wait.MOST_USELESS + 1).is_useless(lost)
