"""Scrolling views of lines: only visible lines are drawn, only changed ones are drawn again."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.widgets.paint import InkWidget, Piece, clip

WHEEL_LINES = 3


class LineView(InkWidget, can_focus=True):
    """Lines numbered from 0, seen from line `top` on, with a scroll thumb at the right edge.

    Subclasses give the number of lines (`count`) and draw one (`line`). `head` lines stay at the
    top. With `tail` on, the view follows its end until the user scrolls up.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("moving")
    head = 0
    foot = 0  # lines at the bottom that belong to something else

    class TailChanged(Message):
        """The view started or stopped following its end."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None, tail: bool = False) -> None:  # noqa: A002
        super().__init__(glyphs, id=id)
        self.top = 0
        self.tails = tail
        self.tail = tail

    def count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def line(self, index: int, cells: int) -> Strip:
        """Line `index`, exactly `cells` wide."""
        raise NotImplementedError

    def head_line(self, y: int, cells: int) -> Strip:  # noqa: ARG002
        """The fixed line `y`."""
        return self.strip((), cells)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """The height of all lines, where the style is `auto`."""
        return self.head + self.count()

    @property
    def rows(self) -> int:
        """Lines that fit between head and foot."""
        return max(0, self.size.height - self.head - self.foot)

    @property
    def last_top(self) -> int:
        """The largest sensible `top`."""
        return max(0, self.count() - self.rows)

    def render_line(self, y: int) -> Strip:
        """Draw what is at line `y` of the widget."""
        cells = self._room.width - 1
        if cells <= 0:
            return Strip.blank(self._room.width)
        if y < self.head:
            return Strip.join([self.head_line(y, cells), self._edge(" ")])
        y -= self.head
        index = y + self.top
        drawn = self.line(index, cells) if index < self.count() else self.strip((), cells)
        return Strip.join([drawn, self._edge(self._thumb(y))])

    def _edge(self, text: str) -> Strip:
        return Strip([Segment(text, self.ink("faint"))], 1)

    def _thumb(self, y: int) -> str:
        count, rows = self.count(), self._room.height - self.head - self.foot
        if count <= rows:
            return " "
        length = max(1, rows * rows // count)
        start = (rows - length) * self.top // max(1, count - rows)
        return self.glyphs.thumb if start <= y < start + length else " "

    def changed(self) -> None:
        """The lines were replaced: keep the view inside them and draw."""
        self.fit()
        self.refresh()

    def fit(self) -> None:
        """Keep the view inside the lines."""
        self._room = self.size  # none while it is hidden: it is fitted again when it is shown
        self.top = self.last_top if self.tail else min(self.top, self.last_top)

    def refresh_line(self, index: int) -> None:
        """Draw one line again, if it is in view."""
        y = index - self.top
        if 0 <= y < self.rows:
            self.refresh(Region(0, y + self.head, self.size.width, 1))

    def set_top(self, top: int) -> None:
        """Scroll so that `top` is the first line; at the end a tailing view follows again."""
        last = self.last_top
        top = max(0, min(top, last))
        if self.tail != (self.tails and top >= last):
            self.tail = not self.tail
            self.post_message(self.TailChanged())
        if top != self.top:
            self.top = top
            self.refresh()

    def reveal(self, index: int) -> None:
        """Scroll so that a line is in view."""
        if self.rows <= 0:
            return
        if index < self.top:
            self.set_top(index)
        elif index >= self.top + self.rows:
            self.set_top(index - self.rows + 1)

    def action_go(self, lines: int) -> None:
        self.set_top(self.top + lines)

    def action_page(self, pages: float) -> None:
        self.action_go(round(pages * max(1, self.rows - 1)) or (1 if pages > 0 else -1))

    def action_home(self) -> None:
        self.set_top(0)

    def action_end(self) -> None:
        self.set_top(self.last_top)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.set_top(self.top + WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.set_top(self.top - WHEEL_LINES)


Item = TypeVar("Item")


class Listing(LineView, Generic[Item]):
    """Items, one in a line, with a cursor that stays on its item when the items are replaced.

    Subclasses draw an item (`pieces`), and give its `key`, by which it is found again. `empty` is
    the line in the place of no items.
    """

    class Highlighted(Message):
        """The cursor is on another item, or the items are others."""

        def __init__(self, listing: "Listing[Any]") -> None:
            super().__init__()
            self.listing = listing

        @property
        def control(self) -> "Listing[Any]":
            """The list."""
            return self.listing

    class Selected(Message):
        """The item under the cursor was clicked twice."""

        def __init__(self, listing: "Listing[Any]") -> None:
            super().__init__()
            self.listing = listing

    def __init__(
        self,
        glyphs: Glyphs,
        items: Sequence[Item] = (),
        *,
        empty: str = "",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(glyphs, id=id)
        self.items = items
        self.empty = empty
        self.cursor = 0

    def pieces(self, item: Item) -> Sequence[Piece]:
        """What is in the line of an item."""
        raise NotImplementedError

    def key(self, item: Item) -> object:
        """What stays the same of an item when the items are replaced."""
        raise NotImplementedError

    @property
    def current(self) -> Item | None:
        """The item under the cursor."""
        return self.items[self.cursor] if self.cursor < len(self.items) else None

    def count(self) -> int:
        """Items, or the line in their place."""
        return max(1, len(self.items))

    def line(self, index: int, cells: int) -> Strip:
        """Draw a line, the cursor's with another ground."""
        over = ""
        if index == self.cursor:
            over = "cursor" if self.has_focus else "cursor-away"
        pieces = self.pieces(self.items[index]) if self.items else [(f" {self.empty}", "dim")]
        return self.strip(clip(pieces, cells, self.glyphs.ellipsis), cells, over)

    def replace(self, items: Sequence[Item]) -> None:
        """Show these items."""
        before = self.current
        keys = [self.key(item) for item in items] if before is not None else []
        self.items = items
        if before is not None and (key := self.key(before)) in keys:
            self.cursor = keys.index(key)
        self.cursor = max(0, min(self.cursor, self.count() - 1))
        self.changed()
        self.refresh(layout=True)
        self.reveal(self.cursor)
        self.post_message(self.Highlighted(self))

    def move_to(self, index: int) -> None:
        """Put the cursor on a line."""
        index = max(0, min(index, self.count() - 1))
        before, self.cursor = self.cursor, index
        if before != index:
            self.refresh_line(before)
            self.refresh_line(index)
            self.post_message(self.Highlighted(self))
        self.reveal(self.cursor)

    def on_resize(self) -> None:
        self.changed()
        self.reveal(self.cursor)

    def action_go(self, lines: int) -> None:
        self.move_to(self.cursor + lines)

    def action_home(self) -> None:
        self.move_to(0)

    def action_end(self) -> None:
        self.move_to(self.count() - 1)

    def on_focus(self) -> None:
        self.refresh_line(self.cursor)

    def on_blur(self) -> None:
        self.refresh_line(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Go to the line; a double click selects it."""
        index = event.y - self.head + self.top
        if event.y < self.head or index >= self.count():
            return
        self.move_to(index)
        if event.chain == 2:
            self.post_message(self.Selected(self))


class SelectableListing(Listing[Item], Generic[Item]):
    """A list of which several items can be selected; their lines begin with a mark.

    Subclasses draw an item from the second cell on.
    """

    def __init__(
        self,
        glyphs: Glyphs,
        items: Sequence[Item] = (),
        *,
        empty: str = "",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(glyphs, items, empty=empty, id=id)
        self._selected: set[object] = set()

    @property
    def selected(self) -> Sequence[Item]:
        """The selected items, in their order."""
        return [item for item in self.items if self.key(item) in self._selected]

    @property
    def chosen(self) -> Sequence[Item]:
        """What a key acts on: the selected items, without any the one under the cursor."""
        current = self.current
        return self.selected or ([] if current is None else [current])

    def mark(self, item: Item) -> Piece:
        """The first cell of a line."""
        selected = self.key(item) in self._selected
        return (self.glyphs.selected if selected else " ", "accent")

    def replace(self, items: Sequence[Item]) -> None:
        """Show these items; what is no longer there is not selected."""
        self._selected &= {self.key(item) for item in items}
        super().replace(items)

    def toggle(self) -> None:
        """Select the item under the cursor, or do not, and go to the next."""
        if (current := self.current) is not None:
            self._selected ^= {self.key(current)}
            self.refresh_line(self.cursor)
            self.action_go(1)
            self.post_message(self.Highlighted(self))

    def toggle_all(self) -> None:
        """Select all items, or none if all are."""
        keys = {self.key(item) for item in self.items}
        self._selected = set() if self._selected == keys else keys
        self.refresh()
        self.post_message(self.Highlighted(self))


Layout = Callable[[int], Sequence[Sequence[Piece]]]
"""Lines of at most so many cells."""


class FlowView(LineView):
    """Lines that are laid out again for each width."""

    def __init__(self, layout: Layout, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id)
        self._layout = layout
        self._lines: Sequence[Sequence[Piece]] = ()

    def show(self, layout: Layout) -> None:
        """Show something else."""
        self._layout = layout
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        if self.size.width > 1:
            self._lines = self._layout(self.size.width - 1)
        self.changed()

    def count(self) -> int:
        return len(self._lines)

    def line(self, index: int, cells: int) -> Strip:
        return self.strip(clip(self._lines[index], cells, self.glyphs.ellipsis), cells)
