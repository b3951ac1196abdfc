"""Sessions and reports as files for other programs."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from fwtui.batch.markdown import to_markdown
from fwtui.batch.records import FileRecord, file_record, to_csv
from fwtui.core.events import MemoryPoint
from fwtui.core.paths import path_to_text
from fwtui.core.session import Session
from fwtui.core.settings import Settings
from fwtui.disk.codec import clean
from fwtui.report.report import BatchReport
from fwtui.storage.atomic import write_atomic


class SessionExport(msgspec.Struct, frozen=True, kw_only=True):
    """A stored session; `log` has the lines of its log files, if they were asked for."""

    session_id: str
    created_at: datetime
    counts: dict[str, int]
    settings: Settings
    files: tuple[FileRecord, ...]
    log: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class ReportExport(msgspec.Struct, frozen=True, kw_only=True):
    """A batch at its end. `memory` is the curve of our processes' memory."""

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


def export_session(session: Session, form: str, log: Sequence[str] | None = None) -> bytes:
    """The session in one of `SESSION_FORMATS`; raises KeyError for another.

    `log`: the lines of its log, for all formats but CSV, which has no place for them.
    """
    if form == "csv":
        return to_csv(file_record(job) for job in session.jobs).encode()
    export = _session_export(session)
    if log is not None:
        export = msgspec.structs.replace(export, log=tuple(log))
    return _SESSION_FORMATS[form](export).encode()


def export_report(report: BatchReport, form: str) -> bytes:
    """The report in one of `REPORT_FORMATS`; raises KeyError for another."""
    return _REPORT_FORMATS[form](report).encode()


def write_export(path: Path, data: bytes) -> None:
    """Put an export into a file, in one step. Raises StorageError."""
    write_atomic(path, data, owner=path_to_text(path))


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
    """TOML has no null: what does not apply is not there."""
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
