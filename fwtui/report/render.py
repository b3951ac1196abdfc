"""Renders a report as text, and exports reports and sessions as Markdown, CSV, JSON or TOML."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from fwtui.core.events import MemoryPoint
from fwtui.core.paths import path_to_text
from fwtui.core.session import Session
from fwtui.core.settings import Settings
from fwtui.core.text import cells
from fwtui.disk.codec import clean
from fwtui.disk.files import write_output
from fwtui.errors import UsageError
from fwtui.report.report import (
    HEADINGS,
    RIGHT,
    BatchReport,
    FileRecord,
    changed_settings,
    common_folder,
    file_record,
    remarks,
    row,
    summary,
    to_csv,
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


# Characters that Markdown or HTML could interpret anywhere in a line.
_MARKS = re.compile(r"[\\`*_{}\[\]<>#|~&!]")
MAX_SLOW = 5


def to_markdown(report: BatchReport) -> str:
    """The report as Markdown, ending in a line break; names and texts are escaped."""
    folder = common_folder(report.jobs)
    blocks = ["# fwtui batch report", _table(("", ""), summary(report, folder))]
    slow = [row(job, folder) for job, _, _ in report.slowest(MAX_SLOW)]
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


class SessionExport(msgspec.Struct, frozen=True, kw_only=True):
    """A stored session; `log`: the lines of its log files, if requested."""

    session_id: str
    created_at: datetime
    counts: dict[str, int]
    settings: Settings
    files: tuple[FileRecord, ...]
    log: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class ReportExport(msgspec.Struct, frozen=True, kw_only=True):
    """A batch at its end. `memory`: the memory use of our processes over time.

    `share` is the progress of the batch, 0 to 1.
    """

    session_id: str
    started: datetime
    finished: datetime
    counts: dict[str, int]
    audio_seconds: float
    work_seconds: float
    speed: float | None
    peak_rss: float
    settings: Settings
    memory: tuple[MemoryPoint, ...]
    files: tuple[FileRecord, ...]
    share: float = 0.0


def export_session(session: Session, form: str, log: Sequence[str] | None = None) -> bytes:
    """The session in one of `SESSION_FORMATS`. Raises KeyError for another format.

    `log`: the lines of its log, for all formats but CSV.
    """
    if form == "csv":
        return to_csv(file_record(job) for job in session.jobs).encode()
    export = _session_export(session)
    if log is not None:
        export = msgspec.structs.replace(export, log=tuple(log))
    return _SESSION_FORMATS[form](export).encode()


def export_report(report: BatchReport, form: str) -> bytes:
    """The report in one of `REPORT_FORMATS`. Raises KeyError for another format."""
    return _REPORT_FORMATS[form](report).encode()


def write_export(path: Path, data: bytes, recordings: Iterable[Path] = ()) -> None:
    """Write an export to a file, atomically, but over none of these. Raises FwtuiError."""
    refuse_recording(path, recordings)
    write_output(path, data, owner=path_to_text(path))


def refuse_recording(path: Path, recordings: Iterable[Path]) -> None:
    """Raise UsageError if the file is one of these, by whatever name. Blocks on the disk."""
    with suppress(OSError, ValueError):
        path.stat()  # what is not there is no recording
        for recording in recordings:
            if _is_same(path, recording):
                raise UsageError(f"{path} is a recording of the session", "export to another file")


def _is_same(path: Path, recording: Path) -> bool:
    try:
        return path.samefile(recording)
    except (OSError, ValueError):
        return False


def _session_export(session: Session) -> SessionExport:
    files = tuple(file_record(job) for job in session.jobs)
    return SessionExport(
        session_id=session.session_id,
        created_at=session.created_at,
        counts=dict(Counter(file.state for file in files)),
        settings=session.settings,
        files=files,
    )


def _report_export(report: BatchReport) -> ReportExport:
    return ReportExport(
        session_id=report.session_id,
        started=report.started,
        finished=report.finished,
        counts=report.counts,
        audio_seconds=report.audio_seconds,
        work_seconds=report.work_seconds,
        speed=report.speed,
        peak_rss=report.peak_rss,
        settings=report.settings,
        memory=report.memory,
        files=tuple(file_record(job) for job in report.jobs),
        share=report.shares.finished,
    )


def _to_json(export: SessionExport | ReportExport) -> str:
    try:
        data = msgspec.json.encode(export)
    except UnicodeEncodeError:  # undecodable bytes in an error's text
        data = msgspec.json.encode(clean(msgspec.to_builtins(export)))
    return msgspec.json.format(data).decode()


def _to_toml(export: SessionExport) -> str:
    import tomli_w  # tomlkit takes a minute for five thousand files

    return tomli_w.dumps(_without_nulls(clean(msgspec.to_builtins(export))))


def _without_nulls(value: Any) -> Any:
    """The value without nulls, which TOML does not have."""
    match value:
        case dict():
            return {key: _without_nulls(item) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [_without_nulls(item) for item in value]
        case _:
            return value


_SESSION_FORMATS: dict[str, Callable[[SessionExport], str]] = {"json": _to_json, "toml": _to_toml}
_REPORT_FORMATS: dict[str, Callable[[BatchReport], str]] = {
    "md": to_markdown,
    "csv": lambda report: to_csv(file_record(job) for job in report.jobs),
    "json": lambda report: _to_json(_report_export(report)),
}
SESSION_FORMATS = (*_SESSION_FORMATS, "csv")
REPORT_FORMATS = tuple(_REPORT_FORMATS)
