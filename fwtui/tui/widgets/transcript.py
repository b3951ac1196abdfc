"""The words of one file, as they come in or as they were found."""

from textual.strip import Strip

from fwtui.core.segment import Segment
from fwtui.tui import format as fmt
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.model import Feed
from fwtui.tui.text import clean, fit_right, wrap
from fwtui.tui.widgets.lines import LineView


class TranscriptView(LineView):
    """Segments of a `Feed`, wrapped, each with its start time."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id, tail=True)
        self.feed = Feed()
        self.note = ""
        self._lines: list[tuple[str, str]] = []
        self._wrapped = 0
        self._generation = 0
        self._wrapped_cells = 0

    def show(self, feed: Feed, *, follow: bool) -> None:
        """Show another file: its end when it is still being worked on, else its beginning."""
        self.feed = feed
        self.tail = follow
        self.top = 0
        self._forget()
        self.update()

    def update(self) -> None:
        """Wrap what is new and draw."""
        if self._generation != self.feed.generation or self._wrapped_cells != self.size.width:
            self._forget()
        new = self.feed.segments[self._wrapped :]
        if not new and self._wrapped:
            return
        cells = max(8, self.size.width - 1 - self._stamp_cells - 3)
        for segment in new:
            self._lines.extend(_wrapped(segment, cells))
        self._wrapped = len(self.feed.segments)
        self.changed()

    def set_note(self, note: str) -> None:
        """What to say while there are no words."""
        if note != self.note:
            self.note = note
            self.refresh()

    def _forget(self) -> None:
        self._lines = []
        self._wrapped = 0
        self._generation = self.feed.generation
        self._wrapped_cells = self.size.width

    @property
    def _stamp_cells(self) -> int:
        return 7 if self.size.width < 60 else 9

    def count(self) -> int:
        """Wrapped lines, or the note."""
        return len(self._lines) or 1

    def line(self, index: int, cells: int) -> Strip:
        """Time and text."""
        if not self._lines:
            return self.strip([(" " + self.note, "dim")], cells)
        stamp, text = self._lines[index]
        pieces = [(fit_right(stamp, self._stamp_cells), "dim"), ("  " + text, "plain")]
        return self.strip(pieces, cells)

    def on_resize(self) -> None:
        """Wrap again for the new width."""
        self._forget()
        self.update()
        self.changed()

    def text(self) -> str:
        """All words, for the clipboard."""
        return "\n".join(clean(segment.text).strip() for segment in self.feed.segments)


def _wrapped(segment: Segment, cells: int) -> list[tuple[str, str]]:
    first, *rest = wrap(clean(segment.text), cells) or [""]
    return [(fmt.stamp(segment.start), first), *(("", line) for line in rest)]
