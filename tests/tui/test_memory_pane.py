"""The memory pane: the curve begins at 0 or says where, and no figure is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.style import Style
from textual.geometry import Size

from fwtui.core.events import GpuReading, MemoryReading, MemorySampled
from fwtui.tui.formatting import memory_size
from fwtui.tui.glyphs import ASCII, UNICODE, Glyphs
from fwtui.tui.model import BatchModel
from fwtui.tui.widgets.memory import MemoryView, _precise
from tests.tui.driving import NARROW, at_work, scripted
from tests.tui.fakes import ScriptedLink, busy_events, gallery

READING = [event.reading for event in busy_events() if isinstance(event, MemorySampled)][-1]


class Pane(MemoryView):
    """The pane, on no screen."""

    shape = Size(42, 12)
    size = property(lambda self: self.shape)

    def ink(self, name: str, over: str = "") -> Style:
        return Style()


def pane(reading: MemoryReading, values: list[float], glyphs: Glyphs = UNICODE) -> Pane:
    model = BatchModel()
    model.memory = reading
    model.memory_history.extend(values)
    return Pane(model, glyphs)


VALUES = st.lists(st.floats(40, 300_000), min_size=1, max_size=40)


@given(VALUES, st.integers(1, 6), st.booleans(), st.sampled_from([UNICODE, ASCII]))
def test_the_curve_says_where_it_begins(
    values: list[float], rows: int, from_zero: bool, glyphs: Glyphs
) -> None:
    view = pane(READING, values, glyphs)
    view.from_zero = from_zero
    shown = values[-(view.size.width - 11) :]
    lines = ["".join(text for text, _ in line) for line in view._graph(rows)]
    labels = [line[1:9].strip() for line in lines]
    levels = [[glyphs.levels.rindex(sign) for sign in line[9:]] for line in lines]
    heights = [sum(column) for column in zip(*levels, strict=True)][-len(shown) :]
    assert labels[0] == _precise(max(shown)).strip()
    assert max(heights) == rows * (len(glyphs.levels) - 1)
    whole = "from" not in labels
    assert whole or (not from_zero and rows >= 3)
    if whole:
        assert rows == 1 or labels[-1] == "0"
        for value, height in zip(shown, heights, strict=True):
            exact = value / max(shown) * max(heights)
            near = 1.5 if glyphs.ascii else 0.5  # two levels look the same
            assert abs(height - exact) <= near or (height == 1 and exact < 1)
    else:
        assert labels[-2] == "from"
        assert labels[-1] != labels[0], "a curve between two equal values says nothing"


def test_the_key_begins_at_0_and_back() -> None:
    view = pane(READING, [1000.0, 1100.0])
    assert [line[0][0].strip() for line in view._graph(4)] == ["1100 MB", "", "from", "967 MB"]
    view.from_zero = True
    assert [line[0][0].strip() for line in view._graph(4)] == ["1100 MB", "", "", "0"]


@pytest.mark.parametrize("used", [80.0, 9_000.0, 143_000.0])
@pytest.mark.parametrize("height", [4, 12])
def test_no_figure_is_cut(used: float, height: int) -> None:
    gpus = tuple(
        GpuReading(index=n, name="H200", used=used, total=143_771.0, utilisation=100.0)
        for n in range(2)
    )
    view = pane(replace(READING, gpus=gpus), [used])
    view.shape = Size(42, height)
    lines = [strip.text for strip in view.draw()]
    assert not [line for line in lines if "…" in line]
    assert sum("140" in line for line in lines) >= 2
    assert view.text().count("100%") == 2
    assert view.text().startswith("System: ")


async def test_the_keys_of_the_pane(monkeypatch: pytest.MonkeyPatch) -> None:
    link = ScriptedLink(gallery())
    async with scripted(link, size=NARROW) as driver:
        await at_work(driver, link)
        copied: list[str] = []
        monkeypatch.setattr(driver.app, "copy_to_clipboard", copied.append)
        await driver.press("4", "y")
        assert copied
        assert "peak" in copied[0]
        assert f"fwtui: {memory_size(READING.rss).removesuffix(' GB')}, peak" in copied[0]
        await driver.press("0")
        await driver.until_text("0 From lowest")
        await driver.press("0")
        await driver.until_text("0 From 0")
