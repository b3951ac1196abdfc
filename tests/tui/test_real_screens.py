"""Details, report, sessions and resume on the real runner, engine child and demo model."""

import shutil
from pathlib import Path

from fwtui import demo
from fwtui.batch.workspace import Workspace
from fwtui.config.locations import Locations
from fwtui.core.job import Completed
from fwtui.errors import ExitCode
from fwtui.tui.screens.details import DetailsDialog
from tests.batch.driver import settings_for
from tests.tui.driving import Driver, running
from tests.tui.test_real import ENGINE_SECONDS

SIZE = (140, 40)


def workspace() -> Workspace:
    return Workspace(Locations.default())


def state_of_first(driver: Driver) -> Completed:
    model = driver.app.controller.model
    state = model.jobs[model.order[0]].state
    assert isinstance(state, Completed)
    return state


async def open_details(driver: Driver) -> DetailsDialog:
    await driver.press("g", "enter")
    await driver.until_screen("DetailsDialog")
    screen = driver.app.screen
    assert isinstance(screen, DetailsDialog)
    await driver.until(screen.transcript.text)
    return screen


async def test_a_batch_is_looked_into_retried_kept_and_resumed(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    shutil.copy(demo.clips()[0], clips)
    (clips / "zz broken.mp3").write_text("not sound")
    out = tmp_path / "out"
    settings = settings_for(out)
    async with running(workspace(), settings=settings, size=SIZE, paths=[str(clips)]) as driver:
        await driver.until_text("0 done   0 failed   2 left")
        await driver.press("s")
        await driver.until_text("1 done   1 failed   0 left", seconds=ENGINE_SECONDS)
        await driver.until_text("finished")
        assert state_of_first(driver).used == {
            "model.model": str(demo.model_dir()),
            "model.device": "cpu",
            "model.threads": 1,
            "decoding.language": "en",
            "decoding.beam_size": 1,
            "decoding.temperature_increment_on_fallback": None,
            "output.output_dir": str(out),
        }
        # The report, with the curve of real samples.
        await driver.press("i")
        await driver.until_screen("ReportDialog")
        await driver.until_text("1 done")
        await driver.until_text("zz broken.mp3")
        await driver.until_text("Peak memory")
        await driver.press("e", "enter")
        await driver.until(lambda: list(out.glob("fwtui-report-*.md")))
        await driver.until_screen("ReportDialog")
        await driver.press("escape")
        # Details, and once more with another profile for this file alone.
        screen = await open_details(driver)
        words = screen.transcript.text()
        await driver.until_text("segment confidence:")
        await driver.press("w")
        await driver.until_screen("SettingsDialog")
        await driver.press("2", "a")
        await driver.until_text("0 done   1 failed   1 left")
        await driver.press("s")
        await driver.until_text("1 done   1 failed   0 left", seconds=ENGINE_SECONDS)
        used = state_of_first(driver).used
        assert used is not None
        assert used["model.compute_type"] == "default"
        assert "decoding.beam_size" not in used
        assert driver.app.controller.model.settings == settings
        screen = await open_details(driver)
        words = screen.transcript.text()
        await driver.press("escape", "q")
        await driver.until(lambda: not driver.app.is_running)
    assert driver.app.return_value is ExitCode.SOME_FAILED

    async with running(workspace(), settings=settings, size=SIZE, wait=False) as driver:
        await driver.until_text("Failed files (will be retried)")
        await driver.press("i")
        await driver.until_screen("InspectDialog")
        await driver.until_text("✓ 1 done   ✗ 1 failed")
        await driver.press("escape", "L")
        await driver.until_text("1 done   0 failed   1 left")
        # The journal of a finished file ends with a resume: its words come from an output.
        screen = await open_details(driver)
        assert screen.transcript.text() == words
        await driver.until_text("loaded from")
        await driver.until_text("Settings used")
        await driver.press("escape", "ctrl+o")
        await driver.until_text("This is the batch on the main screen")
        await driver.press("escape", "q")
        await driver.until(lambda: not driver.app.is_running)
    (stored,) = (await workspace().all_sessions()).sessions
    assert isinstance(stored.session.jobs[0].state, Completed)
    assert stored.session.jobs[0].settings is not None
