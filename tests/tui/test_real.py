"""The screens on the real runner, engine child and demo model."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from fwtui import demo
from fwtui.batch.batch import Batch
from fwtui.batch.workspace import Workspace
from fwtui.config.locations import Locations
from fwtui.core.events import Phase
from fwtui.core.job import Completed
from fwtui.errors import ExitCode
from tests.batch.driver import MINUTE, settings_for
from tests.patient import ENGINE
from tests.tui.driving import NARROW, WIDE, running

# The engine is niced: beside other work it may get little of the machine.
ENGINE_SECONDS = 240.0


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for clip in (*demo.clips()[:2], MINUTE):
        shutil.copy(clip, folder)
    return folder


def workspace() -> Workspace:
    return Workspace(Locations.default())


async def test_from_typed_path_to_transcripts(tmp_path: Path, clips: Path) -> None:
    (clips / "broken.mp3").write_text("not sound")
    settings = settings_for(tmp_path / "out")
    async with running(workspace(), settings=settings, size=WIDE) as driver:
        await driver.until_text("Nothing in the queue yet")
        await driver.press("a")
        await driver.press(*str(clips))
        await driver.until_text("Add 4 files")
        await driver.press("enter")
        await driver.until_text("0 done   0 failed   4 left")
        await driver.press("s")
        await driver.until_text("3 done   1 to check   1 failed   0 left", seconds=ENGINE_SECONDS)
        await driver.until_text("finished")
        await driver.until_text("not a media file")
        await driver.press("g", "j")
        job = driver.app.main.queue.current
        assert job is not None
        await driver.until(lambda: driver.app.main.transcript_view.transcript.segments)
        written = (tmp_path / "out" / job.name).with_suffix(".txt").read_text()
        assert driver.app.main.transcript_view.text().split() == written.split()
        await driver.press("q")
        await driver.until(lambda: not driver.app.is_running)
    assert driver.app.return_value is ExitCode.SOME_FAILED
    assert len(list((tmp_path / "out").glob("*.srt"))) == 3


async def test_pause_quit_and_resume_inside_the_file(
    tmp_path: Path, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(tmp_path / "out")
    long = str(clips / MINUTE.name)
    with monkeypatch.context() as patched:
        # Without it the file may be done before the key is pressed.
        patched.setattr("fwtui.batch.workspace.Batch", partial(Batch, engine=ENGINE))
        async with running(workspace(), settings=settings, size=NARROW, paths=[long]) as driver:
            model = driver.app.controller.model
            await driver.until_text("0 done  1 left")
            await driver.press("s")
            await driver.until(lambda: model.transcript(model.order[0]).segments, ENGINE_SECONDS)
            await driver.press("s")
            await driver.until(lambda: model.phase is Phase.PAUSED, ENGINE_SECONDS)
            seen = list(model.transcript(model.order[0]).segments)
            await driver.press("q")
            await driver.until(lambda: not driver.app.is_running)
        assert driver.app.return_value is ExitCode.STOPPED

    async with running(workspace(), settings=settings, size=NARROW, wait=False) as driver:
        await driver.until_text(f"• {MINUTE.name} · resumes at")
        await driver.press("L")
        await driver.until_text("waiting · resumes at")
        model = driver.app.controller.model
        await driver.until(lambda: model.transcript(model.order[0]).segments)
        assert model.transcript(model.order[0]).segments[: len(seen)] == seen
        await driver.press("s")
        await driver.until_text("1 done  1 to check  0 left", seconds=ENGINE_SECONDS)
        assert isinstance(model.jobs[model.order[0]].state, Completed)
        await driver.press("q")
        await driver.until(lambda: not driver.app.is_running)
    assert driver.app.return_value is ExitCode.DONE
    assert not (await workspace().incomplete()).sessions
