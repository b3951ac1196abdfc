"""A user who presses a key learns something: what the keys are, or why this one does nothing."""

from functools import partial
from pathlib import Path

import pytest

from fwtui.core.job import Processing
from fwtui.tui.keymap import full_name
from fwtui.tui.keys import KEYS, TITLES, Where
from tests.tui.driving import NARROW, Driver, running, scripted
from tests.tui.fakes import NOW, ScriptedLink, ScriptedWorkspace, gallery, job, stored

# How each screen is opened, from the main screen.
SCREENS: dict[str, tuple[tuple[str, ...], Where]] = {
    "AddDialog": (("a",), "dialog"),
    "SettingsDialog": (("comma",), "settings"),
    "SessionsDialog": (("ctrl+o",), "sessions"),
    "DetailsDialog": (("g", "enter"), "details"),
    "ReportDialog": (("i",), "report"),
    "WatchedDialog": (("W",), "watch"),
    "WatchForm": (("W", "a"), "dialog"),
    "ModelsDialog": (("m",), "models"),
    "DoctorDialog": (("D",), "doctor"),
    "ReportBugDialog": (("B",), "bug"),
    "ConfirmDialog": (("g", "r"), "dialog"),
}


def notes(driver: Driver) -> int:
    return len(driver.notes)


def shows(driver: Driver, name: str) -> bool:
    return driver.screen == name


def state(driver: Driver, link: ScriptedLink) -> tuple[str, int, int, str]:
    """All that can tell a user that a key was heard."""
    return driver.text, len(link.commands), notes(driver), driver.screen


def answered(driver: Driver, link: ScriptedLink, before: tuple[str, int, int, str]) -> bool:
    return state(driver, link) != before


async def test_help_of_every_screen_shows_its_keys() -> None:
    async with scripted(ScriptedLink(gallery())) as driver:
        for name, (keys, where) in SCREENS.items():
            await driver.press(*keys)
            await driver.until(partial(shows, driver, name))
            for key in ("f1",) if name in {"AddDialog", "WatchForm"} else ("f1", "question_mark"):
                await driver.press(key)
                await driver.until_screen("HelpDialog")
                shown = str(driver.app.screen.query_one(".text").content)  # type: ignore[attr-defined]
                assert TITLES[where] in shown, (name, shown)
                assert shown.startswith(TITLES[where]) or where == "dialog"
                assert "Queue" not in shown.splitlines()  # those of this screen only
                await driver.press(key)
                await driver.until_screen(name)
            while driver.screen != "MainScreen":
                await driver.press("escape")
        await driver.press("question_mark")
        shown = str(driver.app.screen.query_one(".text").content)  # type: ignore[attr-defined]
        assert all(title in shown for title in TITLES.values())
        assert "to check" in shown.split("Marks")[1]


async def test_help_in_the_dialog_of_the_start() -> None:
    workspace = ScriptedWorkspace(sessions=[stored()])
    async with running(workspace, wait=False, size=NARROW) as driver:
        await driver.until_text("Unfinished session found")
        for key in ("f1", "question_mark"):
            await driver.press(key)
            await driver.until_screen("HelpDialog")
            await driver.until(lambda: "do not offer" in driver.text.lower())
            await driver.press("escape")
            await driver.until_screen("ResumeDialog")


# They move, or open something, whatever is in the queue.
ALWAYS = {"filter", "transcript", "log", "memory", "queue", "next_pane", "previous_pane"}


@pytest.mark.parametrize("jobs", [(), (job(1, state=Processing(NOW, preparing=False)),)], ids=len)
async def test_a_key_of_the_queue_is_answered(jobs: tuple[object, ...]) -> None:
    link = ScriptedLink(jobs)  # type: ignore[arg-type]
    async with scripted(link, size=NARROW) as driver:
        for key in KEYS:
            if key.where not in {"queue", "panes"} or key.id in ALWAYS:
                continue
            before = state(driver, link)
            await driver.press(full_name(key.keys[0]))
            # Dialogs are opened by workers.
            await driver.until(partial(answered, driver, link, before), what=key.id)
            while driver.screen != "MainScreen":
                await driver.press("escape")
            if driver.app.main.has_class("zoomed"):
                await driver.press("z")
            await driver.press("1")


async def test_a_key_without_a_function_is_told_once() -> None:
    async with scripted(ScriptedLink(gallery()), size=NARROW) as driver:
        await driver.press("b", "b", "Z")
        assert notes(driver) == 1
        await driver.press("comma", "question_mark", "escape", "escape")
        await driver.until_screen("MainScreen")


async def test_tab_lists_what_a_name_could_become(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("talk-one.mp3", "talk-two.mp3", "talk-two-b.mp3", "other.wav", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "talks").mkdir()
    async with scripted(ScriptedLink(), size=NARROW) as driver:
        await driver.press("a", *"ta", "tab")
        await driver.until_text("talk-one.mp3  talk-two-b.mp3  talk-two.mp3  talks/")
        field = driver.app.focused
        assert field is not None
        assert field.id == "add-path"
        await driver.press(*"-tw")
        await driver.until(lambda: not driver.app.screen.query_one("#add-completions").display)
        await driver.press("tab")
        await driver.until_text("talk-two-b.mp3  talk-two.mp3")
        await driver.press("tab")  # they are listed already: on to the tree
        await driver.until(lambda: driver.app.focused is not field)


@pytest.mark.parametrize("leave", ["escape", "#close"])
async def test_unsaved_settings_are_asked_for(leave: str) -> None:
    link = ScriptedLink(gallery())
    async with scripted(link, size=NARROW) as driver:

        async def close() -> None:
            if leave == "escape":
                await driver.press("escape")
            else:
                await driver.app.screen.run_action("close")

        await driver.press("comma", "3")
        await driver.until_text("changed")
        await close()
        await driver.until_text("Discard the changes?")
        await driver.press("enter")
        await driver.until_screen("SettingsDialog")
        await close()
        await driver.until_text("Discard the changes?")
        await driver.press("right", "enter")
        await driver.until_screen("MainScreen")
        assert link.commands == []
        await driver.press("comma")
        await driver.until_screen("SettingsDialog")
        await close()
        await driver.until_screen("MainScreen")


@pytest.mark.parametrize("opening", ["", "comma", "i", "enter"])
async def test_only_keys_without_a_meaning_are_said_to_have_none(opening: str) -> None:
    async with scripted(ScriptedLink(gallery())) as driver:
        await driver.until_text("keynote-opening.mp4")
        await driver.press(*([opening] if opening else []))
        before = notes(driver)
        await driver.press("j", "k", "G", "g", "question_mark", "question_mark")
        assert notes(driver) == before
        await driver.press("ö")
        await driver.until(lambda: notes(driver) == before + 1)
