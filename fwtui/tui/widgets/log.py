"""The log: a bounded tail of lines, drawn once a tick however many came."""

from bisect import bisect_right
from collections import deque
from itertools import accumulate, islice
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.strip import Strip

from fwtui.core.events import Level, LogLine
from fwtui.tui.formatting import clean, width, wrap_places
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.model import BatchModel
from fwtui.tui.text_search import Hit
from fwtui.tui.widgets.paint import Piece, cut
from fwtui.tui.widgets.searchable import SearchableView

LEVELS = (Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR)
SIDE_STEP = 16
FURTHEST_SIDE = 4096
TIME_CELLS = 11
MOST_SIGNS = 4  # to a cell
_WORDS: dict[Level, Piece] = {
    Level.DEBUG: ("debug ", "dim"),
    Level.INFO: ("", "plain"),
    Level.WARNING: ("warning ", "warn"),
    Level.ERROR: ("ERROR ", "bad"),
}
_INKS = {
    Level.DEBUG: "dim",
    Level.INFO: "plain",
    Level.WARNING: "warn",
    Level.ERROR: "bad",
}


class LogView(SearchableView):
    """The model's log lines from `level` on.

    Each line is one row, cut at the edge, unless it is open or all are wrapped. Lines are numbered
    from the first ever shown on. The cursor is on the last one as long as the view follows.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("log")

    def __init__(self, model: BatchModel, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id, tail=True)
        self.model = model
        self.level = Level.INFO
        self.needle = ""
        self.side = 0
        self.wraps = False
        self._open: set[int] = set()
        self._cursor = 0  # while the view does not follow
        self._shown: deque[LogLine] = deque(maxlen=model.log.maxlen)
        self._first = 0
        self._seen = 0
        # Rows of each line, and the sums of them; only while some have more than one.
        self._heights: list[int] = []
        self._ends: list[int] | None = None
        self._cells = 0  # that the heights are for

    # The lines.

    def update(self) -> None:
        """Take in the lines that are new since the last call."""
        new, self._seen = self.model.log_count - self._seen, self.model.log_count
        lines = self.model.log
        wanted = LEVELS[LEVELS.index(self.level) :]
        fresh = islice(lines, max(0, len(lines) - new), None)
        added = [entry for entry in fresh if entry.level in wanted]
        if self.needle:
            added = [entry for entry in added if self.needle in entry.text.casefold()]
        self._forget(max(0, len(self._shown) + len(added) - (self._shown.maxlen or 0)))
        self._shown.extend(added)
        if self._tall:
            start = self._first + len(self._heights)
            self._heights += [self._height(n) for n in range(start, self.texts().stop)]
        self._ends = None
        if added or not lines:
            self.searched_on()
            self.changed()

    def _forget(self, lost: int) -> None:
        """Drop the oldest lines; what the user reads stays where it is."""
        if not lost:
            return
        rows = sum(self._heights[:lost]) if self._tall else lost
        if not self.tail:
            self.top = max(0, self.top - rows)
        if self._origin is not None:
            top, tail = self._origin
            self._origin = max(0, top - rows), tail
        for _ in range(lost):
            self._shown.popleft()
        del self._heights[:lost]
        self._first += lost
        self._cursor = max(self._cursor, self._first)
        self._open = {number for number in self._open if number >= self._first}

    def texts(self) -> range:
        return range(self._first, self._first + len(self._shown))

    def text_of(self, number: int) -> str:
        return "".join(text for text, _ in self._pieces(number))

    def _pieces(self, number: int) -> list[Piece]:
        entry = self._shown[number - self._first]
        return [
            (f" {entry.at:%H:%M:%S}  ", "dim"),
            _WORDS[entry.level],
            (clean(entry.text), _INKS[entry.level]),
        ]

    # Rows.

    @property
    def _tall(self) -> bool:
        return self.wraps or bool(self._open)

    def _height(self, number: int) -> int:
        return len(self._places(number)) if self.wraps or number in self._open else 1

    def _places(self, number: int) -> list[int]:
        """Where in a line its rows begin, when it is shown whole."""
        return wrap_places(self.text_of(number), self._cells, TIME_CELLS)

    def _measure(self) -> None:
        """Work out all heights again; the line at the top stays there."""
        number = self.place_of(self.top)[0] if self._shown else 0
        self._cells = max(1, self.size.width - 1)
        self._heights = [self._height(n) for n in self.texts()] if self._tall else []
        self._ends = None
        if self._shown:
            self.top = self._row(number)

    def fit(self) -> None:
        if self._tall and self._cells != self.size.width - 1:
            self._measure()
        super().fit()

    def _sums(self) -> list[int]:
        if self._ends is None:
            self._ends = list(accumulate(self._heights))
        return self._ends

    def count(self) -> int:
        """The number of rows."""
        if not self._shown:
            return 0
        return self._sums()[-1] if self._heights else len(self._shown)

    def _row(self, number: int) -> int:
        """The first row of a line."""
        at = max(0, min(number - self._first, len(self._shown) - 1))
        if not self._heights:
            return at
        return self._sums()[at - 1] if at else 0

    def place_of(self, row: int) -> tuple[int, int]:
        row = min(row, self.count() - 1)
        if not self._heights:
            return self._first + row, 0
        at = bisect_right(self._sums(), row)
        number = self._first + at
        part = row - self._row(number)
        return number, self._places(number)[part] if part else 0

    def row_of(self, number: int, offset: int) -> int:
        row = self._row(number)
        if self._heights and self._height(number) > 1:
            return row + bisect_right(self._places(number), offset) - 1
        return row

    def line(self, index: int, cells: int) -> Strip:
        number, offset = self.place_of(index)
        over = "cursor" if number == self.cursor and self.has_focus else ""
        pieces = self.marked(self._pieces(number), number)
        if self.wraps or number in self._open:
            places = self._places(number)
            end = next((place for place in places if place > offset), None)
            part = cut(pieces, offset, end)
            return self.strip([(" " * TIME_CELLS, "dim"), *part] if offset else part, cells, over)
        pieces = cut(pieces, 0, MOST_SIGNS * (self.side + cells))  # it may be a million
        size = sum(width(text) for text, _ in pieces)
        whole = self.strip(pieces, max(size, self.side + cells), over)
        drawn = whole.crop(self.side, self.side + cells)
        sign = self.strip([(self.glyphs.ellipsis, "accent")], 1, over)
        if self.side and size and cells > 1:
            drawn = Strip.join([sign, drawn.crop(1)])
        if size > self.side + cells and cells > 1:
            drawn = Strip.join([drawn.crop(0, cells - 1), sign])
        return drawn

    # The cursor.

    @property
    def cursor(self) -> int:
        """The number of the line that keys are about."""
        return self.texts().stop - 1 if self.tail else self._cursor

    def _move_to(self, number: int) -> None:
        """Put the cursor on a line, and show that; the view no longer follows."""
        before = self.cursor
        number = max(self._first, min(number, self.texts().stop - 1))
        self.rest()
        row, height = self._row(number), min(self._height(number), self.rows)
        if row + height > self.top + self.rows:
            self.set_top(row + height - self.rows)
        elif row < self.top:
            self.set_top(row)
        self.rest()
        self._cursor = number
        self._draw(before, number)

    def _draw(self, *numbers: int) -> None:
        for number in numbers:
            if number in self.texts():
                first = self._row(number)
                for row in range(first, first + self._height(number)):
                    self.refresh_line(row)

    def set_top(self, top: int) -> None:
        before, was_last = self.cursor, self.tail
        super().set_top(top)
        if self.tail or not self._shown:
            return
        first, last = self.place_of(self.top)[0], self.place_of(self.top + self.rows - 1)[0]
        self._cursor = max(first, min(before, last))
        if self._cursor != before or was_last:
            self._draw(before, self._cursor)

    def rest(self) -> None:
        if self.tail:
            self._cursor = self.cursor
        super().rest()

    def action_go(self, lines: int) -> None:
        if not self._shown:
            return
        if lines > 0 and self.cursor + lines >= self.texts().stop:
            self.action_end()
        else:
            self._move_to(self.cursor + lines)

    def action_page(self, pages: float) -> None:
        if not self._shown:
            return
        rows = round(pages * max(1, self.rows - 1)) or (1 if pages > 0 else -1)
        row = self._row(self.cursor) + rows
        if row >= self.count():
            self.action_end()
        else:
            number, _ = self.place_of(max(0, row))
            self.set_top(self.top + rows)
            self._move_to(number)

    def action_home(self) -> None:
        if self._shown:
            self._move_to(self._first)

    def action_end(self) -> None:
        before = self.cursor
        super().action_end()
        self._draw(before, self.cursor)

    def on_focus(self) -> None:
        self._draw(self.cursor)

    def on_blur(self) -> None:
        self._draw(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Go to the line; a double click opens it."""
        row = event.y + self.top
        if event.widget is not self:  # the field below
            return
        if 0 <= event.y < self.rows and row < self.count():
            self._move_to(self.place_of(row)[0])
            if event.chain == 2:
                self.action_open()

    def _go_to(self, hit: Hit) -> None:
        if not self.wraps and hit.number not in self._open:
            text = self.text_of(hit.number)
            left, right = width(text[: hit.start]), width(text[: hit.end])
            if left < self.side or right >= self.side + self.size.width - 1:
                self._toggle(hit.number)  # it is in the part that is cut off
        before = self.cursor
        super()._go_to(hit)
        self._cursor = hit.number
        self._draw(before, hit.number)

    def _reference(self) -> tuple[int, int]:
        here = self.search.here if self.search is not None else None
        if here is not None and here.number == self.cursor:
            return here.number, here.start
        return self.cursor, -1

    # Keys.

    def action_open(self) -> None:
        if not self._shown:
            return
        number = self.cursor
        if number not in self._open and not self._is_cut(number):
            self.notify("The whole line is shown", timeout=2)
            return
        self.rest()
        self._toggle(number)
        self._move_to(number)

    def _is_cut(self, number: int) -> bool:
        size = width(self.text_of(number))
        return not self.wraps and (self.side > 0 or size >= self.size.width)

    def _toggle(self, number: int) -> None:
        self._open ^= {number}
        self._measure()
        self.changed()

    def action_wrap(self) -> None:
        self.wraps = not self.wraps
        self._open.clear()
        self._measure()
        self.changed()
        if not self.tail:
            self._move_to(self.cursor)

    def action_copy(self) -> None:
        if self._shown:
            self.app.copy_to_clipboard(_copied(self._shown[self.cursor - self._first]))

    def action_side(self, cells: int) -> None:
        self.side = max(0, min(self.side + cells * SIDE_STEP, FURTHEST_SIDE))
        self.refresh()

    def action_level(self) -> None:
        self.level = LEVELS[(LEVELS.index(self.level) + 1) % len(LEVELS)]
        self._again()

    def set_filter(self, needle: str) -> None:
        """Show only lines that have this text."""
        self.needle = needle.strip().casefold()
        self._again()

    def _again(self) -> None:
        self._first = self.texts().stop
        self._shown.clear()
        self._heights.clear()
        self._open.clear()
        self._seen = self.model.log_count - len(self.model.log)
        self.tail = True
        self.update()
        self.changed()
        self.post_message(self.TailChanged())

    def text(self) -> str:
        """The lines shown, for the clipboard."""
        return "\n".join(map(_copied, self._shown))


def _copied(line: LogLine) -> str:
    return f"{line.at:%H:%M:%S} {line.level:<7} {clean(line.text)}"
