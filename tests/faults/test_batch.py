"""A batch whose disks fail in turn: it waits each time, in words, and ends with all files done."""

import errno
import shutil
from pathlib import Path

import pytest

from fwtui.batch import disk_wait
from fwtui.core.commands import Start
from fwtui.core.events import BatchFinished, JobChanged, LogLine, PhaseChanged
from fwtui.core.job import Completed, Processing
from tests.batch.driver import SHORT, BatchDriver, settings_for
from tests.faults.faulty_disk import FaultyDisk
from tests.optional import Optional

pytestmark = pytest.mark.skipif(not FaultyDisk.is_possible(), reason=Optional.MOUNT.reason)


async def test_one_disk_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_wait, "CHECK_SECONDS", 0.1)
    monkeypatch.setattr(disk_wait, "SOON_SECONDS", 0.0)  # each wait is a new one
    with FaultyDisk(tmp_path / "backing", tmp_path / "disk") as disk:
        root = disk.folder
        for name, folder in (("STATE", "state"), ("CACHE", "cache")):
            monkeypatch.setenv(f"FWTUI_{name}_DIR", str(root / folder))
        (root / "in").mkdir()
        files = [root / "in" / f"talk-{number}.flac" for number in range(3)]
        for file in files:
            shutil.copy(SHORT, file)
        faults = [
            ("open", errno.ESTALE, "/cache/scratch", "Stale file handle"),
            ("rename", errno.ENOTCONN, "/out", "not connected"),
            ("fsync", errno.EDQUOT, "/state/sessions", "No room left"),
        ]
        async with BatchDriver(settings_for(root / "out"), files) as batch:
            for call, number, below, words in faults:
                since = len(batch.events)
                disk.fail(call, number, below)
                batch.send(Start())
                waits = await batch.until(PhaseChanged, lambda e: e.failure is not None, since)
                assert waits.failure is not None
                assert words in waits.failure.title
                assert "resumes by itself" in waits.failure.hint
                since = len(batch.events)
                disk.work()
                await batch.until(JobChanged, is_running, since)
            disk.fail("unlink", errno.EACCES, "/cache/scratch")  # is said, and stops nothing
            finished = await batch.until(BatchFinished)
        assert (finished.completed, finished.failed, finished.failure) == (3, 0, None)
        assert len(list((root / "out").iterdir())) == 15
        assert any(
            "cannot be deleted yet" in e.text for e in batch.events if isinstance(e, LogLine)
        )


def is_running(event: JobChanged) -> bool:
    return isinstance(event.job.state, Processing | Completed)
