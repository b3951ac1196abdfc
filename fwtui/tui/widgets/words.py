"""A segment's words in inks that say how sure the model was, broken into lines. Pure."""

import math
from collections.abc import Iterable, Iterator

from rich.cells import chop_cells

from fwtui.core.segment import Segment
from fwtui.tui.text import clean, width, wrap
from fwtui.tui.widgets.paint import Piece

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
    """The text in lines; each word by its own probability, else all by the segment's."""
    return _wrapped(_words(segment), cells) or [[("", "plain")]]


def has_words(segment: Segment) -> bool:
    """Whether single words have probabilities."""
    return bool(segment.words)


def _words(segment: Segment) -> Iterator[Piece]:
    if segment.words:
        for word in segment.words:
            yield clean(word.word), confidence_ink(word.probability)
        return
    # What was read back from a format without probabilities has 0: not known, not certain.
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
