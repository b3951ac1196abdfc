"""A disk that is really full: the batch halts, no file fails, and it goes on when there is room."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fwtui.core.commands import Start
from fwtui.core.events import BatchFinished
from fwtui.core.failure import FailureKind
from fwtui.core.job import Completed, Pending
from tests.batch.driver import LONG, SHORT, Batch, outputs, settings_for


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_no_room_for_the_outputs(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(64 << 10))
    async with Batch(settings_for(small_disk), [SHORT, LONG]) as batch:
        finished = await batch.to_the_end()
        assert finished.failure is not None
        assert finished.failure.kind is FailureKind.DISK_FULL
        assert str(small_disk) in finished.failure.title
        assert all(isinstance(job.state, Pending) for job in batch.jobs.values())
        assert [path.name for path in small_disk.iterdir()] == ["ballast"]
        ballast.unlink()
        since = len(batch.events)
        batch.send(Start())
        finished = await batch.until(BatchFinished, since=since)
        assert (finished.completed, finished.failure) == (2, None)
    assert len(outputs(small_disk)) == 10


async def test_no_room_for_the_scratch_file(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FWTUI_CACHE_DIR", str(small_disk))
    async with Batch(settings_for(tmp_path / "out"), [LONG]) as batch:
        finished = await batch.to_the_end()
        assert finished.failure is not None
        assert finished.failure.kind is FailureKind.DISK_FULL
        assert isinstance(batch.jobs[1].state, Pending)
        assert not list((small_disk / "scratch").iterdir())


async def test_no_room_for_the_session(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FWTUI_STATE_DIR", str(small_disk))
    ballast = small_disk / "ballast"
    async with Batch(settings_for(tmp_path / "out"), [LONG]) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
            while True:
                file.write(bytes(512))
        finished = await batch.until(BatchFinished)
        assert finished.failure is not None
        assert finished.failure.kind is FailureKind.DISK_FULL
        ballast.unlink()
        since = len(batch.events)
        batch.send(Start())
        finished = await batch.until(BatchFinished, since=since)
        assert finished.completed == 1
        assert isinstance(batch.jobs[1].state, Completed)
