"""A scratch file that somebody cuts or blanks while its file is transcribed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fwtui.core.commands import Start
from fwtui.core.events import LogLine
from fwtui.core.failure import FailureKind
from fwtui.core.job import Completed
from tests.batch.driver import MINUTE, RESTING, BatchDriver, outputs, settings_for


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 3)


def _blank(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 3)
        file.write(bytes(size - size // 3))


@pytest.mark.parametrize("harm", [_cut, _blank])
async def test_the_file_is_decoded_again(
    harm: Callable[[Path], None], tmp_path: Path, whole_minute: dict[str, bytes]
) -> None:
    out, go = tmp_path / "out", tmp_path / "go"
    async with BatchDriver(settings_for(out), [MINUTE], RESTING.format(go=str(go))) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        for scratch in batch.workspace.locations.cache.rglob("*.wav"):
            harm(scratch)
        go.touch()
        await batch.until(LogLine, lambda line: "retrying with newly decoded audio" in line.text)
        assert isinstance(await batch.state(1, Completed), Completed)
    (attempt,) = batch.jobs[1].attempts
    assert attempt.failure.kind is FailureKind.SCRATCH_CHANGED
    assert outputs(out) == whole_minute
