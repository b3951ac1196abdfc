"""The panes of the main screen, and the borders between them, which can be dragged."""

from collections.abc import Mapping
from typing import NamedTuple

from textual import events
from textual.containers import Container
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from fwtui.tui.arrangement import (
    QUEUE,
    SIDES,
    SMALLEST_HEIGHT,
    SMALLEST_WIDTH,
    Arrangement,
    cells_of,
)


class Borders(NamedTuple):
    """Where the borders between panes are that can be moved; None: there is none.

    `column`: the cells left of the one between the columns; `row`: the lines above the one between
    the rows.
    """

    column: int | None
    row: int | None


def blank_lines(widget: Widget, crop: Region) -> list[Strip]:
    """What lies under the panes, without drawing line by line."""
    strip = Strip.blank(crop.width, widget.rich_style)
    for line_filter in widget.get_line_filters():
        strip = strip.apply_filter(line_filter, widget.background_colors[1])
    return [strip] * crop.height


class Panes(Container):
    """The four panes: in two columns, or the queue and one below it where it is narrow."""

    class Dragged(Message):
        """A border was moved with the mouse: to this cell, and this line; None: not that one."""

        def __init__(self, column: int | None, row: int | None) -> None:
            super().__init__()
            self.column = column
            self.row = row

    def __init__(self, boxes: Mapping[str, Widget], *, id: str) -> None:  # noqa: A002
        super().__init__(*boxes.values(), id=id)
        self.boxes = boxes
        self._asked = Borders(None, None)
        self._held: Borders | None = None
        self._narrow = False
        self._given: tuple[object, ...] = (None, None, None)
        for name, box in boxes.items():
            box.update_classes({"pane": True, "side": name != QUEUE}, update=False)

    def render_lines(self, crop: Region) -> list[Strip]:
        return blank_lines(self, crop)

    def show(
        self, arrangement: Arrangement, room: Size, *, narrow: bool, low: bool, update: bool = True
    ) -> None:
        """Show what is to be shown, in this room. `update`: the styles are in use already."""
        for name, box in self.boxes.items():
            classes = {"active": name == arrangement.side, "zoom": name == arrangement.zoomed}
            box.update_classes(classes, update=update)
        self._narrow = narrow
        shown = arrangement.panes(narrow=narrow)
        borders = (
            Borders(None, None) if low else _asked_for(arrangement, room, shown, narrow=narrow)
        )
        self._asked = borders
        self._give(borders.column, borders.row, narrow=narrow)

    @property
    def borders(self) -> Borders:
        """Where the borders are: where they were asked to be, else where they are drawn."""
        shown = {name: box.region for name, box in self.boxes.items() if box.display}
        drawn = [region for region in shown.values() if region]
        columns = {region.x for region in drawn} - {self.region.x}
        rows = {region.y for region in drawn} - {self.region.y}
        column, row = self._asked
        return Borders(
            next((x - self.region.x for x in columns), None) if column is None else column,
            next((y - self.region.y for y in rows), None) if row is None else row,
        )

    def _give(self, column: int | None, row: int | None, *, narrow: bool) -> None:
        """Give the panes these cells; None: what the style sheet says."""
        sizes = (column, None if narrow else row, row if narrow else None)
        if sizes == self._given:
            return
        self._given = sizes
        self.styles.grid_columns = None if column is None else f"{column} 1fr"
        self.styles.grid_rows = None if sizes[1] is None else f"{sizes[1]} 1fr"
        self.boxes[QUEUE].styles.height = sizes[2]
        for name in SIDES:
            self.boxes[name].styles.height = None if sizes[2] is None else "1fr"

    # The mouse.

    def _at(self, event: events.MouseEvent) -> tuple[int, int]:
        return event.screen_x - self.region.x, event.screen_y - self.region.y

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the border under the mouse; where they cross, of both."""
        x, y = self._at(event)
        column, row = self.borders
        # A frame is drawn by either pane; where there is none at the sides, by the lower one.
        held = Borders(
            column if column is not None and x in {column - 1, column} else None,
            row
            if row is not None and y in {row, row - (self.borders.column is not None)}
            else None,
        )
        self._held = held if held != (None, None) and event.button == 1 else None
        if self._held is not None and "@click" not in event.style.meta:
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._held is None:
            return
        if not event.button:
            self._held = None
            self.release_mouse()
            return
        self.capture_mouse()  # a click on a tab was not for us
        x, y = self._at(event)
        self.post_message(
            self.Dragged(
                x if self._held.column is not None else None,
                y if self._held.row is not None else None,
            )
        )

    def on_mouse_up(self) -> None:
        if self._held is not None:
            self._held = None
            self.release_mouse()


def _asked_for(arrangement: Arrangement, room: Size, shown: list[str], *, narrow: bool) -> Borders:
    """Where the user wants the borders, as far as there are any."""
    upper = len({QUEUE, "transcript"} & {*shown})
    lower = len(shown) - upper
    column = row = None
    if narrow and len(shown) > 1 and arrangement.stack is not None:
        row = cells_of(arrangement.stack, room.height, SMALLEST_HEIGHT - 1)
    if not narrow and max(upper, lower) > 1 and arrangement.column is not None:
        column = cells_of(arrangement.column, room.width, SMALLEST_WIDTH)
    if not narrow and upper and lower and arrangement.row is not None:
        row = cells_of(arrangement.row, room.height, SMALLEST_HEIGHT)
    return Borders(column, row)
