"""Where the screen writes a file that the user names, nothing of the user's is lost."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from fwtui.core.settings import OutputSettings, Settings
from tests.tui.driving import Driver, running
from tests.tui.fakes import ScriptedLink, ScriptedWorkspace, completed, job, stored

Open = Callable[[Driver], Awaitable[None]]


async def report(driver: Driver) -> None:
    await driver.press("i")
    await driver.until_screen("ReportDialog")
    await driver.press("e")
    await driver.until_screen("ExportDialog")


async def session(driver: Driver) -> None:
    await driver.press("ctrl+o")
    await driver.until_screen("SessionsDialog")
    await driver.until_text("1 stored")
    await driver.press("e")
    await driver.until_screen("ExportDialog")


async def bug(driver: Driver) -> None:
    await driver.press("B")
    await driver.until_screen("ReportBugDialog")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp3"
    path.write_bytes(b"sound")
    return path


@pytest.mark.parametrize("dialog", [report, session, bug])
async def test_a_named_file_is_asked_for_or_refused(
    dialog: Open, recording: Path, tmp_path: Path
) -> None:
    link_to_it, notes = tmp_path / "link.json", tmp_path / "notes.json"
    link_to_it.symlink_to(recording)
    notes.write_text("mine")
    jobs = [job(1, str(recording), state=completed())]
    link = ScriptedLink(jobs, Settings(output=OutputSettings(output_dir=str(tmp_path))))
    workspace = ScriptedWorkspace(link)
    async with running(workspace) as driver:
        workspace.sessions = [stored(jobs=jobs)]
        await dialog(driver)
        opened = driver.app.screen
        field = opened.query_one(Input)
        field.focus()
        for taken in (recording, link_to_it):
            field.value = str(taken)
            await driver.press("enter")
            await driver.until(lambda: "is a recording of the session" in driver.words)
            assert driver.app.screen is opened
        field.value = str(notes)
        await driver.press("enter")
        await driver.until_text("Replace this file?")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is opened)
        assert notes.read_text() == "mine"
        await driver.press("enter")
        await driver.until_text("Replace this file?")
        await driver.press("right", "enter")
        await driver.until(lambda: notes.read_bytes() != b"mine")
        await driver.until(lambda: opened not in driver.app.screen_stack)
    assert recording.read_bytes() == b"sound"
    assert link_to_it.is_symlink()
