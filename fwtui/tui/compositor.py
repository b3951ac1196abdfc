"""Smaller frames for slow lines: only the cells that changed are drawn and sent.

Textual draws all lines of all widgets, from its caches, for each change of a few cells, and sends a
widget's line from its left edge on; on a line of 120 cells that is ten times the bytes of the
digits that changed.
"""

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class CroppedUpdate(ChopsUpdate):
    """Textual's partial update, cropped at the left, too."""

    def render_segments(self, console: Console) -> str:
        sequences: list[str] = []
        for y, left, right in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                first, last = max(x, left), min(end, right)
                if strip is None or first >= last:
                    continue
                cells = strip.crop(first - x, last - x).simplify()
                sequences += [Control.move_to(first, y).segment.text, cells.render(console)]
        return "".join(sequences)


class PartialCompositor(Compositor):
    """Draws only the widgets that are visible in a change, and only the lines of it."""

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
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


def cropped(renderable: RenderableType | None) -> RenderableType | None:
    """What an app displays, with a partial update cropped at the left, too."""
    if type(renderable) is ChopsUpdate:
        return CroppedUpdate(renderable.chops, renderable.spans, renderable.chop_ends)
    return renderable


def set_titles(widget: Widget, title: Content, subtitle: Content) -> None:
    """Set both, but draw only when they differ from what is there.

    Textual's own setters paint the whole widget; only its edge looks different.
    """
    if _differs(widget._border_title, title):
        widget._border_title = title
        _paint_edge(widget, 0)
    if _differs(widget._border_subtitle, subtitle):
        widget._border_subtitle = subtitle
        _paint_edge(widget, widget.outer_size.height - 1)


def _differs(before: Content | None, after: Content) -> bool:
    """Whether it looks different; `==` of contents is about their text only."""
    return before is None or not before.is_same(after)


def _paint_edge(widget: Widget, y: int) -> None:
    from_content = -widget.content_offset
    edge = Region(0, y, widget.outer_size.width, 1)
    if edge and y >= 0:
        widget.refresh(edge.translate(from_content))
    else:  # it has no place yet
        widget.refresh()
