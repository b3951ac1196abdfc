"""Report a bug: from the palette or by its key, looked through, written where one says."""

import zipfile
from pathlib import Path

import pytest

from fwtui.tui.widgets.lines import FlowView
from tests.tui.driving import NARROW, WIDE, scripted
from tests.tui.fakes import ScriptedLink, gallery


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_it_shows_all_and_writes_what_it_shows(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with scripted(ScriptedLink(gallery()), size=size) as driver:
        await driver.press("B")
        await driver.until_screen("ReportBugDialog")
        await driver.until_text("== about.txt")
        lines = driver.app.screen.query_one(FlowView)
        await driver.press("G")
        assert lines.top == lines.last_top
        await driver.until_text("w Write")
        await driver.press("w")
        await driver.until_screen("MainScreen")
        (file,) = tmp_path.glob("fwtui-bug-*.zip")
        with zipfile.ZipFile(file) as bundle:
            assert "about.txt" in bundle.namelist()
        await driver.until_told(str(file))


async def test_it_can_go_elsewhere_or_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with scripted(ScriptedLink(gallery())) as driver:
        await driver.press("ctrl+p")
        await driver.press(*"report a bug")
        await driver.until_text("Preview an anonymised bug report")
        await driver.press("down", "enter")
        await driver.until_screen("ReportBugDialog")
        await driver.press("p", "end", *"/no/bug.zip", "enter")
        await driver.until_text("Cannot write")
        await driver.press("escape")
        await driver.until_screen("MainScreen")
    assert list(tmp_path.glob("*.zip")) == []
