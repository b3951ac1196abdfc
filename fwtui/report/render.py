"""The report as a text to keep beside the transcripts."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from fwtui.core.text import cells
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

_GAP = "  "


def render_report(report: BatchReport) -> str:
    """The report as aligned plain text, ending in a line break."""
    folder = common_folder(report.jobs)
    sections = [
        _section("fwtui batch report", _pairs(summary(report, folder)), underline="="),
        _section("Files", _files(report, folder)),
        *(_section(title, _about(found)) for title, found in remarks(report).items()),
        _section(
            "Settings that differ from the defaults", _pairs(changed_settings(report.settings))
        ),
    ]
    return "\n".join(section for section in sections if section)


def _section(title: str, lines: Iterable[str], underline: str = "-") -> str:
    """A headed block of lines; empty if there are none."""
    body = "".join(f"{line}\n" for line in lines)
    return f"{title}\n{underline * len(title)}\n{body}" if body else ""


def _files(report: BatchReport, folder: Path | None) -> Iterator[str]:
    if not report.jobs:
        return
    rows = [HEADINGS, *(row(job, folder) for job in report.jobs)]
    widths = [max(cells(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for line in rows:
        columns = [
            _padded(text, width, right=right)
            for text, width, right in zip(line[:-1], widths, RIGHT, strict=False)
        ]
        yield _GAP.join([*columns, line[-1]])


def _about(found: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    for path, lines in found:
        yield path
        yield from (f"{_GAP}{line}" for line in lines)


def _pairs(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max((len(title) for title, _ in rows), default=0)
    return (f"{title:<{width}}{_GAP}{text}" for title, text in rows)


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - cells(text))
    return space + text if right else text + space
