"""What is painted again is what looks different, and no more of it is sent."""

import sys
from typing import Any

import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip

from fwtui.tui.compositor import CroppedUpdate, PartialCompositor
from fwtui.tui.widgets.paint import NEAR, changed_cells
from tests.benchmarks.ui_speed import program
from tests.tui.driving import scripted
from tests.tui.fakes import ScriptedLink, gallery

DIM = Style(dim=True)


def strip(*texts: str, style: Style | None = None) -> Strip:
    return Strip([Segment(text, style) for text in texts])


@pytest.mark.parametrize(
    ("before", "after", "runs"),
    [
        (strip("same"), strip("same"), []),
        (strip("sa", "me"), strip("same"), []),
        (strip("same"), strip("same", style=DIM), [(0, 4)]),
        (strip("10 %"), strip("11 %"), [(1, 2)]),
        (strip("a" + "." * NEAR + "b"), strip("c" + "." * NEAR + "d"), [(0, 1), (17, 18)]),
        (strip("a" + "." * 15 + "b"), strip("c" + "." * 15 + "d"), [(0, 17)]),
        (strip("日本 1"), strip("日本 2"), [(5, 6)]),
        (strip("日a"), strip("月a"), [(0, 2)]),
        (strip("日a"), strip("xya"), [(0, 2)]),
        (strip("e\u0301x"), strip("ex"), [(0, 1)]),
        (strip("one"), strip("four"), [(0, 4)]),
    ],
)
def test_changed_cells(before: Strip, after: Strip, runs: list[tuple[int, int]]) -> None:
    assert changed_cells(before, after) == runs


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ((2, 0, 8), "\x1b[3;1Habcd\x1b[3;5Hefgh"),
        ((2, 2, 3), "\x1b[3;3Hc"),
        ((2, 3, 6), "\x1b[3;4Hd\x1b[3;5Hef"),
        ((2, 4, 8), "\x1b[3;5Hefgh"),
        ((2, 8, 9), ""),
    ],
)
def test_an_update_is_cropped_on_both_sides(span: tuple[int, int, int], text: str) -> None:
    line: dict[int, Strip | None] = {0: strip("ab", "cd"), 4: strip("efgh"), 8: None}
    blank: dict[int, Strip | None] = {0: None}
    update = CroppedUpdate([blank, blank, line], [span], [[9], [9], [4, 8, 9]])
    assert update.render_segments(Console()) == text


IN_ONE = Region(60, 4, 12, 2)
CROPS = [
    IN_ONE,
    Region(0, 0, 120, 1),
    Region(70, 20, 20, 12),
    Region(119, 39, 1, 1),
    Region(0, 0, 120, 40),
]


def cells_of(chops: Any, compositor: Compositor, crop: Region) -> list[list[Segment]]:
    """What chops have for each line of a part of the screen."""
    lines = []
    for y in crop.line_range:
        ends = compositor.cuts[y][1:]
        parts = [
            piece.crop(max(x, crop.x) - x, min(end, crop.right) - x)
            for end, (x, piece) in zip(ends, chops[y].items(), strict=True)
            if piece is not None and max(x, crop.x) < min(end, crop.right)
        ]
        lines.append(list(Strip.join(parts).simplify()))
    return lines


@pytest.mark.parametrize("crop", CROPS)
async def test_what_is_spared_would_not_be_seen(crop: Region) -> None:
    async with scripted(ScriptedLink(gallery())) as driver:
        await driver.until(lambda: driver.app.controller.model.jobs)
        compositor = driver.app.screen._compositor
        assert isinstance(compositor, PartialCompositor)
        asked = [region for region, _, _ in compositor._get_renders(crop)]
        everything = [region for region, _, _ in Compositor._get_renders(compositor, crop)]
        assert len(asked) <= sum(region.overlaps(crop) for region in everything)
        assert len(asked) == 1 or crop != IN_ONE, "what lies behind it is covered"
        sparing = compositor._render_chops(crop, lambda _: True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(PartialCompositor, "_get_renders", Compositor._get_renders)
            usual = compositor._render_chops(crop, lambda _: True)
        drawn = cells_of(sparing, compositor, crop)
        assert drawn == cells_of(usual, compositor, crop)
        assert all(Strip(line).cell_length == crop.width for line in drawn)


def test_textual_itself_sends_more() -> None:
    """Once this fails, Textual crops by itself, and `frames.py` can go."""
    update = ChopsUpdate([{0: strip("abcd")}], [(0, 2, 3)], [[4]])
    assert "ab" in update.render_segments(Console())


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals")
def test_a_row_at_work_takes_few_bytes_on_a_terminal() -> None:
    """Two rows whose speed and time left change in each frame."""
    with program("running", "1000") as terminal:
        seen = len(terminal.pieces)
        while len(terminal.pieces) < seen + 20:
            assert terminal.process.poll() is None
            terminal.pause()
        frames = [len(data) for _, data in terminal.pieces[seen:]]
    assert sum(frames) / len(frames) <= 2 * 250
