"""How the screens look. After a wanted change: `pytest tests/tui/test_snapshots.py
--snapshot-update`, and look at every picture that changed.

Pictures are compared letter by letter: all versions of Textual that fwtui allows, which draws the
palette and writes the pictures, must make the same ones.
"""

import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fwtui.config.profiles import PROFILES, with_profile
from fwtui.core.events import EngineChanged
from fwtui.core.settings import InterfaceSettings
from fwtui.tui.app import FwtuiApp
from fwtui.tui.glyphs import UNICODE
from tests.tui.driving import NARROW, WIDE, Driver, counted_threads
from tests.tui.fakes import (
    ENGINE,
    NOW,
    SETTINGS,
    ScriptedLink,
    ScriptedWorkspace,
    busy_events,
    gallery,
)

Steps = Callable[[Driver], Awaitable[None]]


async def main(driver: Driver) -> None:
    pass


async def settings(driver: Driver) -> None:
    await driver.press("comma")
    await driver.until_screen("SettingsDialog")
    await driver.press("j", "j", "j")


async def help_(driver: Driver) -> None:
    await driver.press("question_mark")
    await driver.until_screen("HelpDialog")


async def palette(driver: Driver) -> None:
    await driver.press("ctrl+p")
    await driver.press(*"pane")
    await driver.until_text("Zoom")


async def add(driver: Driver) -> None:
    await driver.press("a")
    await driver.until_text("part 1.wav")
    await driver.press("tab", "j", "space", "space", "g", "l")
    await driver.until_text("tape.wav")
    await driver.until_text("2 files · 1:15 total")


async def searched(driver: Driver) -> None:
    """Places marked in the transcript, the log wrapped, borders moved."""
    await driver.press("3", "w", "2", "home", "slash", *"boat", "enter", "n")
    await driver.until_text("2 of 3")
    await driver.press("less_than_sign", "minus")
    # No cursor that blinks, and the notes are gone.
    await driver.until(lambda: driver.app.focused is driver.app.main.transcript_view)


async def log_only(driver: Driver) -> None:
    await driver.press("p", "p", "3", "slash", *"memory", "enter")
    driver.app.clear_notifications()
    await driver.until_text("1 of ")
    await driver.until_gone("Layout")


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home with a folder of silent files in it, which is the current one."""
    folder = tmp_path / "recordings"
    (folder / "interviews").mkdir(parents=True)
    for name, seconds in (("part 1", 30), ("part 2", 45), ("part 10", 60), ("interviews/tape", 5)):
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(4000)
            file.writeframes(bytes(2 * 4000 * seconds))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder)


@pytest.mark.usefixtures("recordings")
@pytest.mark.parametrize("theme", ["fwtui-dark", "fwtui-light"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("steps", [main, add, settings, help_, palette])
def test_screens(snap_compare: Any, steps: Steps, size: tuple[int, int], theme: Any) -> None:
    compare(snap_compare, steps, size, theme)


@pytest.mark.parametrize(
    ("steps", "size"),
    [(searched, WIDE), (log_only, WIDE), (log_only, NARROW)],
    ids=["searched", "log-wide", "log-narrow"],
)
def test_layouts(snap_compare: Any, steps: Steps, size: tuple[int, int]) -> None:
    compare(snap_compare, steps, size, "fwtui-dark")


def compare(snap_compare: Any, steps: Steps, size: tuple[int, int], theme: Any) -> None:
    """Play the steps on a busy screen, and compare the picture."""
    link = ScriptedLink(gallery(), with_profile(SETTINGS, PROFILES[1]))
    interface = InterfaceSettings(theme=theme, reduced_motion=True)
    app = FwtuiApp(
        ScriptedWorkspace(link),
        replace(SETTINGS, interface=interface),
        now=lambda: NOW,
        glyphs=UNICODE,
    )
    app.strict = True

    async def play(pilot: Any) -> None:
        with counted_threads() as threads:
            driver = Driver(app, pilot, threads)
            await driver.until(lambda: app.controller.batch and app.controller.model.jobs)
            # Straight into the model: the bridge keeps only the last of several memory readings.
            for event in (EngineChanged(0, ENGINE), *busy_events()):
                app.controller.model.fold(event)
            app.main.apply(app.controller.model.take_changes())
            await steps(driver)
            await driver.settle()

    assert snap_compare(app, terminal_size=size, run_before=play)
