"""Lines with a cursor: what lists of sessions, files and choices share."""

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip

from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.paint import Piece, clip


class Listing(LineView):
    """Subclasses say how many lines there are (`count`) and what is in one (`pieces`)."""

    class Moved(Message):
        """The cursor is on another line, or the lines are others."""

        def __init__(self, listing: "Listing") -> None:
            super().__init__()
            self.listing = listing

        @property
        def control(self) -> "Listing":
            """The list."""
            return self.listing

    class Chosen(Moved):
        """The line under the cursor was clicked twice."""

    cursor = 0

    def pieces(self, index: int) -> Sequence[Piece]:
        """What is in line `index`."""
        raise NotImplementedError

    def line(self, index: int, cells: int) -> Strip:
        """Draw a line, the cursor's with another ground."""
        over = ""
        if index == self.cursor:
            over = "cursor" if self.has_focus else "cursor-away"
        return self.strip(clip(self.pieces(index), cells, self.glyphs.ellipsis), cells, over)

    def relist(self) -> None:
        """The lines are others now; the cursor stays where it can."""
        self.cursor = max(0, min(self.cursor, self.count() - 1))
        self.changed()
        self._reveal()
        self.post_message(self.Moved(self))

    def move_to(self, index: int) -> None:
        """Put the cursor on a line."""
        index = max(0, min(index, self.count() - 1))
        before, self.cursor = self.cursor, index
        if before != index:
            self.refresh_line(before)
            self.refresh_line(index)
            self.post_message(self.Moved(self))
        self._reveal()

    def _reveal(self) -> None:
        if self.rows <= 0:
            return
        if self.cursor < self.top:
            self.look_at(self.cursor)
        elif self.cursor >= self.top + self.rows:
            self.look_at(self.cursor - self.rows + 1)

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self.changed()
        self._reveal()

    def action_go(self, lines: int) -> None:
        """Move the cursor."""
        self.move_to(self.cursor + lines)

    def action_home(self) -> None:
        """To the first line."""
        self.move_to(0)

    def action_end(self) -> None:
        """To the last line."""
        self.move_to(self.count() - 1)

    def on_focus(self) -> None:
        """The cursor looks different."""
        self.refresh_line(self.cursor)

    def on_blur(self) -> None:
        """The cursor looks different."""
        self.refresh_line(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Go to the line; a double click chooses it."""
        index = event.y - self.head + self.top
        if event.y < self.head or index >= self.count():
            return
        self.move_to(index)
        if event.chain == 2:
            self.post_message(self.Chosen(self))
