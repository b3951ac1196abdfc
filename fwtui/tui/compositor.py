"""Frames for slow lines: of a screen only the cells that are asked for are drawn and sent.

Textual draws all lines of all widgets, from its caches, for each change of a few cells, and sends a
widget's line from its left edge on; on a line of 120 cells that is ten times the bytes of the
digits that changed.
"""

from collections.abc import Iterable
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor
from textual.app import App
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip

Result = TypeVar("Result")


class CroppedUpdate(ChopsUpdate):
    """Textual's partial update, cropped at the left, too."""

    def render_segments(self, console: Console) -> str:
        """The bytes for the terminal."""
        sequences: list[str] = []
        for y, left, right in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                first, last = max(x, left), min(end, right)
                if strip is None or first >= last:
                    continue
                cells = strip.crop(first - x, last - x).simplify()
                sequences += [Control.move_to(first, y).segment.text, cells.render(console)]
        return "".join(sequences)


class SparingCompositor(Compositor):
    """Asks only the widgets that can be seen in a change, and only for its lines."""

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Region, clip and lines of each widget that has cells in `crop`."""
        if crop is None:
            yield from super()._get_renders(crop)
            return
        band = Region(0, crop.y, self.size.width, crop.height)
        above: list[Region] = []
        for widget, (region, clip) in self.visible_widgets.items():  # front to back
            seen = region.intersection(clip)
            wanted = seen.intersection(crop)
            if not wanted or any(one.contains_region(wanted) for one in above):
                continue
            above.append(seen)
            part = seen.intersection(band)
            yield region, part, widget.render_lines(part.translate(-region.offset))


class SmallFrames(App[Result]):
    """An application whose partial updates are cropped."""

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if type(renderable) is ChopsUpdate:
            update = renderable
            renderable = CroppedUpdate(update.chops, update.spans, update.chop_ends)
        super()._display(screen, renderable)
