"""The bottom line: the keys of the focused pane come first, and each of them works there."""

import pytest

from fwtui.core.events import EngineChanged
from fwtui.tui.keymap import make_keymap
from fwtui.tui.keys import FOOTERS, KEYS, TITLES
from tests.tui.driving import NARROW, WIDE, Driver, at_work, running, scripted
from tests.tui.fakes import ENGINE, ScriptedLink, ScriptedWorkspace, gallery, job

PANES = {"1": "queue", "2": "transcript", "3": "log", "4": "memory"}


def bottom(driver: Driver) -> str:
    return driver.text.splitlines()[-1]


async def focus(driver: Driver, key: str) -> None:
    if driver.app.main.pane != PANES[key]:
        await driver.press(key)
    await driver.until(lambda: driver.app.main.pane == PANES[key])


async def test_each_pane_shows_its_own_keys_first() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link, size=NARROW) as driver:
        await at_work(driver, link, EngineChanged(0, ENGINE))
        await driver.until(lambda: bottom(driver).startswith(" a Add  s Pause  ⏎ Details"))
        for key, first in (("2", " / Search"), ("3", " / Search"), ("4", " 0 From 0")):
            await focus(driver, key)
            await driver.until(lambda first=first: bottom(driver).startswith(first))  # type: ignore[misc]
            assert "? Help  q Quit" in bottom(driver)


@pytest.mark.parametrize("size", [NARROW, WIDE, (200, 60)])
async def test_every_key_that_is_shown_is_bound_to_what_it_says(size: tuple[int, int]) -> None:
    link = ScriptedLink(gallery())
    async with scripted(link, size=size) as driver:
        await at_work(driver, link, EngineChanged(0, ENGINE))
        main = driver.app.main
        for key, pane in PANES.items():
            await focus(driver, key)
            await driver.until(lambda: main.footer._pane() == main.pane)
            await driver.until(lambda: main.footer._hints)
            active = {one.binding.id for one in main.active_bindings.values()}
            shown = [hint.key.id for hint in main.footer._fitting()]
            assert set(shown) <= active, pane
            ranks = [FOOTERS[pane].index(name) for name in shown]
            assert ranks == sorted(ranks)


def test_footers_name_keys_once() -> None:
    known = {key.id for key in KEYS}
    for names in FOOTERS.values():
        assert len(names) == len(set(names))
        assert set(names) <= known


async def test_a_text_field_has_keys_of_its_own() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link, size=NARROW) as driver:
        await driver.press("slash")
        await driver.until(lambda: bottom(driver).startswith(" Esc Back"))
        assert "Ctrl+C Quit" in bottom(driver)
        assert "F1 Help" in bottom(driver), "? is typed"
        assert " q " not in bottom(driver)
        await driver.press("escape")
        await driver.until(lambda: " q Quit" in bottom(driver))


async def test_the_keys_of_the_user_are_shown_in_panes() -> None:
    keymap = make_keymap({"level": ("V", "f6"), "copy": ("f5",), "search": ("f7",)})
    workspace = ScriptedWorkspace(ScriptedLink([job(1)]))
    async with running(workspace, keymap=keymap) as driver:
        await driver.until_text("talk-001")
        await focus(driver, "3")
        for words in ("V Level", "F5 Copy", "F7 Search"):
            await driver.until(lambda words=words: words in bottom(driver))  # type: ignore[misc]
        level = driver.app.main.log_view.level
        await driver.press("f6")
        assert driver.app.main.log_view.level is not level


async def test_a_click_on_a_hint_presses_the_key_of_the_pane() -> None:
    async with scripted(ScriptedLink(gallery())) as driver:
        await focus(driver, "3")
        await driver.until(lambda: " v Level" in bottom(driver))
        level = driver.app.main.log_view.level
        await driver.click(driver.app.main.footer, offset=(bottom(driver).index("v Level") + 2, 0))
        await driver.until(lambda: driver.app.main.log_view.level is not level)


@pytest.mark.parametrize(
    ("key", "titles"),
    [
        ("1", ("queue", "moving", "panes")),
        ("2", ("search", "moving", "queue")),
        ("3", ("log", "search", "moving", "queue")),
        ("4", ("memory", "queue", "panes")),
    ],
)
async def test_help_begins_with_the_focused_pane(key: str, titles: tuple[str, ...]) -> None:
    async with scripted(ScriptedLink(gallery())) as driver:
        await focus(driver, key)
        await driver.press("question_mark")
        await driver.until_screen("HelpDialog")
        shown = str(driver.app.screen.query_one(".text").content)  # type: ignore[attr-defined]
        found = [line for line in shown.splitlines() if line in TITLES.values()]
        assert found[: len(titles)] == [TITLES[name] for name in titles]  # type: ignore[index]
