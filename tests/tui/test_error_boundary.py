"""Errors of the screens cost a dialog; the batch goes on."""

import pytest
from textual.widgets import Static

from fwtui.core.commands import Quit
from fwtui.core.events import Phase, PhaseChanged
from fwtui.tui.screens.batch_report import ReportDialog
from tests.tui.driving import Driver, scripted
from tests.tui.fakes import ScriptedLink, busy_events, gallery


class Calls:
    """A callback that fails each time."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1
        raise ValueError("[red]late[/]")


async def still_works(driver: Driver, link: ScriptedLink) -> None:
    while driver.screen != "MainScreen":
        await driver.press("escape")
    link.emit(*busy_events())
    await driver.until_text("live")
    assert driver.app.is_running
    assert Quit() not in link.commands


@pytest.mark.parametrize("where", ["app", "screen", "widget", "dialog"])
async def test_a_timer_that_fails_is_one_dialog_and_stops(where: str) -> None:
    link = ScriptedLink(gallery())
    link.phase = Phase.RUNNING
    async with scripted(link) as driver:
        driver.app.strict = False
        if where == "dialog":
            await driver.press("i")
        nodes = {"app": driver.app, "widget": driver.app.main.queue}
        node = nodes.get(where, driver.app.screen)
        calls = Calls()
        node.set_interval(0.01, calls)
        await driver.until_text("ValueError: [red]late[/]")
        await driver.until_text("The batch is still running.")
        await driver.settle()
        assert calls.count == 1
        await still_works(driver, link)
        once = Calls()
        node.set_timer(0.01, once)
        if where != "dialog":  # which is closed by now
            await driver.until(lambda: once.count)
            await still_works(driver, link)


async def test_a_worker_that_would_end_the_app_is_a_dialog() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        driver.app.strict = False

        async def fail() -> None:
            raise ValueError("worker")

        driver.app.main.queue.run_worker(fail())
        await driver.until_text("ValueError: worker")
        await driver.until_gone("still running")
        await still_works(driver, link)


async def test_a_worker_of_a_foreign_widget_is_a_dialog() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        driver.app.strict = False
        foreign = Static("")
        await driver.app.main.mount(foreign)

        async def fail() -> None:
            raise ValueError("foreign")

        foreign.run_worker(fail())
        await driver.until_text("ValueError: foreign")
        await still_works(driver, link)


async def test_a_dialog_that_fails_all_the_time_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        driver.app.strict = False

        def fail(*_: object) -> None:
            raise ValueError("again")

        monkeypatch.setattr(ReportDialog, "action_scroll_body", fail)
        await driver.press("i")
        await driver.until_screen("ReportDialog")
        report = driver.app.screen
        for _ in range(8):
            report.call_later(fail)
        await driver.until(lambda: report not in driver.app.screen_stack)
        await driver.until_text("ValueError: again")
        monkeypatch.undo()
        link.emit(PhaseChanged(Phase.IDLE))
        await still_works(driver, link)


async def test_a_change_that_cannot_be_drawn_is_a_dialog(monkeypatch: pytest.MonkeyPatch) -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        driver.app.strict = False

        def fail(*_: object) -> None:
            raise ValueError("drawing")

        with monkeypatch.context() as patch:
            patch.setattr(driver.app.main.header, "update", fail)
            link.emit(PhaseChanged(Phase.PAUSED))
            await driver.until_screen("MessageDialog")
        await driver.until_text("ValueError: drawing")
        await still_works(driver, link)
