"""Frames for slow lines: of a screen only the cells that are asked for are sent.

Textual sends a widget's line from its left edge on, whatever the region to be drawn; on a line of
120 cells that is ten times the bytes of the digits that changed.
"""

from typing import TypeVar

from rich.console import Console, RenderableType
from rich.control import Control
from textual._compositor import ChopsUpdate
from textual.app import App
from textual.screen import Screen

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


class SmallFrames(App[Result]):
    """An application whose partial updates are cropped."""

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if type(renderable) is ChopsUpdate:
            update = renderable
            renderable = CroppedUpdate(update.chops, update.spans, update.chop_ends)
        super()._display(screen, renderable)
