"""The transcript of one file, live or stored."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import chop_cells
from textual.strip import Strip

from fwtui.core.segment import Segment
from fwtui.tui.formatting import clean, fit_right, timestamp, width, wrap
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.model import LiveTranscript
from fwtui.tui.widgets.paint import Piece
from fwtui.tui.widgets.searchable import SearchableView

SURE = 0.8
UNSURE = 0.5


def confidence_ink(probability: float) -> str:
    """The ink for a probability between 0 and 1."""
    if probability >= SURE:
        return "plain"
    return "unsure" if probability >= UNSURE else "doubtful"


def plain_lines(segment: Segment, cells: int) -> list[list[Piece]]:
    """The text in lines, in one ink."""
    return [[(line, "plain")] for line in wrap(clean(segment.text), cells) or [""]]


def confident_lines(segment: Segment, cells: int) -> list[list[Piece]]:
    """The text in lines; each word in the ink of its probability, else of the segment's."""
    return _wrapped(_words(segment), cells) or [[("", "plain")]]


def has_words(segment: Segment) -> bool:
    """Whether it has words with probabilities."""
    return bool(segment.words)


def _words(segment: Segment) -> Iterator[Piece]:
    if segment.words:
        for word in segment.words:
            yield clean(word.word), confidence_ink(word.probability)
        return
    # A transcript loaded from a format without probabilities has 0: unknown.
    ink = confidence_ink(math.exp(segment.avg_logprob)) if segment.avg_logprob else "plain"
    for text in clean(segment.text).split():
        yield f" {text}", ink


def _wrapped(words: Iterable[Piece], cells: int) -> list[list[Piece]]:
    lines: list[list[Piece]] = []
    line: list[Piece] = []
    used = 0
    for word, ink in words:
        text = word if line else word.lstrip()
        if line and used + width(text) > cells:
            lines.append(line)
            line, used, text = [], 0, word.lstrip()
        if width(text) > cells:
            *full, text = chop_cells(text, cells)
            lines.extend([(part, ink)] for part in full)
        if line and line[-1][1] == ink:
            line[-1] = (line[-1][0] + text, ink)
        elif text:
            line.append((text, ink))
        used += width(text)
    return [*lines, line] if line else lines


class TranscriptView(SearchableView):
    """Segments of a `LiveTranscript`, wrapped, each with its start time.

    With `confidence` the ink of words shows how sure the model was.
    """

    runs_on = True

    def __init__(
        self,
        glyphs: Glyphs,
        *,
        id: str | None = None,  # noqa: A002
        confidence: bool = False,
    ) -> None:
        super().__init__(glyphs, id=id, tail=True)
        self._broken = confident_lines if confidence else plain_lines
        self.transcript = LiveTranscript()
        self.note = ""
        self._lines: list[tuple[str, list[Piece]]] = []
        self._places: list[tuple[int, int]] = []  # segment of each line, and where in it it begins
        self._wrapped = 0
        self._layout = (0, 0, 0)
        self._searched = 0  # the generation

    def show(self, transcript: LiveTranscript, *, follow: bool) -> None:
        """Show another file: the end if it is running, else the beginning.

        Nothing is redrawn between files without text.
        """
        before = self._lines, self.top
        if transcript is not self.transcript:
            self._searched = -1
        self.transcript = transcript
        self.tail = follow
        self._forget()
        self._wrap()
        self.top = self.last_top if follow else 0
        if (self._lines, self.top) != before:
            self.changed()

    def update(self) -> None:
        """Wrap what is new and draw."""
        if self._wrap():
            self.changed()

    def _wrap(self) -> bool:
        """Whether there is something new."""
        top: tuple[int, int] | None = None
        if self._layout != (self.transcript.generation, self.size.width, self._stamp_cells):
            if self._layout[0] == self.transcript.generation and self.top < len(self._places):
                top = self._places[self.top]
            self._forget()
        new = self.transcript.segments[self._wrapped :]
        if not new and self._lines:
            return False
        if new and not self._wrapped:
            self._lines = []
        cells = max(8, self.size.width - 1 - self._stamp_cells - 3)
        for number, segment in enumerate(new, self._wrapped):
            lines = self._broken(segment, cells)
            first, *rest = lines
            self._lines += [(_stamp(segment), first), *(("", line) for line in rest)]
            self._places += [(number, at) for at in _beginnings(self.text_of(number), lines)]
        if not self.transcript.segments:
            note = wrap(self.note, max(8, self.size.width - 2))
            self._lines = [("", [(line, "dim")]) for line in note]
        self._wrapped = len(self.transcript.segments)
        if top is not None:
            self.top = self.row_of(*top)
        if self._searched != self.transcript.generation:
            self._searched = self.transcript.generation
            self.searched_again()
        else:
            self.searched_on()
        return True

    def texts(self) -> range:
        return range(self._wrapped)

    def text_of(self, number: int) -> str:
        return " ".join(clean(self.transcript.segments[number].text).split())

    def place_of(self, row: int) -> tuple[int, int]:
        return self._places[row] if row < len(self._places) else (0, 0)

    def row_of(self, number: int, offset: int) -> int:
        return max(0, bisect_right(self._places, (number, offset)) - 1)

    def set_note(self, note: str) -> None:
        """Set the text to show while there are no segments."""
        if note != self.note:
            self.note = note
            self._forget()
            self.update()

    def _forget(self) -> None:
        self._lines = []
        self._places = []
        self._wrapped = 0
        self._layout = (self.transcript.generation, self.size.width, self._stamp_cells)

    @property
    def _stamp_cells(self) -> int:
        segments = self.transcript.segments
        return 10 if segments and segments[-1].start >= 3600 else 8

    def count(self) -> int:
        """The number of wrapped lines, of the transcript or of the note."""
        return len(self._lines)

    def line(self, index: int, cells: int) -> Strip:
        stamp, pieces = self._lines[index]
        if not self.transcript.segments:
            return self.strip([(" ", "dim"), *pieces], cells)
        pieces = self.marked(pieces, *self._places[index])
        return self.strip([(fit_right(stamp, self._stamp_cells) + "  ", "dim"), *pieces], cells)

    def fit(self) -> None:
        self._wrap()
        super().fit()

    def text(self) -> str:
        """The whole transcript, for the clipboard."""
        return "\n".join(clean(segment.text).strip() for segment in self.transcript.segments)


def _beginnings(text: str, lines: Sequence[Sequence[Piece]]) -> Iterator[int]:
    """Where in the text of a segment each of its lines begins."""
    at = 0
    for line in lines:
        shown = "".join(part for part, _ in line).strip()
        found = text.find(shown, at)
        at = found if found >= 0 else at
        yield at
        at += len(shown)


def _stamp(segment: Segment) -> str:
    """The start; a transcript loaded from plain text has none."""
    return timestamp(segment.start) if math.isfinite(segment.start) else ""
