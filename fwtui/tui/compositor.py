"""Frames for slow lines: of a screen only the cells that are asked for are drawn and sent.

Textual draws all lines of all widgets, from its caches, for each change of a few cells, and sends a
widget's line from its left edge on; on a line of 120 cells that is ten times the bytes of the
digits that changed.
"""

from collections.abc import Iterable
from io import TextIOBase, TextIOWrapper
from typing import IO, TypeVar, cast

from rich.console import Console, RenderableType
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor
from textual.app import App
from textual.content import Content
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

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


def plain(text: str) -> Content:
    """Content without any markup."""
    return Content(text)


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


class Forgiving(TextIOBase):
    """A terminal's stream whose writes never fail: a terminal that is gone needs no frames.

    Without it the thread that writes dies at the first error, and the event loop then waits for
    it for ever.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.gone = False

    def write(self, text: str) -> int:
        """Write, or let it go."""
        if not self.gone:
            try:
                return self._stream.write(text)
            except UnicodeEncodeError:
                return self._stream.write(text.encode("ascii", "replace").decode())
            except (OSError, ValueError):
                self.gone = True
        return len(text)

    def flush(self) -> None:
        """Flush, or let it go."""
        if not self.gone:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self.gone = True

    def fileno(self) -> int:
        """The stream's."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """The stream's."""
        return self._stream.isatty()


class TerminalDriver(LinuxDriver):
    """Writes through `Forgiving`; stops reading when told that the terminal hung up."""

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = cast(TextIOWrapper, Forgiving(cast(IO[str], self._file)))

    def hang_up(self) -> None:
        """End the input thread, which would read nothing at full speed."""
        self.exit_event.set()
