"""A row of buttons that continues in further lines where they do not fit into one."""

from collections.abc import Sequence

from textual.containers import Container
from textual.geometry import Size
from textual.layout import Layout, WidgetPlacement
from textual.layouts.horizontal import HorizontalLayout
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button

MOST_SPACED = 5


class WrappedLayout(HorizontalLayout):
    """Widgets side by side, in as many lines as they need.

    Those at the right are filled from the end, so that the last line, with what is most likely
    wanted, is the full one.
    """

    name = "wrapped"

    def __init__(self, *, right: bool) -> None:
        self._right = right

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> list[WidgetPlacement]:
        placed = list(super().arrange(parent, children, size, greedy))
        lines = _lines(placed[::-1] if self._right else placed, size.width)
        if self._right:
            lines = [line[::-1] for line in reversed(lines)]
        moved = []
        for y, line in enumerate(lines):
            shift = -line[0].region.x
            if self._right:
                shift = max(shift, size.width - line[-1].region.right)
            moved += [one._replace(region=one.region.translate((shift, y))) for one in line]
        return moved


def _lines(placed: Sequence[WidgetPlacement], cells: int) -> list[list[WidgetPlacement]]:
    """As many in each line as fit, in the order given; at least one."""
    lines: list[list[WidgetPlacement]] = []
    for one in placed:
        line = lines[-1] if lines else []
        edges = [(other.region.x, other.region.right) for other in (*line, one)]
        if line and max(edge[1] for edge in edges) - min(edge[0] for edge in edges) <= cells:
            line.append(one)
        else:
            lines.append([one])
    return lines


class ButtonRow(Container):
    """Buttons side by side, at the right edge of a dialog, or at the left as choices."""

    class LinesChanged(Message):
        """The buttons need more or fewer lines than before."""

    def __init__(self, *buttons: Button, right: bool = False, classes: str = "") -> None:
        many = " many" if len(buttons) > MOST_SPACED else ""
        super().__init__(*buttons, classes=classes + many)
        self._wrapped = WrappedLayout(right=right)

    @property
    def layout(self) -> Layout:
        """In lines; style sheets know only the layouts of Textual."""
        return self._wrapped

    def on_resize(self) -> None:
        self.post_message(self.LinesChanged())
