"""Only the user moves the cursor: a key is always about the file that it was meant for."""

import random
from functools import partial

import pytest

from fwtui.core.commands import SkipJobs
from fwtui.core.events import AnyEvent, JobChanged, JobsAdded, JobsRemoved, JobsReordered
from fwtui.core.job import Cancelled, JobId, Pending, Processing, Skipped, State
from fwtui.tui.widgets.queue_table import QueueTable
from tests.tui.driving import NARROW, WIDE, scripted
from tests.tui.fakes import NOW, ScriptedLink, completed, failed, job

STATES: list[State] = [
    Pending(),
    Processing(NOW),
    Processing(NOW, preparing=False),
    completed(),
    failed(),
    Cancelled(NOW),
    Skipped(NOW, "by you"),
]


def shows(queue: QueueTable, ids: list[JobId]) -> bool:
    return queue.ids == ids


def any_event(chance: random.Random, ids: list[JobId], own: JobId) -> AnyEvent:
    """Something that may happen to a queue, except that the file `own` is removed."""
    others = [number for number in ids if number != own]
    match chance.randrange(5):
        case 0 if len(others) > 3:
            gone = tuple(chance.sample(others, 2))
            ids[:] = [number for number in ids if number not in gone]
            return JobsRemoved(gone)
        case 1:
            ids.append(max(ids) + 1)
            return JobsAdded((job(ids[-1]),))
        case 2:
            chance.shuffle(ids)
            return JobsReordered(tuple(ids))
        case _:
            return JobChanged(job(chance.choice(ids), state=chance.choice(STATES)))


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("seed", range(3))
async def test_it_stays_on_its_file_whatever_happens(seed: int, size: tuple[int, int]) -> None:
    chance, ids = random.Random(seed), list(range(1, 31))
    link = ScriptedLink([job(number) for number in ids])
    async with scripted(link, size=size) as driver:
        await driver.press(*"j" * chance.randrange(2, 20))
        queue = driver.app.main.queue
        assert queue.current is not None
        own = queue.current.id
        for _ in range(25):
            link.emit(*(any_event(chance, ids, own) for _ in range(chance.randrange(1, 4))))
            if chance.random() < 0.3:
                await driver.press("o")
            await driver.until(lambda: sorted(queue.ids) == sorted(ids))
            assert queue.current is not None
            assert queue.current.id == own
            assert 0 <= queue.cursor - queue.top < queue.rows, "it can be seen"


async def test_a_filter_that_is_cleared_gives_the_cursor_back() -> None:
    link = ScriptedLink([job(number) for number in range(1, 40)])
    async with scripted(link) as driver:
        queue = driver.app.main.queue
        await driver.press(*"jjjjj", "slash", *"talk-03")
        assert queue.current is not None
        assert queue.current.id == 30
        await driver.press("escape")
        assert queue.current.id == 6
        await driver.press("slash", *"talk-03", "enter", "j", "escape")
        assert queue.current.id == 31, "the user has moved it"


async def test_the_nearest_file_takes_the_place_of_removed_ones() -> None:
    link = ScriptedLink([job(number) for number in range(1, 10)])
    async with scripted(link) as driver:
        queue = driver.app.main.queue
        await driver.press(*"jjjj")
        left = list(range(1, 10))
        for gone, after in (((1, 2, 5, 6), 7), ((7, 8, 9), 4), ((4,), 3)):
            left = [number for number in left if number not in gone]
            link.emit(JobsRemoved(gone))
            await driver.until(partial(shows, queue, left))
            assert queue.current is not None
            assert queue.current.id == after


async def test_a_second_key_does_not_cancel_another_file() -> None:
    """The row says at once that the key was heard, and the cursor stays when the next file runs."""
    running = Processing(NOW, preparing=False)
    link = ScriptedLink([job(1, state=running), *(job(number) for number in range(2, 5))])
    async with scripted(link) as driver:
        await driver.press("x")
        await driver.until_text("cancelling…")
        await driver.until_gone("x Skip")
        await driver.press("x")
        link.emit(JobChanged(job(1, state=Cancelled(NOW))), JobChanged(job(2, state=running)))
        await driver.until_text("cancelled")
        await driver.until_gone("cancelling")
        await driver.press("x")
        assert link.commands == [SkipJobs((1,))]
        await driver.press("j", "j", "x")
        await driver.until_text("skipping…")
        assert link.commands == [SkipJobs((1,)), SkipJobs((3,))]
