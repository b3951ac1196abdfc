"""What is painted again is what looks different, and no more of it is sent."""

import sys

import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.strip import Strip

from fwtui.tui.frames import CroppedUpdate
from fwtui.tui.widgets.paint import NEAR, changed_cells
from tests.benchmarks.ui_speed import program

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
