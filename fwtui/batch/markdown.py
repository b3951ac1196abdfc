"""The report as Markdown (GitHub's tables)."""

import re
from collections.abc import Iterable, Iterator, Sequence

from fwtui.report.report import (
    HEADINGS,
    RIGHT,
    BatchReport,
    changed_settings,
    common_folder,
    remarks,
    row,
    summary,
)

# What could be read as Markdown or HTML, wherever in a line it stands.
_MARKS = re.compile(r"[\\`*_{}\[\]<>#|~&!]")
MOST_SLOW = 5


def to_markdown(report: BatchReport) -> str:
    """The report, ending in a line break; names and texts are escaped."""
    folder = common_folder(report.jobs)
    blocks = ["# fwtui batch report", _table(("", ""), summary(report, folder))]
    slow = [row(job, folder) for job, _, _ in report.slowest(MOST_SLOW)]
    if len(slow) > 1:
        blocks += ["## Slowest files", _table(HEADINGS, slow, RIGHT)]
    for title, found in remarks(report).items():
        if found:
            blocks += [f"## {title}", "\n".join(_items(found))]
    if report.jobs:
        rows = [row(job, folder) for job in report.jobs]
        blocks += ["## Files", _table(HEADINGS, rows, RIGHT)]
    if changed := changed_settings(report.settings):
        blocks += [
            "## Settings that differ from the defaults",
            _table(("Setting", "Value"), changed),
        ]
    return "\n\n".join(blocks) + "\n"


def _items(found: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    for path, lines in found:
        yield f"- **{_escaped(path)}**"
        yield from (f"  - {_escaped(line)}" for line in lines)


def _table(
    heading: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool] = ()
) -> str:
    edges = ["---:" if at < len(right) and right[at] else "---" for at in range(len(heading))]
    cells = [heading, edges, *([_escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\g<0>", text)
