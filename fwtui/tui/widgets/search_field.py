"""The line in which a text to search is typed, with how often it occurs."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.strip import Strip
from textual.widgets import Input

from fwtui.tui.error_boundary import ErrorBoundary
from fwtui.tui.formatting import fit_right, width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.text_search import TextSearch
from fwtui.tui.widgets.paint import InkWidget
from fwtui.tui.widgets.searchable import SearchableView


class SearchField(ErrorBoundary, Input):
    """What is searched. The view of lines that it is in obeys its keys."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("typing")

    @property
    def _view(self) -> SearchableView:
        return next(node for node in self.ancestors if isinstance(node, SearchableView))

    def action_hit(self, step: int) -> None:
        self._view.action_hit(step)

    def action_leave(self) -> None:
        self._view.action_end_search()


class SearchCount(InkWidget):
    """Which place the view is at, and how many there are."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self.text = ""
        self._ink = "dim"

    def show(self, text: str, ink: str) -> None:
        """Show another text."""
        if (text, ink) != (self.text, self._ink):
            cells = width(text) + 2
            if cells > width(self.text) + 2 or not text:
                self.styles.width = cells
            self.text, self._ink = text, ink
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        cells = self.size.width
        return self.strip([(fit_right(self.text, cells - 1), self._ink)], cells)


class SearchBar(Horizontal):
    """The field, and the count beside it."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.field = SearchField(placeholder="Search", select_on_focus=True)
        self.count = SearchCount(glyphs)

    def compose(self) -> ComposeResult:
        yield self.field
        yield self.count

    def show(self, search: TextSearch | None) -> None:
        """Show the count of a search."""
        if search is None:
            self.count.show("", "dim")
        elif not search.total:
            self.count.show("not found", "warn")
        elif (at := search.position) > 0:
            self.count.show(f"{at:,} of {search.total:,}", "accent")
        else:
            self.count.show(f"{search.total:,} found", "accent")
