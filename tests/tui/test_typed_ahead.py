"""Keys that arrive at once do what they would have done one by one."""

from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from fwtui.core.commands import Start
from fwtui.tui.keys import KEYS
from tests.tui.driving import Driver, scripted
from tests.tui.fakes import ScriptedLink, gallery

OPENED = {
    "details": "DetailsDialog",
    "watch": "WatchedDialog",
    "settings": "SettingsDialog",
    "report": "ReportDialog",
    "sessions": "SessionsDialog",
    "models": "ModelsDialog",
    "doctor": "DoctorDialog",
    "help": "HelpDialog",
    "add": "AddDialog",
}


NAMES = {"/": "slash", ":": "colon", " ": "space", "?": "question_mark"}


def type_at_once(driver: Driver, *keys: str) -> None:
    for key in keys:
        character = key if len(key) == 1 else None
        driver.app.post_message(events.Key(NAMES.get(key, key), character))


def key_of(action: str) -> str:
    return next(key for key in KEYS if key.id == action).keys[0]


async def test_a_filter_that_is_typed_at_once_starts_nothing() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        type_at_once(driver, *"/is:waiting rs")
        await driver.until(lambda: list(driver.app.main.query("#filter").results(Input)))
        field = driver.app.main.query_one("#filter", Input)
        await driver.until(lambda: field.value == "is:waiting rs")
        assert link.commands == []
        await driver.until_screen("MainScreen")


async def test_a_path_that_is_typed_or_pasted_at_once_is_in_the_dialog(tmp_path: Path) -> None:
    async with scripted(ScriptedLink(gallery())) as driver:
        type_at_once(driver, "a", *"ssa")
        driver.app.post_message(events.Paste(f"{tmp_path}"))
        type_at_once(driver, *"/x")
        await driver.until_screen("AddDialog")
        field = driver.app.screen.query_one("#add-path", Input)
        await driver.until(lambda: field.value.endswith("/x"))
        assert field.value == f"ssa{tmp_path}/x"


async def test_an_answer_that_is_typed_at_once_is_the_one_that_was_meant() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        type_at_once(driver, "g", "r", "right", "enter")  # a file that is done
        await driver.until(lambda: link.commands)
        assert type(link.commands[0]).__name__ == "RetryJobs"
        type_at_once(driver, "g", "r", "right", "left", "enter", "s")
        await driver.until(lambda: link.commands[1:])
        assert link.commands[1:] == [Start()]


@pytest.mark.parametrize("action", OPENED)
async def test_a_dialog_that_is_closed_before_it_opens(action: str) -> None:
    """Escape belongs to the dialog, and what comes then to the main screen."""
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        opened: list[str] = []
        push = driver.app.push_screen

        def note(screen: object, *arguments: object, **options: object) -> object:
            opened.append(type(screen).__name__)
            return push(screen, *arguments, **options)  # type: ignore[call-overload]

        driver.app.push_screen = note  # type: ignore[method-assign, assignment]
        type_at_once(driver, "g", key_of(action), "escape", "s")
        await driver.until(lambda: link.commands)
        assert link.commands == [Start()]
        assert opened == [OPENED[action]]
        await driver.until_screen("MainScreen")


async def test_a_key_is_not_kept_for_ever_when_nothing_tells_the_end_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fwtui.tui.typed_ahead._in_turn", lambda *_: None)
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        type_at_once(driver, "g", "i", "escape", "s")
        await driver.until(lambda: link.commands)
        assert link.commands == [Start()]
        type_at_once(driver, "i")
        await driver.until_screen("ReportDialog")
