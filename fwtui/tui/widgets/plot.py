"""A curve over time in characters, as the area below it. Pure."""

from collections.abc import Sequence

from fwtui.tui.glyphs import Glyphs


def area(values: Sequence[float], cells: int, rows: int, top: float, glyphs: Glyphs) -> list[str]:
    """`values` from 0 to `top`, stretched over `cells` x `rows`; the top line first."""
    if cells <= 0 or rows <= 0 or not values:
        return []
    steps = len(glyphs.levels) - 1
    scale = rows * steps / (top or 1.0)
    heights = [
        max(1, min(rows * steps, round(_at(values, column, cells) * scale)))
        for column in range(cells)
    ]
    return [
        "".join(glyphs.levels[max(0, min(steps, height - row * steps))] for height in heights)
        for row in range(rows - 1, -1, -1)
    ]


def _at(values: Sequence[float], column: int, columns: int) -> float:
    """The most in a column's share of the values: a peak is never left out."""
    start = column * len(values) // columns
    end = (column + 1) * len(values) // columns
    return max(values[start : max(end, start + 1)])
