"""The panes: what is shown, how large it is, and that it is found again at the next start."""

import random
import stat
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.events import MouseDown, MouseMove, MouseUp

from fwtui.core.events import EngineChanged
from fwtui.tui.arrangement import (
    DEFAULT,
    PANES,
    PRESETS,
    SIDES,
    SMALLEST_HEIGHT,
    SMALLEST_WIDTH,
    Arrangement,
    ArrangementFile,
    cells_of,
    next_preset,
)
from tests.tui.driving import NARROW, WIDE, Driver, at_work, running, scripted
from tests.tui.fakes import ENGINE, ScriptedLink, ScriptedWorkspace, gallery

SHARES = st.none() | st.floats(0.01, 0.99)
ARRANGEMENTS = st.builds(
    Arrangement,
    hidden=st.frozensets(st.sampled_from(SIDES)),
    side=st.sampled_from(["", *SIDES]),
    zoomed=st.sampled_from(["", *PANES]),
    column=SHARES,
    row=SHARES,
    stack=SHARES,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


# The file.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@settings(max_examples=25)
@given(ARRANGEMENTS)
def test_it_is_found_again(folder: Path, arrangement: Arrangement) -> None:
    file = folder / "made" / "panes.json"
    ArrangementFile(file).save(arrangement)
    assert ArrangementFile(file).load() == arrangement
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from([*Arrangement.__struct_fields__, "version", "new"]), JSON))
def test_each_field_that_is_wrong_is_as_usual(folder: Path, fields: dict[str, Any]) -> None:
    file = folder / "wrong.json"
    file.write_bytes(msgspec.json.encode(fields))
    found = ArrangementFile(file).load()
    assert found.hidden <= {*SIDES}
    assert found.side in {"", *SIDES}
    assert found.zoomed in {"", *PANES}
    for share in (found.column, found.row, found.stack):
        assert share is None or 0 < share < 1
    file.write_bytes(msgspec.json.encode({**fields, "side": "log"}))
    assert ArrangementFile(file).load().side == "log", "the others count"


@settings(max_examples=25)
@given(st.binary(max_size=40))
def test_a_damaged_file_is_no_file(folder: Path, data: bytes) -> None:
    file = folder / "damaged.json"
    file.write_bytes(data)
    found = ArrangementFile(file)
    assert found.load() == DEFAULT
    found.save(replaced := Arrangement(side="memory"))
    assert ArrangementFile(file).load() == replaced


def test_what_another_version_wrote_stays(tmp_path: Path) -> None:
    file = tmp_path / "panes.json"
    assert ArrangementFile(file).load() == DEFAULT
    theirs = {"version": 7, "hidden": ["log", "waveform"], "side": "waveform", "depth": [1]}
    file.write_bytes(msgspec.json.encode(theirs))
    own = ArrangementFile(file)
    assert own.load() == Arrangement(hidden=frozenset({"log"}))
    own.save(Arrangement(hidden=frozenset({"memory"}), column=0.5))
    kept = msgspec.json.decode(file.read_bytes())
    assert kept["depth"] == [1]
    assert kept["hidden"] == ["memory", "waveform"]
    assert kept["column"] == 0.5


# Sizes and presets.


@given(st.floats(0.001, 0.999), st.integers(0, 400), st.integers(1, 40))
def test_the_smallest_sizes_are_kept(share: float, cells: int, smallest: int) -> None:
    first = cells_of(share, cells, smallest)
    assert 0 <= first <= cells
    if cells >= 2 * smallest:
        assert min(first, cells - first) >= smallest
        assert abs(first - share * cells) <= 0.5 or first in {smallest, cells - smallest}


@given(ARRANGEMENTS, st.booleans(), st.sampled_from([1, -1]))
def test_presets_take_turns(arrangement: Arrangement, narrow: bool, step: int) -> None:
    seen: list[tuple[str, ...]] = []
    for _ in PRESETS:
        before = arrangement.panes(narrow=narrow)
        arrangement = next_preset(arrangement, step, narrow=narrow).of(arrangement)
        shown = arrangement.panes(narrow=narrow)
        assert shown != before
        seen.append(tuple(shown))
    assert ("queue",) in seen
    assert ("transcript",) in seen
    assert ("queue", "transcript") in seen
    assert (PANES in seen) is not narrow


# On the screen.


async def work(driver: Driver, link: ScriptedLink) -> None:
    await at_work(driver, link, EngineChanged(0, ENGINE))


def sizes(driver: Driver) -> dict[str, tuple[int, int]]:
    boxes = driver.app.main.panes.boxes
    shown = {name: box.outer_size for name, box in boxes.items() if box.display}
    return {name: (size.width, size.height) for name, size in shown.items()}


def check(driver: Driver) -> None:
    """The panes fill their room, are as large as they must be, and have the focus."""
    main = driver.app.main
    shown, room = sizes(driver), main.panes.size
    wanted = main.arrangement.panes(narrow=main.narrow)
    if main.has_class("low") and not main.arrangement.zoomed:
        wanted = [pane for pane in wanted if pane in {"queue", main.pane}]
    assert list(shown) == wanted
    assert main.pane in shown
    assert sum(width * height for width, height in shown.values()) == room.width * room.height
    if not main.has_class("low"):
        for width, height in shown.values():
            assert width >= min(SMALLEST_WIDTH, room.width // 2)
            assert height >= min(SMALLEST_HEIGHT - main.narrow, room.height // 2)


MOVES = ("less_than_sign", "greater_than_sign", "minus", "plus", "equals_sign", "p", "P")
KEYS = (*MOVES, "1", "2", "3", "4", "tab", "shift+tab", "z", "escape", "ctrl+left", "ctrl+down")


async def test_any_keys_at_any_size() -> None:
    link = ScriptedLink(gallery())
    chance = random.Random(18)
    async with scripted(link) as driver:
        await work(driver, link)
        for size in (WIDE, NARROW, (200, 60), (100, 30), (60, 15), (30, 8), WIDE):
            await driver.resize(*size)
            for _ in range(7):
                key = chance.choice(KEYS)
                for _ in range(chance.choice((1, 1, 9))):
                    driver.app.simulate_key(key)
                await driver.settle()
                check(driver)


async def test_borders_move_by_keys_as_far_as_they_may() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await work(driver, link)
        before = sizes(driver)
        await driver.press("less_than_sign")
        assert sizes(driver)["queue"][0] == before["queue"][0] - 4
        assert sizes(driver)["log"][0] == before["log"][0] - 4
        await driver.press("ctrl+right", "minus", "minus")
        assert sizes(driver)["queue"] == (before["queue"][0], before["queue"][1] - 2)
        for key in ["less_than_sign"] * 30 + ["plus"] * 40:
            driver.app.simulate_key(key)
        await driver.settle()
        assert sizes(driver)["queue"][0] == SMALLEST_WIDTH
        assert sizes(driver)["memory"][1] == SMALLEST_HEIGHT
        await driver.press("equals_sign")
        assert sizes(driver) == before
        await driver.resize(*NARROW)
        low = sizes(driver)["queue"][1]
        await driver.press("minus")
        assert sizes(driver)["queue"][1] == low - 1
        notes = len(driver.notes)
        await driver.press("greater_than_sign")
        assert len(driver.notes) == notes + 1, "nothing is beside the queue"


async def drag(driver: Driver, *places: tuple[int, int]) -> None:
    first, *on = places
    post = partial(driver.pilot._post_mouse_events, button=1)
    await post([MouseDown], offset=first)
    for place in on:
        await post([MouseMove], offset=place)
    await post([MouseUp], offset=places[-1])
    await driver.settle()


async def test_borders_move_by_the_mouse() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await work(driver, link)
        panes = driver.app.main.panes
        column, row = panes.borders
        assert column is not None
        assert row is not None
        top = panes.region.y
        for held in (column - 1, column):
            await drag(driver, (held, top + 5), (60, top + 5), (50, top + 6))
            assert sizes(driver)["queue"][0] == 50
            await driver.press("equals_sign")
        await drag(driver, (30, top + row), (30, top + 9), (31, top + 12))
        assert sizes(driver)["queue"][1] == 12
        await drag(driver, (column, top + 12), (70, top + 20))
        assert sizes(driver)["queue"] == (70, 20)
        await drag(driver, (20, top + 5), (60, top + 9))
        assert sizes(driver)["queue"] == (70, 20), "not a border"
        await drag(driver, (70, top + 5), (0, 0))
        assert sizes(driver)["queue"][0] == SMALLEST_WIDTH


async def test_the_tabs_of_a_narrow_screen_can_be_dragged_and_clicked() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link, size=NARROW) as driver:
        await work(driver, link)
        panes = driver.app.main.panes
        assert panes.borders.row is not None
        y = panes.region.y + panes.borders.row
        line = driver.text.splitlines()[y]
        await driver.click(offset=(line.index("Log") + 1, y))
        await driver.until(lambda: driver.app.main.pane == "log")
        await drag(driver, (line.index("Memory") + 1, y), (40, y - 3))
        assert sizes(driver)["queue"][1] == y - 3 - panes.region.y
        assert driver.app.main.pane == "log"


async def test_presets_and_titles_that_fit_them() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await work(driver, link)
        for preset in (*PRESETS[1:], PRESETS[0]):
            await driver.press("p")
            assert set(sizes(driver)) == {*preset.of(DEFAULT).panes(narrow=False)}
            check(driver)
            if preset.zoomed == "transcript":
                await driver.until_text("Transcript · oral-history-tape-12-side-a.wav")
                assert driver.app.main.pane == "transcript"
        await driver.press("P")
        assert set(sizes(driver)) == {"transcript"}
        await driver.press("escape")
        assert len(sizes(driver)) == 4


async def test_the_next_start_shows_what_the_last_one_did(tmp_path: Path) -> None:
    file = ArrangementFile(tmp_path / "panes.json")
    workspace = ScriptedWorkspace(ScriptedLink(gallery()))
    async with running(workspace, arrangement_file=file) as driver:
        await driver.until_text("keynote-opening.mp4")
        await driver.press("4", "4", "less_than_sign", "less_than_sign")
        left = sizes(driver)
    assert set(left) == {"queue", "transcript", "log"}
    workspace = ScriptedWorkspace(ScriptedLink(gallery()))
    async with running(workspace, arrangement_file=ArrangementFile(file.path)) as driver:
        await driver.until_text("19 files")
        assert sizes(driver) == left
        await driver.press("2", "z")
        await driver.until(lambda: b'"zoomed":"transcript"' in file.path.read_bytes())
    workspace = ScriptedWorkspace(ScriptedLink(gallery()))
    async with running(workspace, arrangement_file=ArrangementFile(file.path)) as driver:
        assert set(sizes(driver)) == {"transcript"}
        await driver.until(lambda: driver.app.main.pane == "transcript")


async def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    file = ArrangementFile(tmp_path / "state" / "panes.json")
    workspace = ScriptedWorkspace(ScriptedLink(gallery()))
    async with running(workspace, arrangement_file=file) as driver:
        await driver.press("p")
        assert set(sizes(driver)) == {"queue", "transcript"}
