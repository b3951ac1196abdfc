"""Views of lines in which a text can be searched: the field, the places in other colours, keys."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.message import Message

from fwtui.tui.formatting import clean
from fwtui.tui.keymap import key_for
from fwtui.tui.keys import bindings
from fwtui.tui.text_search import Hit, TextSearch
from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.paint import Piece

if TYPE_CHECKING:
    from textual.widgets import Input

    from fwtui.tui.widgets.search_field import SearchBar

Mark = tuple[int, int, str]
"""A part of a text (from, to) and the ink that marks it."""

# Where a place that was not in view comes to be, as a part of the view's height.
_ABOVE = 1 / 3


class SearchableView(LineView):
    """Lines made of numbered texts; the places of what is searched are marked in them.

    Subclasses give the texts, and say which lines show them.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("search")
    # Whether a text goes on in the next one.
    runs_on = False

    class SearchChanged(Message):
        """A search began or ended."""

    search: TextSearch | None = None
    _bar: "SearchBar | None" = None
    _origin: tuple[int, bool] | None = None  # of the view, until a search is kept

    # What subclasses give.

    def texts(self) -> range:
        """The numbers of the texts that there are."""
        raise NotImplementedError

    def text_of(self, number: int) -> str:
        """A text, as it is shown."""
        raise NotImplementedError

    def place_of(self, row: int) -> tuple[int, int]:
        """The text that a line shows, and where in it the line begins."""
        raise NotImplementedError

    def row_of(self, number: int, offset: int) -> int:
        """The line that shows a place in a text, opened if it must be."""
        raise NotImplementedError

    # Drawing.

    def marked(self, pieces: Sequence[Piece], number: int, offset: int = 0) -> list[Piece]:
        """Pieces that begin at `offset` of a text, with the places of the search in its inks."""
        if self.search is None:
            return list(pieces)
        return list(_inked(pieces, offset, list(self._marks(self.search, number))))

    def _marks(self, search: TextSearch, number: int) -> Iterator[Mark]:
        if self.runs_on and number - 1 in self.texts():
            size = len(self.text_of(number - 1)) + 1
            for hit in search.hits(number - 1):
                if hit.end > size:
                    yield 0, hit.end - size, _ink(search, hit)
        for hit in search.hits(number):
            yield hit.start, hit.end, _ink(search, hit)

    # Searching.

    async def action_search(self) -> None:
        """Let the user type what to search."""
        if self._bar is None:
            from fwtui.tui.widgets.search_field import SearchBar

            self._bar = SearchBar(self.glyphs)
            await self.mount(self._bar)
        if not self._bar.display or self.foot == 0:
            self._bar.display = True
            self.foot = 1
            self.changed()
        if self._origin is None:
            self._origin = (self.top, self.tail)
        self._bar.field.focus()

    def on_input_changed(self, event: "Input.Changed") -> None:
        event.stop()
        if self.foot:
            self.look_for(event.value)

    def on_input_submitted(self, event: "Input.Submitted") -> None:
        event.stop()
        if not event.value.strip():
            self.action_end_search()
            return
        self._origin = None
        self.focus()

    def look_for(self, needle: str) -> None:
        """Mark the places of a text, and go to the first from the top of the view on."""
        before = self.search
        if not needle.strip():
            self.search = None
            self._go_back()
        elif before is None or before.needle != needle:
            self.search = TextSearch(needle, self.text_of, runs_on=self.runs_on)
            self.search.look_at(self.texts(), before)
            self._find_first()
        self.refresh()
        self._count()
        self.post_message(self.SearchChanged())

    def _find_first(self) -> None:
        """The place nearest to where the search began, below it if there is one."""
        assert self.search is not None
        self._go_back()
        if not self.search.total or not self.count():
            return
        number, offset = self.place_of(min(self.top, self.count() - 1))
        hit = self.search.next(number, offset - 1, 1)
        if hit is not None and (hit.number, hit.start) < (number, offset):
            hit = self.search.next(number, offset, -1)
        if hit is not None:
            self._go_to(hit)

    def _go_back(self) -> None:
        """Show what was shown before the user began to type."""
        if self._origin is not None:
            top, tail = self._origin
            self.set_top(top)
            if tail:
                self.action_end()

    def searched_again(self) -> None:
        """The texts were replaced: search all of them."""
        if self.search is not None:
            here, needle = self.search.here, self.search.needle
            self.search = TextSearch(needle, self.text_of, runs_on=self.runs_on)
            self.search.look_at(self.texts())
            if here is not None and here in self.search.hits(here.number):
                self.search.here = here
            self._count()

    def searched_on(self) -> None:
        """Texts came, or fell out: search those that are new."""
        if self.search is not None:
            self.search.look_at(self.texts())
            self._count()

    def _count(self) -> None:
        if self._bar is not None:
            self._bar.show(self.search)

    def _reference(self) -> tuple[int, int]:
        """The place from which the next one is sought."""
        here = self.search.here if self.search is not None else None
        if here is not None and self.top <= self.row_of(here.number, here.start) < self._bottom:
            return here.number, here.start
        number, offset = self.place_of(min(self.top, max(0, self.count() - 1)))
        return number, offset - 1

    @property
    def _bottom(self) -> int:
        return self.top + self.rows

    def action_hit(self, step: int) -> None:
        if self.search is None:
            note = f"Nothing is searched: {key_for(self, 'search')} to search"
            self.notify(note, timeout=2, markup=False)
            return
        hit = self.search.next(*self._reference(), step) if self.count() else None
        if hit is None:
            note = f"{clean(self.search.needle)} does not occur"
            self.notify(note, timeout=2, markup=False)
        else:
            self._go_to(hit)
            self.refresh()
            self._count()

    def _go_to(self, hit: Hit) -> None:
        assert self.search is not None
        self.search.here = hit
        row = self.row_of(hit.number, hit.start)
        if not self.top <= row < self._bottom:
            self.set_top(row - int(self.rows * _ABOVE))
        self.rest()

    def rest(self) -> None:
        """Stay here, whatever comes at the end."""
        if self.tail:
            self.tail = False
            self.post_message(self.TailChanged())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # So that the key does elsewhere what it does without a search.
        if action == "end_search":
            return self.foot > 0
        return super().check_action(action, parameters)

    def action_end_search(self) -> None:
        """Mark nothing any more; back to where it began, if it was not kept."""
        self.search, self.foot = None, 0
        if self._bar is not None:
            self._bar.field.value = ""
            self._bar.display = False
        self.focus()
        self._go_back()
        self._origin = None
        self.changed()
        self.post_message(self.SearchChanged())

    def search_labels(self) -> dict[str, str | None]:
        """Labels of keys that depend on the search."""
        if self.search is not None and self.search.total:
            return {}
        return {"search_next": None, "search_previous": None}


def _ink(search: TextSearch, hit: Hit) -> str:
    return "hit-here" if search.here is not None and hit[:2] == search.here[:2] else "hit"


def _inked(pieces: Iterable[Piece], start: int, marks: Sequence[Mark]) -> Iterator[Piece]:
    """The pieces, of which the first begins at `start`, with the marked parts in their inks."""
    for text, name in pieces:
        at, end = start, start + len(text)
        for first, last, ink in marks:
            left, right = max(first, at), min(last, end)
            if left < right:
                if at < left:
                    yield text[at - start : left - start], name
                yield text[left - start : right - start], ink
                at = right
        if at < end:
            yield text[at - start :], name
        start = end
