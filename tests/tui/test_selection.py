"""Ranges of the selection, orders by every column, and the filter's message, on the screen."""

import os
from pathlib import Path

import pytest

from fwtui.core.commands import MoveJobs, RemoveJobs, SkipJobs
from fwtui.core.events import JobsAdded
from fwtui.core.job import Job
from fwtui.tui.sort_filter import MAIN_SORTS
from fwtui.tui.widgets.queue_table import modification_times
from tests.tui.driving import NARROW, WIDE, scripted
from tests.tui.fakes import ScriptedLink, completed, gallery, job


def queue(count: int = 8) -> list[Job]:
    return [job(n, f"talk {n}.mp3") for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("keys", "selected"),
    [
        (["V", "j", "j"], {1, 2, 3}),
        (["j", "j", "V", "k"], {2, 3}),
        (["V", "j", "j", "k"], {1, 2}),
        (["V", "G"], set(range(1, 9))),
        (["space", "j", "V", "j"], {1, 3, 4}),
        (["V", "j", "V", "j", "j"], {1, 2}),
        (["shift+down", "shift+down"], {1, 2, 3}),
        (["shift+down", "shift+down", "shift+up"], {1, 2}),
        (["G", "shift+up", "k", "k", "shift+up"], {7, 8, 5, 4}),
        (["V", "j", "escape"], set()),
        (["V", "j", "space", "j"], {1}),
    ],
)
async def test_a_range_is_selected(keys: list[str], selected: set[int]) -> None:
    async with scripted(ScriptedLink(queue())) as driver:
        await driver.press(*keys)
        await driver.until(lambda: driver.app.main.queue.selected == selected)
        await driver.until_gone("selected") if not selected else await driver.until_text(
            f"{len(selected)} selected"
        )


async def test_actions_are_about_the_range_and_end_it() -> None:
    link = ScriptedLink(queue())
    async with scripted(link) as driver:
        view = driver.app.main.queue
        await driver.press("j", "V", "j", "j")
        await driver.until_text("range · 3 selected")
        await driver.press("x")
        await driver.until(lambda: link.commands == [SkipJobs((2, 3, 4))])
        assert not view.selected and not view.in_range
        await driver.press("g", "shift+down", "J")
        await driver.until(lambda: link.commands[1:] == [MoveJobs((1, 2), 1)])
        await driver.press("d")
        await driver.until(lambda: link.commands[2:] == [RemoveJobs((1, 2))])
        assert not view.selected


async def test_a_click_with_shift_selects_up_to_there_and_a_filter_hides_nothing_unsaid() -> None:
    async with scripted(ScriptedLink(queue())) as driver:
        view = driver.app.main.queue
        await driver.click(view, offset=(8, 2))
        await driver.click(view, offset=(8, 5), shift=True)
        await driver.until(lambda: view.selected == {2, 3, 4, 5})
        await driver.press("slash", *"talk 3", "enter")
        await driver.until_text("4 selected, 3 not shown")


@pytest.mark.parametrize("size", [WIDE, (200, 60)])
async def test_every_heading_sorts_there_back_and_not_at_all(size: tuple[int, int]) -> None:
    async with scripted(ScriptedLink(gallery()), size=size) as driver:
        view = driver.app.main.queue
        in_order = list(view.ids)
        for title, first, then in (
            ("File", "by name", "by name, last first"),
            ("Length", "shortest first", "longest first"),
            ("Progress", "by state", "by state, done first"),
            ("Speed", "slowest first", "fastest first"),
            ("Time", "least time first", "most time first"),
        ):
            line = view.region.y
            at = driver.text.splitlines()[line].index(title) - view.region.x
            await driver.click(view, offset=(at, 0))
            await driver.until_text(first, f"{title}▴")
            ascending = list(view.ids)
            await driver.press("O")
            await driver.until_text(then, f"{title}▾")
            assert view.ids != ascending != in_order
            await driver.click(view, offset=(at, 0))
            await driver.until_gone(then)
            assert view.ids == in_order
        await driver.press("O")
        await driver.until_told("The view is not sorted")


async def test_files_are_sorted_by_their_dates_and_those_that_come_later_too(
    tmp_path: Path,
) -> None:
    def file(number: int, at: float) -> Job:
        path = tmp_path / f"{number}.mp3"
        path.touch()
        os.utime(path, (at, at))
        return job(number, path=str(path))

    jobs = [file(1, 50), file(2, 90), job(3, path=str(tmp_path / "gone.mp3")), file(4, 70)]
    assert modification_times({1: jobs[0].path, 3: jobs[2].path}) == {1: 50.0, 3: None}
    link = ScriptedLink(jobs)
    async with scripted(link) as driver:
        view = driver.app.main.queue
        await driver.press(*["o"] * MAIN_SORTS.index("newest"))
        await driver.until(lambda: view.ids == [2, 4, 1, 3])
        await driver.until_text("newest first")
        await driver.press("O")
        await driver.until(lambda: view.ids == [1, 4, 2, 3])
        link.emit(JobsAdded((file(5, 60),)))
        await driver.until(lambda: view.ids == [1, 5, 4, 2, 3])


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_filter_that_cannot_be_read_says_so(size: tuple[int, int]) -> None:
    jobs = [*queue(3), job(4, "long.mp3", state=completed(7200.0))]
    async with scripted(ScriptedLink(jobs), size=size) as driver:
        view = driver.app.main.queue
        await driver.press("slash", *"is:broken")
        await driver.until_text("is:broken is no state: waiting, running, done, check", "skipped")
        await driver.press("enter", "ctrl+a", "d")
        assert view.ids == [] and not view.selected
        await driver.press("slash", "ctrl+u", *"length>1h long", "enter")
        await driver.until(lambda: view.ids == [4])
        await driver.press("escape")
        await driver.until(lambda: view.ids == [1, 2, 3, 4])
