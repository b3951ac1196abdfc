"""Searching in transcript and log: the count is true, and the view stays where the user is."""

from collections import deque
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from textual.geometry import Size

from fwtui.core.events import EngineChanged, JobChanged, Level, LogLine, SegmentsFound
from fwtui.core.job import Processing
from fwtui.core.segment import Transcript
from fwtui.tui.formatting import width, wrap_places
from fwtui.tui.glyphs import UNICODE
from fwtui.tui.model import BatchModel, LiveTranscript
from fwtui.tui.text_search import TextSearch, folded, occurrences
from fwtui.tui.widgets.log import LogView
from fwtui.tui.widgets.searchable import SearchableView
from fwtui.tui.widgets.transcript import TranscriptView
from tests.tui.driving import NARROW, scripted
from tests.tui.fakes import (
    ENGINE,
    NOW,
    ScriptedLink,
    busy_events,
    completed,
    gallery,
    job,
    segment,
)

LETTERS = st.text(alphabet="aAbß ée\u0301漢İ👨\u200d👩", max_size=24)
NEEDLES = st.sampled_from(["a", "A", "ab", "b a", "é", "e\u0301", "漢", "ss", "👨", "zz", "i"])


@pytest.mark.parametrize(
    ("text", "needle", "found"),
    [
        ("The boats, THE boats", "the", ["The", "THE"]),
        ("Straße, STRASSE", "strasse", ["Straße", "STRASSE"]),
        ("caf\u00e9 cafe\u0301 cafe", "caf\u00e9", ["caf\u00e9", "cafe\u0301"]),
        ("caf\u00e9 cafe\u0301 cafe", "cafe", ["caf\u00e9", "cafe\u0301", "cafe"]),
        ("会議の録音", "録音", ["録音"]),
        ("aaaa", "aa", ["aa", "aa"]),
        ("a👨\u200d👩\u200d👧b", "👩", ["👨\u200d👩\u200d👧"]),
        ("[red]a[/]", "[red]", ["[red]"]),
        ("a.c abc", "a.c", ["a.c"]),
        ("abc", "", []),
    ],
)
def test_what_is_found(text: str, needle: str, found: list[str]) -> None:
    assert [text[a:b] for a, b in occurrences(text, folded(needle))] == found


@given(LETTERS, NEEDLES)
def test_places_are_whole_signs_and_apart(text: str, needle: str) -> None:
    places = occurrences(text, folded(needle))
    assert bool(places) is (folded(needle) in folded(text))
    before = 0
    for start, end in places:
        assert before <= start < end <= len(text)
        before = end
        # Folded letter by letter: one sign may be one letter and several accents.
        assert folded(needle)[0] in folded(text[start:end])


@given(st.lists(LETTERS, max_size=12), NEEDLES, st.data())
def test_the_search_of_texts_that_come_and_go(texts: list[str], needle: str, data: Any) -> None:
    search = TextSearch(needle, texts.__getitem__)
    first = last = 0
    while last < len(texts):
        last = data.draw(st.integers(last + 1, len(texts)))
        first = data.draw(st.integers(first, last - 1))
        search.look_at(range(first, last))
        every = [
            (n, a) for n in range(first, last) for a, _ in occurrences(texts[n], folded(needle))
        ]
        assert search.total == len(every)
        assert search.here is None or search.here.number >= first
        for step, order in ((1, every), (-1, every[::-1])):
            at, walked = (first - 1, -1) if step > 0 else (last, 0), []
            for _ in every:
                search.here = search.next(*at, step)
                assert search.here is not None
                at = search.here[:2]
                walked.append(at)
                assert search.position == every.index(at) + 1
            assert walked == order
            again = search.next(*at, step) if every else None
            assert again is None if not every else again is not None and again[:2] == order[0]


def test_a_phrase_goes_on_in_the_next_text_and_a_longer_needle_looks_at_less() -> None:
    texts = ["We came by", "the old road", "by the sea"]
    search = TextSearch("by the", texts.__getitem__, runs_on=True)
    search.look_at(range(1))
    assert search.total == 0
    search.look_at(range(3))
    assert [hit for n in range(3) for hit in search.hits(n)] == [(0, 8, 14), (2, 0, 6)]
    asked: list[int] = []

    def text_of(number: int) -> str:
        asked.append(number)
        return texts[number]

    longer = TextSearch("by the s", text_of, runs_on=True)
    longer.look_at(range(3), search)
    assert longer.total == 1
    assert set(asked) == {0, 1, 2}
    asked.clear()
    TextSearch("by the sea", text_of).look_at(range(3), longer)
    assert asked == [2]


@given(st.text(alphabet="ab 漢", max_size=80), st.integers(1, 30), st.integers(0, 12))
def test_wrapped_lines_are_the_text(text: str, cells: int, hang: int) -> None:
    places = wrap_places(text, cells, hang)
    parts = [text[a:b] for a, b in zip(places, [*places[1:], None], strict=True)]
    assert "".join(parts) == text
    for number, part in enumerate(parts):
        room = max(1, cells - hang if number else cells)
        assert width(part.rstrip()) <= max(2, room)


# The views themselves, without a screen: what they draw after any keys and events.


class _Alone:
    """A view that is on no screen."""

    shape = Size(40, 9)
    size = property(lambda self: self.shape)
    app: Any = None

    def refresh(self, *_: Any, **__: Any) -> Any:
        return self

    def post_message(self, _: Any) -> bool:
        return True

    def ink(self, name: str, over: str = "") -> Style:
        return Style(bold=name == "hit-here", reverse=name.startswith("hit"))

    def notify(self, *_: Any, **__: Any) -> None:
        pass

    def focus(self, *_: Any) -> Any:
        return self


class Log(_Alone, LogView):
    pass


class Words(_Alone, TranscriptView):
    pass


def rows(view: SearchableView) -> list[str]:
    view._adapt()
    drawn = [view.render_line(y) for y in range(view.size.height - view.foot)]
    assert all(strip.cell_length == view.size.width for strip in drawn)
    return [strip.text[:-1] for strip in drawn]


def marked(view: SearchableView) -> list[str]:
    """What is drawn in the ink of a place, line by line."""
    drawn = [view.render_line(y) for y in range(view.size.height - view.foot)]
    return ["".join(s.text for s in strip if s.style and s.style.reverse) for strip in drawn]


def check(view: SearchableView) -> None:
    lines = rows(view)
    assert 0 <= view.top <= view.last_top
    assert not view.tail or view.top == view.last_top
    if view.search is not None:
        texts = [view.text_of(number) for number in view.texts()]
        whole = " ".join(texts) if view.runs_on else "\n".join(texts)
        assert view.search.total == len(occurrences(whole, folded(view.search.needle)))
        here = view.search.here
        assert (view.search.position > 0) is (here is not None)
        if here is not None:
            row = view.row_of(here.number, here.start)
            assert 0 <= row < view.count()
    if isinstance(view, LogView) and view.count():
        assert view.cursor in view.texts()
        for y, line in enumerate(lines):
            if y + view.top < view.count():
                check_line(view, *view.place_of(y + view.top), line)


def check_line(view: LogView, number: int, offset: int, line: str) -> None:
    """A line that is cut says so; one that is shown whole has all of its text."""
    text = view.text_of(number)
    if view.wraps or number in view._open:
        row = view.row_of(number, offset)
        assert view.place_of(row) == (number, offset)
        assert line.strip() in text
    else:
        assert (line[-1] == "…") is (width(text) > len(line) + view.side or text[-1:] == "…")


KEYS = st.one_of(
    st.tuples(st.just("add"), st.lists(st.tuples(st.sampled_from(list(Level)), st.text(
        alphabet="ab ", min_size=0, max_size=90)), min_size=1, max_size=9)),
    st.tuples(st.just("size"), st.tuples(st.integers(3, 60), st.integers(1, 12))),
    st.tuples(st.just("search"), st.sampled_from(["a", "ab", "b a", "zz", "debug"])),
    st.tuples(st.just("filter"), st.sampled_from(["a", "", "bb"])),
    st.tuples(
        st.sampled_from(["action_hit", "action_go", "action_side"]), st.sampled_from([-1, 1])
    ),
    st.tuples(st.just("action_page"), st.sampled_from([-1.0, 0.5, 1.0])),
    st.tuples(st.just("set_top"), st.integers(-3, 99)),
    st.tuples(st.sampled_from(["action_wrap", "action_open", "action_level", "action_home",
                               "action_end", "action_end_search"])),
)  # fmt: skip


@given(st.lists(KEYS, max_size=25))
def test_the_log_after_any_keys_and_lines(steps: list[Any]) -> None:
    model = BatchModel()
    model.log = deque(maxlen=20)
    view = Log(model, UNICODE)
    for name, *given_ in steps:
        match name:
            case "add":
                add(model, view, given_[0])
            case "size":
                view.shape = Size(*given_[0])
                view._adapt()
            case "search":
                view.look_for(given_[0])
            case "filter":
                view.set_filter(given_[0])
            case _:
                getattr(view, name)(*given_)
        check(view)


def add(model: BatchModel, view: LogView, lines: list[tuple[Level, str]]) -> None:
    """New lines; what is read stays in its place, unless it falls out."""
    view._adapt()
    following, before, cursor = view.tail, view.top, view.cursor
    at = view.place_of(before) if view.count() else None
    for level, text in lines:
        model.log.append(LogLine(NOW + timedelta(seconds=model.log_count), level, text))
        model.log_count += 1
    view.update()
    if not following and at is not None and at[0] in view.texts() and view.count() > view.rows:
        assert view.place_of(view.top) == at
        assert view.cursor == max(cursor, view.texts().start)


STEPS = st.one_of(
    st.tuples(st.just("add"), st.lists(st.text("ab 漢", max_size=60), min_size=1, max_size=6)),
    st.tuples(st.just("stored"), st.lists(st.text("ab ", max_size=60), max_size=6)),
    st.tuples(st.sampled_from(["restart", "action_home", "action_end", "action_end_search"])),
    st.tuples(st.just("size"), st.tuples(st.integers(3, 60), st.integers(1, 12))),
    st.tuples(st.just("search"), st.sampled_from(["a", "ab", "b a", "zz"])),
    st.tuples(st.just("action_hit"), st.sampled_from([-1, 1])),
    st.tuples(st.just("set_top"), st.integers(-3, 99)),
)


@given(st.lists(STEPS, max_size=25))
def test_the_transcript_after_any_keys_and_segments(steps: list[Any]) -> None:
    view = Words(UNICODE)
    live = LiveTranscript()
    view.show(live, follow=True)
    for name, *given_ in steps:
        match name:
            case "add":
                at = len(live.segments)
                live.extend(segment(at + n, at + n, t) for n, t in enumerate(given_[0]))
                top, tail = view.top, view.tail
                view.update()
                assert tail or view.top == top or top > view.last_top
            case "stored":
                stored = [segment(n, n, t) for n, t in enumerate(given_[0])]
                live.complete(Transcript("en", tuple(stored)))
                view.update()
            case "restart":
                live.restart()
                view.update()
            case "size":
                view.shape = Size(*given_[0])
                view._adapt()
            case "search":
                view.look_for(given_[0])
            case _:
                getattr(view, name)(*given_)
        view._adapt()
        if live.segments:
            check(view)


def test_a_phrase_is_marked_across_lines_and_segments() -> None:
    view = Words(UNICODE)
    view.shape = Size(20, 9)
    live = LiveTranscript()
    live.extend([segment(1, 0, "and then the boats came"), segment(2, 5, "by the sea")])
    view.show(live, follow=False)
    view.look_for("boats came by the")
    rows(view)
    assert [part for part in marked(view) if part] == ["boats", "came", "by the"]
    assert view.search is not None
    assert view.search.total == 1


def test_a_hundred_thousand_lines() -> None:
    model = BatchModel()
    view = Log(model, UNICODE)
    view.look_for("needle")
    for number in range(100_000):
        text = f"line {number}" + (" needle" if number % 1000 == 0 else "")
        model.log.append(LogLine(NOW, Level.INFO, text))
        model.log_count += 1
        if number % 5000 == 0:
            view.update()
            if number == 95_000:
                view.action_hit(-1)
                read = rows(view)
    view.update()
    assert view.search is not None
    assert view.search.total == 10, "of the lines that are kept"
    assert len(view.search._numbers) == 10
    assert view.count() == model.log.maxlen
    assert rows(view) == read


# On the screen.


@pytest.mark.parametrize("size", [NARROW, (120, 40)])
async def test_the_keys_of_a_search(size: tuple[int, int]) -> None:
    link = ScriptedLink(gallery())
    async with scripted(link, size=size) as driver:
        link.emit(EngineChanged(0, ENGINE), *busy_events())
        await driver.until_text("43%")
        view = driver.app.main.transcript_view
        await driver.press("2", "home", "slash", *"the boat")
        await driver.until_text("1 of 2")
        await driver.press("down")
        await driver.until_text("2 of 2")
        await driver.press("enter")
        assert driver.app.focused is view
        await driver.press("n")
        await driver.until_text("1 of 2")
        top = view.top
        link.emit(
            SegmentsFound(7, tuple(segment(90 + n, 900 + n, "the boat") for n in range(40)), "en")
        )
        await driver.until_text("1 of 42")
        assert view.top == top
        await driver.press("N")
        await driver.until_text("42 of 42")
        await driver.press("escape")
        await driver.until_gone("of 42")
        assert driver.app.main.pane == "transcript"
        assert view.search is None
        notes = len(driver.notes)
        await driver.press("n")
        await driver.until(lambda: len(driver.notes) > notes)
        await driver.press("end")
        assert view.tail


async def test_escape_while_typing_goes_back() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        link.emit(*(LogLine(NOW, Level.INFO, f"line {n}") for n in range(60)))
        await driver.until_text("line 59")
        view = driver.app.main.log_view
        await driver.press("3", "slash", *"line 7")
        await driver.until_text("1 of 1")
        await driver.until_text("line 9")
        assert not view.tail
        await driver.press("x", "y")
        await driver.until_text("not found")
        await driver.press("escape")
        await driver.until_text("line 59")
        assert view.tail
        await driver.press("slash", "enter")
        await driver.until(lambda: driver.app.focused is view)
        assert view.foot == 0


async def test_a_search_in_the_smallest_pane_and_with_the_mouse() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        link.emit(*(LogLine(NOW, Level.INFO, f"line {n}") for n in range(60)))
        await driver.until_text("line 59")
        for _ in range(20):
            driver.app.simulate_key("less_than_sign")
        await driver.press("3", "slash", *"line 4")
        await driver.until_text("ine 4 ", " 11 of 11")  # there is room for both
        view = driver.app.main.log_view
        cursor = view.cursor
        await driver.click("#log SearchField", (2, 0))
        assert view.cursor == cursor, "the field is not a line"
        await driver.press("end", *["backspace"] * 6)
        await driver.until_text("line 59")
        assert view.tail, "nothing is searched: back to where it began"
        await driver.press(*"line 7", "enter")
        await driver.until_text("1 of 1")
        await driver.click(view, (5, 2))
        assert view.cursor == view.place_of(view.top + 2)[0]


async def test_in_the_details_of_a_file() -> None:
    link = ScriptedLink(gallery())
    words = tuple(segment(n, n, "the boats came by") for n in range(50))
    link.transcripts[1] = Transcript("en", words)
    async with scripted(link, size=NARROW) as driver:
        await driver.press("enter")
        await driver.until_text("boats")
        await driver.press("slash", *"boat", "enter", "n")
        await driver.until_text("2 of 50")
        await driver.press("escape")
        await driver.until_gone("of 50")
        await driver.until_screen("DetailsDialog")
        await driver.press("escape")
        await driver.until_screen("MainScreen")


async def test_in_the_queue_the_key_filters_and_in_the_log_another_one_does() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await driver.press("slash", *"keynote", "enter")
        assert driver.app.main.queue.count() == 1
        await driver.press("escape")
        link.emit(LogLine(NOW, Level.INFO, "one"), LogLine(NOW, Level.INFO, "two"))
        await driver.until_text("two")
        await driver.press("3", "ampersand", *"two")
        await driver.until(lambda: driver.app.main.log_view.count() == 1)


async def test_what_is_read_stays_when_another_file_runs() -> None:
    working = Processing(NOW, preparing=False)
    link = ScriptedLink([job(1, state=working), job(2)])
    async with scripted(link) as driver:
        link.emit(SegmentsFound(1, (segment(1, 0, "first words"),), "en"))
        await driver.until_text("first words")
        await driver.press("2", "slash", *"words", "enter")
        link.emit(JobChanged(job(1, state=completed())), JobChanged(job(2, state=working)))
        link.emit(SegmentsFound(2, (segment(1, 0, "second text"),), "en"))
        await driver.until(lambda: driver.app.controller.model.live == 2)
        await driver.settle()
        await driver.until_text("first words")
        await driver.press("escape")
        await driver.until_text("second text")


async def test_places_are_seen_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        link.emit(*(LogLine(NOW, Level.INFO, f"line {n}") for n in range(4)))
        await driver.until_text("line 3")
        await driver.press("3", "slash", *"line", "enter")
        await driver.until_text("1 of 4")
        strips = driver.app.screen._compositor.render_strips()
        styles = [s.style for strip in strips for s in strip if s.text == "line" and s.style]
        found = [(s.reverse, s.underline) for s in styles if s.reverse or s.underline]
        assert len(found) == 4, "the field itself is not marked"
        assert len(set(found)) == 2, "one is where one is"
