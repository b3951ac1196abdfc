"""Labels beside their values, in two columns."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from textual.content import Content

from fwtui.tui.formatting import width, wrap

StyledText = tuple[str, str]
"""Clean text and its style."""


class FieldRow(NamedTuple):
    """A label and its value: text in `style`, or parts with a style each."""

    label: str
    value: str | Sequence[StyledText]
    style: str = ""


def label_width(rows: Iterable[FieldRow]) -> int:
    """Cells of a column that holds all labels."""
    return max((width(row.label) for row in rows), default=0) + 2


def fields(rows: Iterable[FieldRow], *, labels: int = 0, cells: int = 0) -> Content:
    """The rows, one below the other, without a line break at the end.

    `labels`: cells of the first column (0: as many as the labels need). `cells`: the width in
    which the values are wrapped (0: they are not).
    """
    rows = list(rows)
    labels = labels or label_width(rows)
    return Content("\n").join(_row(row, labels, cells) for row in rows)


def _row(row: FieldRow, labels: int, cells: int) -> Content:
    label = (f"{row.label:<{labels}}", "$ink-dim")
    if not isinstance(row.value, str):
        return Content.assemble(label, *row.value)
    lines = (wrap(row.value, max(8, cells - labels)) or [""]) if cells else [row.value]
    return Content.assemble(label, (("\n" + " " * labels).join(lines), row.style))
