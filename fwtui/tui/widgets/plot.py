"""A curve over time in characters: braille dots where the terminal has them. Pure."""

from collections.abc import Sequence

from fwtui.tui.glyphs import Glyphs

# Dots of a braille cell, by column, from the bottom up.
_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
_BRAILLE = 0x2800


def area(
    values: Sequence[float], cells: int, rows: int, floor: float, top: float, glyphs: Glyphs
) -> list[str]:
    """The area below `values`, stretched over `cells` x `rows`; the top line first."""
    if cells <= 0 or rows <= 0 or not values:
        return []
    across, up = (1, len(glyphs.levels) - 1) if glyphs.ascii else (2, 4)
    scale = rows * up / ((top - floor) or 1.0)
    spread = [_at(values, column, cells * across) for column in range(cells * across)]
    heights = [max(1, min(rows * up, round((value - floor) * scale))) for value in spread]
    lines = []
    for row in range(rows - 1, -1, -1):
        inside = [max(0, min(up, height - row * up)) for height in heights]
        if glyphs.ascii:
            lines.append("".join(glyphs.levels[level] for level in inside))
        else:
            lines.append("".join(map(_cell, inside[::2], inside[1::2])))
    return lines


def _at(values: Sequence[float], column: int, columns: int) -> float:
    """The most in a column's share of the values: a peak is never left out."""
    start = column * len(values) // columns
    end = (column + 1) * len(values) // columns
    return max(values[start : max(end, start + 1)])


def _cell(left: int, right: int) -> str:
    return chr(_BRAILLE + sum(_DOTS[0][:left]) + sum(_DOTS[1][:right]))
