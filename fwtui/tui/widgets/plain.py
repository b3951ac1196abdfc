"""Lines of plain text to read through, broken where they do not fit."""

from collections.abc import Sequence

from rich.cells import chop_cells
from textual.strip import Strip

from fwtui.tui.glyphs import Glyphs
from fwtui.tui.text import clean
from fwtui.tui.widgets.lines import LineView

BESIDE = 2  # a space before the text, the thumb behind it


class PlainLines(LineView):
    """Shows lines as they are; those that begin with `==` are titles."""

    def __init__(self, lines: Sequence[str], glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id)
        self._lines = [clean(line) for line in lines]
        self._shown: list[str] = []

    def on_resize(self) -> None:
        """Break the lines anew."""
        cells = max(8, self.size.width - BESIDE)
        self._shown = [part for line in self._lines for part in chop_cells(line, cells) or [""]]
        self.changed()

    def count(self) -> int:
        """How many lines there are."""
        return len(self._shown)

    def line(self, index: int, cells: int) -> Strip:
        """One line."""
        text = self._shown[index]
        return self.strip([(" " + text, "key" if text.startswith("==") else "plain")], cells)
