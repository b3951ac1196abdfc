"""Widgets that draw themselves line by line in named inks; bars; strips of an exact width."""

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from fwtui.core.view import Shares
from fwtui.tui.error_boundary import ErrorBoundary, error_handler
from fwtui.tui.formatting import fit, width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.theme import INKS, TEXT_INKS, Ink, readable

Piece = tuple[str, str]
"""Clean text and the name of its ink."""


class InkWidget(ErrorBoundary, Widget):
    """A widget that draws itself in the named inks of `theme`.

    It stays blank when it cannot be drawn, and reports that once.

    Component classes would do the same, but Textual works out the style of each in each widget
    whenever any class changes: a third of the time to the first frame.
    """

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.glyphs = glyphs
        self._inks: dict[tuple[str, str], Style] = {}
        self._room = Size(0, 0)
        self._undrawable = False

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the widget, fitted into its size.

        The message about a new size comes after the frame, which would show what fitted before.
        """
        try:
            self._adapt()
            return super().render_lines(crop)
        except Exception as error:
            if not self._undrawable and not error_handler(self).handle_drawing_error(error):
                raise
            self._undrawable = True
            return [Strip.blank(crop.width)] * crop.height

    def _adapt(self) -> None:
        if self._room != self.size:
            self._room = self.size
            self.fit()

    def fit(self) -> None:
        """Adapt to another size."""

    def notify_style_update(self) -> None:
        """Forget the styles: theme or focus changed."""
        self._inks.clear()
        super().notify_style_update()

    def ink(self, name: str, over: str = "") -> Style:
        """The style of an ink, with the background of another when `over` is given."""
        style = self._inks.get((name, over))
        if style is None:
            style = self.rich_style + self._mixed(INKS[name])
            if over:
                style = self._on_ground(name, INKS[over])
            self._inks[name, over] = style
        return style

    def _on_ground(self, name: str, over: Ink) -> Style:
        """An ink in a line that has a ground of its own, on which it can be read."""
        ink, colors = INKS[name], self.app.theme_variables
        if self.app.no_color:  # several inks would make several grounds
            bold, reverse = ink.bold or over.bold or None, not ink.reverse
            return self.rich_style + Style(
                reverse=reverse, bold=bold, underline=ink.underline or None
            )
        style = self.rich_style + self._mixed(ink) + self._mixed(over)
        if ink.color not in TEXT_INKS:
            return style
        color, ground = Color.parse(colors[ink.color]), Color.parse(colors[over.ground])
        shown = readable(color, [ground], self.app.console.color_system)
        return style + Style(color=shown.rich_color)

    def _mixed(self, ink: Ink) -> Style:
        colors = self.app.theme_variables
        return Style(
            color=Color.parse(colors[ink.color]).rich_color if ink.color else None,
            bgcolor=Color.parse(colors[ink.ground]).rich_color if ink.ground else None,
            bold=ink.bold or None,
            underline=ink.underline or None,
            reverse=ink.reverse or None,
        )

    def strip(self, pieces: Iterable[Piece], cells: int, over: str = "") -> Strip:
        """Pieces as one line of exactly `cells`."""
        segments: list[Segment] = []
        used = 0
        for text, name in pieces:
            segments.append(Segment(text, self.ink(name, over)))
            used += width(text)
        if used < cells:
            segments.append(Segment(" " * (cells - used), self.ink("plain", over)))
        line = Strip(segments, max(used, cells))
        return line.crop(0, cells) if used > cells else line

    def ends(self, left: Sequence[Piece], right: Sequence[Piece], cells: int) -> Strip:
        """Left pieces at the left, right pieces at the right; the left ones give way."""
        taken = sum(width(text) for text, _ in right)
        room = max(0, cells - taken)
        pieces = clip(left, room, self.glyphs.ellipsis)
        gap = room - sum(width(text) for text, _ in pieces)
        return self.strip([*pieces, (" " * gap, "plain"), *right], cells)


class LinesPanel(InkWidget):
    """A few lines that are drawn as a whole; only cells that changed are painted again."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id)
        self._drawn: list[Strip] = []

    def draw(self) -> list[Strip]:
        """All lines, as wide as the widget."""
        raise NotImplementedError

    def update(self) -> None:
        """Paint what changed."""
        before, self._drawn = self._drawn, self.draw()
        if len(before) != len(self._drawn):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._drawn, strict=True)):
            for start, end in changed_cells(old, new):
                self.refresh(Region(start, y, end - start, 1))

    def notify_style_update(self) -> None:
        """Draw everything again: the colours changed."""
        super().notify_style_update()
        self._drawn = []

    def fit(self) -> None:
        """Draw everything again: the width changed."""
        self._drawn = []

    def render_line(self, y: int) -> Strip:
        """One of the lines, or nothing below them."""
        self._drawn = self._drawn or self.draw()
        return self._drawn[y] if y < len(self._drawn) else self.strip((), self.size.width)


# Moving the cursor costs about as many bytes as painting so many cells again.
NEAR = 16


def changed_cells(before: Strip, after: Strip) -> list[tuple[int, int]]:
    """Runs of cells (from, to) in which two strips differ; near ones are joined."""
    if before == after:
        return []
    if before.cell_length != after.cell_length:
        return [(0, after.cell_length)]
    same, one_rest, other_rest = _after_what_is_same(before, after)
    runs: list[tuple[int, int]] = []
    cells = zip(_cells(one_rest), _cells(other_rest), strict=True)
    for cell, (one, other) in enumerate(cells, same):
        if one == other:
            continue
        start = runs.pop()[0] if runs and cell - runs[-1][1] < NEAR else cell
        runs.append((start, cell + 1))
    return runs


def _after_what_is_same(before: Strip, after: Strip) -> tuple[int, list[Segment], list[Segment]]:
    """How many cells at the left are the same, and what comes behind them.

    Of the segments that are the same the last one is left: a sign may combine with it.
    """
    one, other = list(before), list(after)
    count = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    count = max(0, count - 1)
    return sum(segment.cell_length for segment in one[:count]), one[count:], other[count:]


def _cells(strip: Iterable[Segment]) -> list[tuple[str, Style | None]]:
    """What is in each cell; both cells of a wide character have all of it."""
    cells: list[tuple[str, Style | None]] = []
    for text, style, _ in strip:
        for sign in text:
            size = width(sign)
            if size:
                cells += [(sign, style)] * size
            elif cells:  # it combines with the one before
                cells[-1] = (cells[-1][0] + sign, cells[-1][1])
    return cells


def clip(pieces: Iterable[Piece], cells: int, ellipsis: str) -> list[Piece]:
    """Pieces cut off after `cells`."""
    kept: list[Piece] = []
    for text, name in pieces:
        size = width(text)
        if size > cells:
            if cells > 0:
                kept.append((fit(text, cells, ellipsis), name))
            break
        kept.append((text, name))
        cells -= size
    return kept


def cut(pieces: Iterable[Piece], start: int, end: int | None = None) -> list[Piece]:
    """The pieces of the text from `start` to `end`, in letters."""
    kept: list[Piece] = []
    at = 0
    for text, name in pieces:
        part = text[max(0, start - at) : None if end is None else max(0, end - at)]
        if part:
            kept.append((part, name))
        at += len(text)
    return kept


def parts_bar(shares: Shares, cells: int, glyphs: Glyphs) -> list[Piece]:
    """The parts of a batch in their colours: all that has ended, then what has begun.

    Whatever there is has a cell, so that the bar is never full or green when the batch is not.
    """
    check, skipped, cancelled, failed = list(glyphs.bar_parts)
    parts = (
        (shares.done, glyphs.bar_full, "good"),
        (shares.to_check, check, "warn"),
        (shares.skipped, skipped, "dim"),
        (shares.cancelled, cancelled, "warn"),
        (shares.failed, failed, "bad"),
        (shares.begun, glyphs.bar_full, "primary"),
        (shares.left, glyphs.bar_empty, "faint"),
    )
    counts = apportion([share for share, _, _ in parts], cells)
    if not any(counts):
        return [(glyphs.bar_empty * max(0, cells), "faint")]
    return [
        (sign * count, ink) for (_, sign, ink), count in zip(parts, counts, strict=True) if count
    ]


def apportion(shares: Sequence[float], cells: int) -> list[int]:
    """Cells for each share, at least one for one above 0; all cells, if there is a share.

    With fewer cells than shares the smallest get none.
    """
    counts = [max(1, int(share * cells)) if share > 0 and cells > 0 else 0 for share in shares]
    if not any(counts):
        return counts
    while (over := sum(counts) - cells) != 0:
        if over > 0:
            most = max(counts)
            if most > 1:
                at = counts.index(most)
            else:
                at = min((n for n, count in enumerate(counts) if count), key=shares.__getitem__)
            counts[at] -= min(over, most - 1) or 1
            continue
        lacking = [share * cells - count for share, count in zip(shares, counts, strict=True)]
        at = max((n for n, share in enumerate(shares) if share > 0), key=lacking.__getitem__)
        counts[at] += 1
    return counts


Mark = tuple[float, str, str]
"""A place on a bar (0 to 1), the sign there, and its ink."""


def bar(
    share: float,
    cells: int,
    glyphs: Glyphs,
    ink: str = "primary",
    marks: Sequence[Mark] = (),
) -> list[Piece]:
    """A bar in half cells; something begun shows at least a half. `marks` are drawn over it."""
    if cells <= 0:
        return []
    halves = min(cells * 2, int(share * cells * 2))
    if share > 0:
        halves = max(1, halves)
    full, half = divmod(halves, 2)
    rest = cells - full - half
    pieces = [
        (glyphs.bar_full * full + glyphs.bar_half * half, ink),
        (glyphs.bar_empty * rest, "faint"),
    ]
    for place, sign, mark_ink in marks:
        if 0 <= place <= 1:
            pieces = _over(pieces, min(cells - 1, int(place * cells)), sign, mark_ink)
    return pieces


def _over(pieces: list[Piece], cell: int, sign: str, ink: str) -> list[Piece]:
    """Pieces of single cells with a sign in the place of one."""
    drawn: list[Piece] = []
    for text, name in pieces:
        if 0 <= cell < len(text):
            drawn += [(text[:cell], name), (sign, ink), (text[cell + 1 :], name)]
        else:
            drawn.append((text, name))
        cell -= len(text)
    return drawn
