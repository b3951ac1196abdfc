"""What the start promises: little is imported and parsed; the first frame is the whole screen."""

import gc
import subprocess
import sys
from typing import Any

import pytest
from textual.css.parse import parse
from textual.screen import Screen

from fwtui.tui.app import FwtuiApp
from fwtui.tui.late import late
from fwtui.tui.theme import LIGHT
from tests.tui.driving import NARROW, WIDE, scripted
from tests.tui.fakes import ScriptedLink, ScriptedWorkspace, gallery

LATER = ("fwtui.batch.runner", "fwtui.storage", "fwtui.engine", "fwtui.writers", "psutil")


def test_the_batch_is_not_imported_for_the_first_frame() -> None:
    code = "import sys, fwtui.cli.screen, fwtui.tui.app, fwtui.tui.late; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = found.stdout.split()
    assert "fwtui.tui.screens.main" in names
    assert [name for name in names if name.startswith(LATER)] == []


async def test_the_collector_is_on_once_the_batch_is_imported() -> None:
    gc.disable()
    try:
        was_on: list[bool] = []

        def make() -> ScriptedWorkspace:
            was_on.append(gc.isenabled())
            return ScriptedWorkspace(ScriptedLink())

        await late(make).incomplete()
        assert (was_on, gc.isenabled()) == ([False], True)
    finally:
        gc.enable()
        gc.unfreeze()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=str)
async def test_the_first_frame_is_whole(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch, parsed_style_sheets: dict[Any, Any]
) -> None:
    parsed_style_sheets.clear()
    frames: list[str] = []
    parsed: list[str] = []
    display = FwtuiApp._display

    def displayed(app: FwtuiApp, screen: Screen[object], update: Any) -> None:
        if update is not None:
            strips = screen._compositor.render_strips()
            frames.append("\n".join("".join(part.text for part in strip) for strip in strips))
        display(app, screen, update)

    def counted(scope: str, css: str, read_from: tuple[str, str], **more: Any) -> Any:
        parsed.append(read_from[0])
        return parse(scope, css, read_from, **more)

    monkeypatch.setattr(FwtuiApp, "_display", displayed)
    monkeypatch.setattr("textual.css.stylesheet.parse", counted)
    async with scripted(ScriptedLink(gallery()), size=size) as driver:
        first = frames[0]
        for words in ("large-v3", "Queue", "Log", "Memory", "Nothing in the queue yet", "a Add"):
            assert words in first, first
        assert "The words of the running file" in first, "no pane is filled later"
        await driver.until_text("keynote-opening.mp4")
        assert sum(path.endswith("app.tcss") for path in parsed) == 1
        await driver.app.run_action("theme")
        await driver.until(lambda: driver.app.theme == "fwtui-light")
        assert driver.app.main.styles.background.hex.lower() == LIGHT.background
