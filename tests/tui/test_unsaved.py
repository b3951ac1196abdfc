"""A dialog in which something was entered is not closed without asking."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.tui.driving import Driver, scripted
from tests.tui.fakes import ScriptedLink, job
from tests.tui.test_watched import opened

Change = Callable[[Driver], Awaitable[None]]


async def watch_form(driver: Driver, link: ScriptedLink) -> None:
    await opened(driver, link)
    await driver.press("enter")
    await driver.until_screen("WatchForm")


async def new_watch_form(driver: Driver, link: ScriptedLink) -> None:
    await driver.press("W", "a")
    await driver.until_screen("WatchForm")


async def settings(driver: Driver, link: ScriptedLink) -> None:
    await driver.press("comma")
    await driver.until_screen("SettingsDialog")


async def add(driver: Driver, link: ScriptedLink) -> None:
    await driver.press("a")
    await driver.until_screen("AddDialog")
    await driver.until_text("two.wav")
    await driver.press("tab")
    await driver.until_text("Space select")


async def line(driver: Driver) -> None:
    driver.app.screen.query_one("#watch-exclude", Input).value = "drafts *.tmp"


async def choice(driver: Driver) -> None:
    await driver.click("#poll-2")


async def setting(driver: Driver) -> None:
    await driver.press("right")


async def files(driver: Driver) -> None:
    await driver.press("ctrl+a")


@pytest.mark.parametrize(
    ("form", "change"),
    [
        (watch_form, line),
        (watch_form, choice),
        (new_watch_form, line),
        (new_watch_form, choice),
        (settings, setting),
        (add, files),
    ],
    ids=lambda step: step.__name__,
)
async def test_what_was_entered_is_asked_for(
    form: Callable[[Driver, ScriptedLink], Awaitable[None]],
    change: Change,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one.mp3", "two.wav"):
        (tmp_path / name).touch()
    link = ScriptedLink([job(1)])
    async with scripted(link) as driver:
        await form(driver, link)
        dialog = driver.app.screen
        await driver.press("escape")  # nothing was entered
        await driver.until(lambda: dialog not in driver.app.screen_stack)
        while driver.screen != "MainScreen":
            await driver.press("escape")
        await form(driver, link)
        dialog = driver.app.screen
        await change(driver)
        await driver.press("escape")
        await driver.until_text("Discard the changes?")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is dialog)
        await driver.press("escape")
        await driver.until_text("Discard the changes?")
        await driver.press("right", "enter")
        await driver.until(lambda: dialog not in driver.app.screen_stack)
        assert link.commands == []
