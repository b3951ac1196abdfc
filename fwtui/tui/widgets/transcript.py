"""The transcript of one file, live or stored."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import chop_cells
from textual.strip import Strip

from fwtui.core.attribution import by_speaker
from fwtui.core.segment import Segment
from fwtui.core.speakers import labelled
from fwtui.tui.formatting import clean, fit_right, timestamp, width, wrap
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.model import LiveTranscript
from fwtui.tui.theme import SPEAKER_INKS
from fwtui.tui.widgets.paint import Piece
from fwtui.tui.widgets.searchable import SearchableView

SURE = 0.8
UNSURE = 0.5


def confidence_ink(probability: float) -> str:
    """The ink for a probability between 0 and 1."""
    if probability >= SURE:
        return "plain"
    return "unsure" if probability >= UNSURE else "doubtful"


def plain_lines(segment: Segment, cells: int, label: Piece | None = None) -> list[list[Piece]]:
    """The text in lines, in one ink, after the label of its speaker."""
    text = clean(segment.text)
    if label is None:
        return [[(line, "plain")] for line in wrap(text, cells) or [""]]
    words = text.split()
    return _wrapped(
        [label, *((f" {word}" if at else word, "plain") for at, word in enumerate(words))], cells
    )


def confident_lines(segment: Segment, cells: int, label: Piece | None = None) -> list[list[Piece]]:
    """The text in lines; each word in the ink of its probability, else of the segment's."""
    words = _words(segment)
    if label is None:
        return _wrapped(words, cells) or [[("", "plain")]]
    rest = list(words)
    if rest:
        rest[0] = (rest[0][0].lstrip(), rest[0][1])
    return _wrapped([label, *rest], cells)


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


class _Line(NamedTuple):
    """A line as it is drawn: the time, the label of a speaker who begins, and the text."""

    stamp: Piece
    label: Sequence[Piece]
    pieces: list[Piece]


class TranscriptView(SearchableView):
    """Segments of a `LiveTranscript`, wrapped, each with its start time.

    With `confidence` the ink of words shows how sure the model was. Where the speaker changes, a
    line begins with the speaker's name; the times have his or her colour.
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
        self._lines: list[_Line] = []
        self._speaker: str | None = None  # of the last line
        self._inks_of: dict[str, str] = {}
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
            lines = list(self._lines_of(segment, cells))
            shown = [line.pieces for line in lines]
            self._lines += lines
            self._places += [(number, at) for at in _beginnings(self.text_of(number), shown)]
        if not self.transcript.segments:
            note = wrap(self.note, max(8, self.size.width - 2))
            self._lines = [_Line(("", "dim"), (), [(line, "dim")]) for line in note]
        self._wrapped = len(self.transcript.segments)
        if top is not None:
            self.top = self.row_of(*top)
        if self._searched != self.transcript.generation:
            self._searched = self.transcript.generation
            self.searched_again()
        else:
            self.searched_on()
        return True

    def _lines_of(self, segment: Segment, cells: int) -> Iterator["_Line"]:
        for piece in by_speaker([segment]):
            ink = self._speaker_ink(piece.speaker)
            label = self._label(piece.speaker, ink)
            first, *rest = self._broken(piece, cells, label)
            head = first[:1] if label is not None and first[:1] == [label] else []
            yield _Line((_stamp(piece), ink), head, first[len(head) :])
            yield from (_Line(("", ink), (), line) for line in rest)

    def _speaker_ink(self, speaker: str | None) -> str:
        """The colour of a speaker: they come in turn, by first appearance."""
        if speaker is None:
            return "dim"
        colors = self._inks_of
        return colors.setdefault(speaker, SPEAKER_INKS[len(colors) % len(SPEAKER_INKS)])

    def _label(self, speaker: str | None, ink: str) -> Piece | None:
        """What a line begins with if another speaker has the word."""
        before, self._speaker = self._speaker, speaker
        if speaker == before:
            return None
        return (f"{clean(speaker)}: " if speaker is not None else f"{self.glyphs.dot} ", ink)

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
        self._speaker, self._inks_of = None, {}
        self._layout = (self.transcript.generation, self.size.width, self._stamp_cells)

    @property
    def _stamp_cells(self) -> int:
        segments = self.transcript.segments
        return 10 if segments and segments[-1].start >= 3600 else 8

    def count(self) -> int:
        """The number of wrapped lines, of the transcript or of the note."""
        return len(self._lines)

    def line(self, index: int, cells: int) -> Strip:
        (stamp, ink), label, pieces = self._lines[index]
        if not self.transcript.segments:
            return self.strip([(" ", "dim"), *pieces], cells)
        pieces = self.marked(pieces, *self._places[index])
        begin = (fit_right(stamp, self._stamp_cells) + "  ", ink)
        return self.strip([begin, *label, *pieces], cells)

    def fit(self) -> None:
        self._wrap()
        super().fit()

    def text(self) -> str:
        """The whole transcript, for the clipboard."""
        return "\n".join(
            labelled(piece.speaker and clean(piece.speaker), clean(piece.text).strip())
            for piece in by_speaker(self.transcript.segments)
        )


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
