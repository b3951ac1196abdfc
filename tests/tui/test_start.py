"""What the start promises: little is imported and parsed; the first frame is the whole screen."""

import gc
import subprocess
import sys
from typing import Any

import pytest
from textual.css.parse import parse
from textual.screen import Screen

from fwtui.core.commands import Quit
from fwtui.core.events import (
    AddingChanged,
    JobChanged,
    JobsAdded,
    Phase,
    PhaseChanged,
)
from fwtui.core.job import Processing
from fwtui.tui.app import FwtuiApp
from fwtui.tui.controller import lazy_workspace
from fwtui.tui.theme import LIGHT
from tests.tui.driving import NARROW, WIDE, scripted
from tests.tui.fakes import NOW, ScriptedLink, ScriptedWorkspace, gallery, job

LATER = ("fwtui.batch.batch", "fwtui.sessions", "fwtui.engine", "fwtui.outputs", "psutil", "click")


def test_the_batch_is_not_imported_for_the_first_frame() -> None:
    code = "import sys, fwtui.cli.screen, fwtui.tui.app, fwtui.tui.controller; print(*sys.modules)"
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

        await lazy_workspace(make).incomplete()
        assert (was_on, gc.isenabled()) == ([False], True)
    finally:
        gc.enable()
        gc.unfreeze()


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The text of every picture that the application shows."""
    shown: list[str] = []
    display = FwtuiApp._display

    def displayed(app: FwtuiApp, screen: Screen[object], update: Any) -> None:
        if update is not None:
            strips = screen._compositor.render_strips()
            shown.append("\n".join("".join(part.text for part in strip) for strip in strips))
        display(app, screen, update)

    monkeypatch.setattr(FwtuiApp, "_display", displayed)
    return shown


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=str)
async def test_the_first_frame_is_whole(
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    parsed_style_sheets: dict[Any, Any],
    frames: list[str],
) -> None:
    parsed_style_sheets.clear()
    parsed: list[str] = []

    def counted(scope: str, css: str, read_from: tuple[str, str], **more: Any) -> Any:
        parsed.append(read_from[0])
        return parse(scope, css, read_from, **more)

    monkeypatch.setattr("textual.css.stylesheet.parse", counted)
    async with scripted(ScriptedLink(gallery()), size=size) as driver:
        first = frames[0]
        for words in ("large-v3", "Queue", "Log", "Memory", "Nothing in the queue yet", "a Add"):
            assert words in first, first
        assert "The transcript of the running" in first, "no pane is filled later"
        await driver.until_text("keynote-opening.mp4")
        assert sum(path.endswith("app.tcss") for path in parsed) == 1
        await driver.app.run_action("theme")
        await driver.until(lambda: driver.app.theme == "fwtui-light")
        assert driver.app.main.styles.background.hex.lower() == LIGHT.background


async def test_what_is_added_is_told_until_all_of_it_is_there() -> None:
    link = ScriptedLink()
    async with scripted(link, size=NARROW) as driver:
        link.emit(AddingChanged(adding=True))
        await driver.until_text("Scanning for files")
        await driver.until_text("adding")
        link.emit(JobsAdded((job(1),)))
        link.emit(AddingChanged(adding=True, then_starts=True))
        await driver.until_text("starts after scanning")
        await driver.press("q")
        await driver.until_screen("QuitDialog")
        await driver.until_text("must be added again")
        await driver.until_gone("background")
        await driver.press("b", "enter")
        await driver.until_screen("MainScreen")
        assert link.commands == []
        link.emit(PhaseChanged(Phase.RUNNING))
        link.emit(JobChanged(job(1, state=Processing(NOW, preparing=False))))
        await driver.until_text("running · adding")
        await driver.press("q")
        await driver.until_words("Nothing else is lost")
        await driver.press("escape")
        link.emit(AddingChanged(adding=False))
        link.emit(PhaseChanged(Phase.IDLE))
        await driver.until_text("ready")
        await driver.until_gone("adding")
        await driver.press("q")
        await driver.until(lambda: not driver.app.is_running)
    assert link.commands == [Quit()]


async def test_the_question_about_quitting_changes_with_what_it_is_about() -> None:
    link = ScriptedLink()
    async with scripted(link, size=NARROW) as driver:
        link.emit(AddingChanged(adding=True, then_starts=True))
        link.emit(JobsAdded((job(1),)))
        await driver.until_text("starts after scanning")
        await driver.press("q")
        await driver.until_text("being scanned?")
        link.emit(AddingChanged(adding=False))
        link.emit(PhaseChanged(Phase.RUNNING))
        link.emit(JobChanged(job(1, state=Processing(NOW, preparing=False))))
        await driver.until_text("being transcribed?")
        await driver.until_text("In the background")
        await driver.until_gone("must be added again")
        link.emit(AddingChanged(adding=True))
        await driver.until_text("must be added again")
        link.emit(PhaseChanged(Phase.IDLE))
        await driver.until_text("being scanned?")
        await driver.until_gone("In the background")
        link.emit(AddingChanged(adding=False))
        await driver.until_screen("MainScreen")
        assert link.commands == []
