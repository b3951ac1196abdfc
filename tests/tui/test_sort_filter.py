"""Sorted and filtered views of the queue, panes that hide, and the log's filter."""

import pytest
from msgspec.structs import replace

from fwtui.core.commands import ArrangeJobs
from fwtui.core.events import JobChanged, JobsAdded, JobsRemoved, JobsReordered
from fwtui.core.job import JobId, MediaInfo, Pending, Processing
from fwtui.tui.glyphs import UNICODE
from fwtui.tui.model import BatchModel
from fwtui.tui.sort_filter import Sort, VisibleJobs, matching
from fwtui.tui.widgets.paint import bar
from tests.tui.driving import NARROW, scripted
from tests.tui.fakes import NOW, ScriptedLink, completed, failed, gallery, job
from tests.tui.test_main import busy, start_work

WORKING = Processing(NOW, preparing=False)


def model() -> BatchModel:
    made = BatchModel()
    lengths = {"part 10.mp3": 30.0, "Part 2.mp3": 20.0, "part 1.mp3": 0.0, "zoo.wav": 5.0}
    jobs = [
        job(number, name, media=MediaInfo(seconds) if seconds else None)
        for number, (name, seconds) in enumerate(lengths.items(), 1)
    ]
    made.fold(JobsAdded(tuple(jobs)))
    return made


def arranged(made: BatchModel, **how: object) -> list[JobId]:
    view = VisibleJobs(made, **how)  # type: ignore[arg-type]
    view.rebuild()
    return view.ids


def test_orders() -> None:
    made = model()
    assert arranged(made) == [1, 2, 3, 4]
    assert arranged(made, sort="name") == [3, 2, 1, 4]
    assert arranged(made, sort="shortest") == [4, 2, 1, 3], "unknown lengths come last"
    assert arranged(made, sort="longest") == [1, 2, 4, 3]
    made.fold(JobChanged(job(3, "part 1.mp3", state=failed())))
    made.fold(JobChanged(job(4, "zoo.wav", state=WORKING)))
    made.fold(JobChanged(job(1, "part 10.mp3", state=completed())))
    assert arranged(made, sort="state") == [4, 3, 2, 1]
    assert arranged(made, sort="name", needle="part") == [3, 2, 1]


def test_names_that_no_file_has_are_sorted_too() -> None:
    made = BatchModel()
    names = ("/in/b\0 10", "/in/b\0 9", "/in/", "/in/12\n3")
    made.fold(JobsAdded(tuple(job(number, name) for number, name in enumerate(names, 1))))
    assert arranged(made, sort="name") == [3, 4, 2, 1]
    made.fold(JobsAdded((job(5, "/in/b\0 1"),)))
    assert arranged(made, sort="name") == [3, 4, 5, 2, 1]
    assert matching(made, "b") == [1, 2, 5]


def test_a_view_follows_what_happens() -> None:
    made = model()
    view = VisibleJobs(made, sort="state")
    view.rebuild()
    assert view.ids == [1, 2, 3, 4]
    for number, state, after in (
        (3, WORKING, [3, 1, 2, 4]),
        (3, completed(), [1, 2, 4, 3]),
        (1, failed(), [1, 2, 4, 3]),
        (4, failed(), [1, 4, 2, 3]),
        (1, Pending(), [4, 1, 2, 3]),
    ):
        made.fold(JobChanged(job(number, state=state)))
        before = list(view.ids)
        assert view.follow({number}) == (before != after)
        assert view.ids == after
    failing = VisibleJobs(made, needle="is:failed")
    failing.rebuild()
    assert failing.ids == [4]
    made.fold(JobChanged(job(2, state=failed())))
    assert failing.follow({2})
    assert failing.ids == [2, 4]
    made.fold(JobChanged(job(4, state=Pending())))
    assert failing.follow({4})
    assert failing.ids == [2]


def test_a_view_by_name_follows_the_states_that_it_shows() -> None:
    made = model()
    failing = VisibleJobs(made, needle="is:failed", sort="name")
    failing.rebuild()
    assert failing.ids == []
    for number, after in ((1, [1]), (3, [3, 1]), (2, [3, 2, 1])):
        made.fold(JobChanged(replace(made.jobs[number], state=failed())))
        assert failing.follow({number})
        assert failing.ids == after
    assert not failing.follow({4})
    made.fold(JobsRemoved((3,)))
    made.fold(JobChanged(replace(made.jobs[2], state=Pending())))
    failing.rebuild()
    assert failing.ids == [1]


@pytest.mark.parametrize("sort", ["queue", "name", "state"])
def test_many_changes_at_once_are_followed_as_single_ones(sort: Sort) -> None:
    made = BatchModel()
    names = [f"part {number * 7 % 40}.mp3" for number in range(40)]
    made.fold(JobsAdded(tuple(job(number, name) for number, name in enumerate(names, 1))))
    views = [VisibleJobs(made, needle="is:failed", sort=sort) for _ in range(2)]
    for view in views:
        view.rebuild()
    for number in range(1, 41, 2):
        made.fold(JobChanged(replace(made.jobs[number], state=failed())))
        views[0].follow({number})
    assert views[1].follow(set(range(1, 41, 2)))
    assert sorted(views[0].ids) == sorted(views[1].ids) == list(range(1, 41, 2))
    if sort != "state":  # which leaves the order within a state as it comes
        assert views[0].ids == views[1].ids


def test_a_longer_needle_finds_what_it_would_from_the_start() -> None:
    made = BatchModel()
    names = [f"part {number}.mp3" for number in range(40)]
    made.fold(JobsAdded(tuple(job(number, name) for number, name in enumerate(names, 1))))
    view = VisibleJobs(made, sort="name")
    view.rebuild()
    for needle in ("p", "part 1", "part 12", "part 12.", "part 1"):
        view.narrow(needle)
        assert view.ids == [n for n, name in enumerate(names, 1) if needle in name]


async def test_sorting_shows_and_only_asked_for_becomes_the_order_of_work() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        queue = driver.app.main.queue
        await driver.press("o")
        await driver.until_text("by name")
        await driver.until_text("File▴")
        first = driver.app.controller.model.jobs[queue.ids[0]]
        assert first.name == "board-meeting-2025-11-03.wav"
        assert queue.current is not None
        assert queue.current.name == "keynote-opening.mp4", "the cursor stays on its file"
        await driver.press("J")
        assert link.commands == [], "a sorted view does not move"
        await driver.press("o", "o")
        assert queue.ids[0] == 6, "the longest"
        await driver.press("slash", *"workshop", "enter", "w")
        assert link.commands == [ArrangeJobs((15, 17, 16, 18))]
        link.emit(
            JobsReordered((15, 17, 16, 18, *(n for n in range(1, 20) if n not in range(15, 19))))
        )
        await driver.until(lambda: queue.ids == [15, 17, 16, 18])
        await driver.until_gone("by name")
        await driver.press("escape")
        await driver.click(queue, offset=(8, 0))
        await driver.until_text("by name")
        length = driver.text.splitlines()[3].index("Length") - 1
        await driver.click(queue, offset=(length, 0))
        await driver.click(queue, offset=(length, 0))
        await driver.until_text("longest first")
        link.emit(JobChanged(job(1, state=completed(9.0))))
        await driver.until(lambda: driver.app.controller.model.jobs[1].duration == 0)
        assert queue.ids[-1] == 1 or queue.ids.index(1) > 10


async def test_panes_hide_and_come_back() -> None:
    link = busy()
    async with scripted(link) as driver:
        await start_work(driver, link)
        wide = driver.app.main.queue.size.width
        await driver.press("2", "2")
        await driver.until_gone("joke")
        assert driver.app.main.queue.size.width > wide + 30
        assert driver.app.main.pane == "queue"
        await driver.press("3", "3", "4")
        await driver.until_gone("After cleanup")
        await driver.until_text("System")
        await driver.press("4")
        assert driver.app.main.queue.size.height > 30
        await driver.press("tab")
        assert driver.app.main.pane == "queue", "no other pane is there"
        await driver.resize(*NARROW)
        await driver.press("3")
        await driver.until_text("After cleanup")
        await driver.press("3")
        await driver.until_gone("After cleanup")
        assert driver.app.main.queue.size.height > 18
        await driver.resize(120, 40)
        await driver.press("2", "3", "4")
        await driver.until_text("joke", "After cleanup", "System")


async def test_the_log_is_filtered_and_tabs_are_clicked() -> None:
    link = busy()
    async with scripted(link, size=NARROW) as driver:
        await start_work(driver, link)
        await driver.press("3", "ampersand", *"finished")
        view = driver.app.main.log_view
        assert [line.text for line in view._shown if "Finished" not in line.text] == []
        await driver.until_text("filter finished: 1 shown")
        await driver.press("enter", "y")
        assert driver.app.clipboard.count("\n") == 0
        await driver.press("escape")
        assert view.count() == 7
        assert driver.app.main.pane == "log"
        tabs = driver.app.main.panes.boxes["log"]
        title = driver.text.splitlines()[tabs.region.y]
        await driver.click(offset=(title.index("Memory") + 1, tabs.region.y))
        assert driver.app.main.pane == "memory"


def test_marks_lie_over_a_bar() -> None:
    marks = ((0.25, "!", "warn"), (1.0, "|", "bad"), (1.5, "?", "bad"))
    pieces = bar(0.5, 8, UNICODE, "primary", marks)
    assert "".join(text for text, _ in pieces) == "━━!━───|"
    assert ("!", "warn") in pieces


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([f"part-{n:03}.mp3" for n in range(1, 30)], id="numbers of one length"),
        pytest.param([f"part-{n}.mp3" for n in range(1, 120)], id="numbers of several lengths"),
        pytest.param([f"{n} of {m}.mp3" for n in range(8, 12) for m in range(8, 12)], id="two"),
        pytest.param(["7.mp3", "a 9.mp3", "a 10 b 2.mp3", "a.mp3", "a10.mp3"], id="unlike"),
        pytest.param([f"é{n}.mp3" for n in range(1, 30)], id="not only ASCII"),
        pytest.param([f"a\0b{n}.mp3" for n in range(1, 30)], id="with the sign between names"),
    ],
)
def test_names_sort_by_their_numbers(names: list[str]) -> None:
    made = BatchModel()
    order = sorted(range(len(names)), key=lambda place: (place * 7) % len(names))
    made.fold(JobsAdded(tuple(job(place + 1, f"/data/{names[place]}") for place in order)))
    assert arranged(made, sort="name") == list(range(1, len(names) + 1))
    made.fold(JobsAdded((job(1000, "/data/\U0001f3711.mp3"),)))
    assert arranged(made, sort="name")[-1] == 1000, "what comes later has its place, too"


def test_names_are_found_wherever_their_files_are() -> None:
    paths = ["/data/One.mp3", "/data/deeper/two.mp3", "/else/one more.mp3"]
    for more in ((), ("C:\\data\\one.mp3",), ("/data/a\nline/one.mp3",)):
        made = BatchModel()
        made.fold(JobsAdded(tuple(job(n, path=path) for n, path in enumerate((*paths, *more), 1))))
        found = [n for n in arranged(made, needle="one") if n < 4]
        assert found == [1, 3] and arranged(made, needle="deeper") == []
