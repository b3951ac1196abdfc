import asyncio
import threading

import pytest

from fwtui.core.events import (
    BatchProgress,
    JobChanged,
    JobProgress,
    JobsAdded,
    Level,
    LogLine,
    MemoryReading,
    MemorySampled,
    SegmentsFound,
)
from fwtui.core.job import Processing
from fwtui.tui import controller
from fwtui.tui.controller import EventBridge
from fwtui.tui.model import BatchModel, Changes
from tests.tui.fakes import NOW, ScriptedLink, completed, job, segment

WORKING = Processing(NOW, preparing=False)


class Screen:
    """Counts how often it is told."""

    def __init__(self) -> None:
        self.model = BatchModel()
        self.told: list[Changes] = []
        self.heard = asyncio.Event()
        self.bridge = EventBridge(self.model, self.tell)

    def tell(self, changes: Changes) -> None:
        self.told.append(changes)
        self.heard.set()

    async def next(self) -> None:
        self.heard.clear()
        await asyncio.wait_for(self.heard.wait(), 5)


async def test_a_flood_is_told_at_most_ten_times_a_second_and_no_segment_is_lost() -> None:
    screen, link = Screen(), ScriptedLink([job(1, state=WORKING)])
    screen.bridge.connect(link)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(1, 3001):
        link.emit(
            SegmentsFound(1, (segment(number, number, "w"),), "en"),
            JobProgress(1, number, 3000, 5, 1.0),
            BatchProgress(0, 0, 1, 1, number, 3000, 1.0),
        )
        if number % 100 == 0:
            await asyncio.sleep(0.01)
    while len(screen.model.transcript(1).segments) < 3000:
        await screen.next()
    assert [one.id for one in screen.model.transcript(1).segments] == list(range(1, 3001))
    assert screen.model.progress[1].done == 3000
    assert len(screen.told) <= (loop.time() - began) * 10 + 2


async def test_the_first_files_are_told_of_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, link = Screen(), ScriptedLink([])
    screen.bridge.connect(link)
    await screen.next()
    monkeypatch.setattr(controller, "TICK", 3600)
    link.emit(LogLine(NOW, Level.INFO, "looking"), JobsAdded((job(1),)))
    await screen.next()
    assert set(screen.model.jobs) == {1}


async def test_only_the_latest_progress_and_memory_is_folded() -> None:
    screen, link = Screen(), ScriptedLink([job(1, state=WORKING)])
    screen.bridge.connect(link)
    await screen.next()
    for number in range(500):
        reading = MemoryReading(number, 0, 0, 0, 0, 0)
        link.emit(JobProgress(1, number, 500, 1, None), MemorySampled(reading))
    await screen.next()
    assert screen.model.progress[1].done == 499
    assert list(screen.model.memory_history) == [499]


async def test_progress_alone_waits_longer_and_does_not_hold_up_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen, link = Screen(), ScriptedLink([job(1, state=WORKING)])
    screen.bridge.connect(link)
    await screen.next()
    loop = asyncio.get_running_loop()
    began = loop.time()
    link.emit(JobProgress(1, 1, 500, 1, None))
    await screen.next()
    assert loop.time() - began >= controller.PROGRESS_TICK - 0.01
    monkeypatch.setattr(controller, "PROGRESS_TICK", 3600)
    link.emit(JobProgress(1, 2, 500, 1, None))
    await asyncio.sleep(0)  # the loop waits for that tick now
    link.emit(JobChanged(job(1, state=completed())))
    await screen.next()
    assert screen.model.counts.completed == 1


async def test_progress_from_before_an_end_does_not_come_after_it() -> None:
    screen, link = Screen(), ScriptedLink([job(1, state=WORKING)])
    screen.bridge.connect(link)
    await screen.next()
    link.emit(
        JobProgress(1, 499, 500, 1, None),
        JobChanged(job(1, state=completed())),
        JobChanged(job(1, state=WORKING)),
    )
    await screen.next()
    assert 1 not in screen.model.progress
    assert screen.model.live == 1


async def test_events_may_come_from_other_threads() -> None:
    screen, link = Screen(), ScriptedLink([job(n, state=WORKING) for n in range(4)])
    screen.bridge.connect(link)

    def talk(number: int) -> None:
        for index in range(1, 501):
            link.emit(SegmentsFound(number, (segment(index, index, "w"),), "en"))

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    while any(len(screen.model.transcript(n).segments) < 500 for n in range(4)):
        await screen.next()
    for thread in threads:
        thread.join()
    for number in range(4):
        assert [one.id for one in screen.model.transcript(number).segments] == list(range(1, 501))


async def test_a_bridge_listens_to_one_batch_at_a_time() -> None:
    screen, one, two = Screen(), ScriptedLink([job(1)]), ScriptedLink([job(2), job(3)])
    screen.bridge.connect(one)
    screen.bridge.connect(two)
    one.emit(JobChanged(job(1, state=completed())))
    await screen.next()
    assert screen.model.order == [2, 3]
    screen.bridge.disconnect()
    two.emit(JobChanged(job(2, state=completed())))
    assert screen.model.counts.completed == 0
