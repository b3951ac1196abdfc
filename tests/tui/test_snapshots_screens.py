"""How the screens look that are looked into: both sizes, light and dark.

To see and accept a change: `pytest tests/tui/test_snapshots_screens.py --snapshot-update`, then
look at the pictures that git shows as changed.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion

from fwtui.core.events import Phase, PhaseChanged
from fwtui.core.segment import Segment, Transcript, Word
from fwtui.outputs.batch_history import HistoryStore
from fwtui.tui.glyphs import UNICODE
from fwtui.tui.screens.details import DetailsDialog
from fwtui.tui.screens.doctor import DoctorDialog
from fwtui.tui.theme import DARK, LIGHT
from tests.tui.driving import NARROW, WIDE, Driver, running, scripted
from tests.tui.fakes import (
    NOW,
    WORDS,
    ScriptedLink,
    ScriptedWorkspace,
    gallery,
    segment,
    stored,
)
from tests.tui.test_doctor_screen import sample as findings
from tests.tui.test_history import listed, some
from tests.tui.test_history import opened as show_history
from tests.tui.test_models_screen import open_models
from tests.tui.test_sessions import browse, sample, several
from tests.tui.test_watched import opened

Look = Callable[[Driver], Awaitable[None]]


@pytest.fixture
def look(snapshot: SnapshotAssertion) -> Look:
    """Compare the screen with its pictures: two sizes, two themes, one run."""
    pictures = snapshot.use_extension(SVGImageExtension)

    async def compare(driver: Driver) -> None:
        for size in (NARROW, WIDE):
            for theme in (DARK, LIGHT):
                await driver.resize(*size)
                driver.app.theme = theme.name
                await driver.settle()
                name = f"{size[0]}x{size[1]}-{theme.name.removeprefix('fwtui-')}"
                assert driver.app.export_screenshot(title="") == pictures(name=name)

    return compare


def spoken(number: int, text: str) -> Segment:
    """A segment whose words are sure, less sure and doubtful in turn."""
    shares = (0.98, 0.95, 0.91, 0.99, 0.64, 0.97, 0.93, 0.31, 0.96)
    start = number * 6.4
    words = tuple(
        Word(start + at * 0.3, start + at * 0.3 + 0.3, f" {word}", shares[(number + at) % 9])
        for at, word in enumerate(text.split())
    )
    return msgspec.structs.replace(segment(number, start, f" {text}"), words=words)


async def test_resume(look: Look) -> None:
    workspace = ScriptedWorkspace(sessions=[sample(), stored("20251201_080000", gallery())])
    async with running(workspace, wait=False) as driver:
        await driver.until_text("2 unfinished sessions found")
        await look(driver)


@pytest.mark.usefixtures("universal_time")
async def test_history(look: Look, store: HistoryStore) -> None:
    some(store)
    async with running(ScriptedWorkspace()) as driver:
        screen = await show_history(driver)
        await listed(driver, screen, 3)
        await driver.press("j", "enter")
        await listed(driver, screen, 4)
        await driver.until_text("(missing)")
        await driver.until_text("4 files")
        await look(driver)


async def test_sessions(look: Look) -> None:
    workspace = several()
    async with running(workspace) as driver:
        await browse(driver, workspace)
        await look(driver)


async def test_details(look: Look) -> None:
    link = ScriptedLink(gallery())
    link.transcripts[1] = Transcript("en", tuple(spoken(n, text) for n, text in enumerate(WORDS)))
    async with scripted(link) as driver:
        await driver.press("g", "enter")
        await driver.until_screen("DetailsDialog")
        screen = driver.app.screen
        assert isinstance(screen, DetailsDialog)
        await driver.until(lambda: screen._missing)
        await driver.until(lambda: driver.app.controller.model.transcript(1).whole)
        await look(driver)


async def test_report(look: Look) -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        history = driver.app.controller.model.history
        link.emit(PhaseChanged(Phase.RUNNING))
        await driver.until(lambda: history.began)
        history.began = NOW - timedelta(minutes=90)
        for second in range(0, 5400, 5):
            peak = 400.0 if second % 900 < 200 else 0.0
            history.memory.add(second, 900 + 260 * (1 - 0.96 ** (second / 30)) + peak)
        history.peak = 1720.0
        link.emit(PhaseChanged(Phase.IDLE))
        await driver.until(lambda: history.ended)
        await driver.press("i")
        await driver.until_screen("ReportDialog")
        await look(driver)


async def test_models(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", "/models/hub")
    async with scripted(ScriptedLink()) as driver:
        screen = await open_models(driver)
        await driver.until(lambda: screen._list.needs)
        await look(driver)


async def test_doctor(look: Look) -> None:
    async with scripted(ScriptedLink()) as driver:
        await driver.app.push_screen(DoctorDialog(findings, UNICODE))
        await driver.until_text("1 problem, 1 warning")
        await look(driver)


async def test_watched(look: Look) -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await opened(driver, link)
        await look(driver)


async def test_watch_form(look: Look) -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await opened(driver, link)
        await driver.press("enter")
        await driver.until_screen("WatchForm")
        driver.app.screen.query_one("#watch").focus()  # a cursor blinks
        await look(driver)
