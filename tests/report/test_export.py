"""Exports of sessions and reports: nothing is lost in them, and no name breaks their form."""

import csv
import io
import json
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fwtui.core.events import MemoryPoint
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Attempt, Completed, Failed, Job, MediaInfo, Pending, Skipped
from fwtui.core.paths import path_to_text
from fwtui.core.session import Session
from fwtui.core.settings import DecodingSettings, Settings
from fwtui.errors import UsageError
from fwtui.report.render import (
    REPORT_FORMATS,
    SESSION_FORMATS,
    export_report,
    export_session,
    write_export,
)
from fwtui.report.report import BatchReport, make_report

START = datetime(2025, 12, 14, 12, 34, 56)
END = START + timedelta(minutes=10)
EVIL = '/talks/=1+1,"x"\n| [a](b) \x1b[31m\udcff 会議.mp3'
OOM = Failure(FailureKind.OUT_OF_MEMORY, "Failed (Memory Error)", "use a smaller model")


def done(seconds: float, work: float, *outputs: str) -> Completed:
    return Completed(START, END, outputs, seconds, work, "en", 12, ("3 s are damaged",))


JOBS = (
    Job(1, "/talks/a.mp3", state=done(600, 60, "/out/a.txt", "/out/a.srt")),
    Job(2, path_to_text(EVIL), state=Failed(END, OOM), attempts=(Attempt(START, OOM, 9, "int8"),)),
    Job(3, "/talks/c.wav", state=Pending(61.5), media=MediaInfo(120)),
    Job(4, "/talks/d.wav", state=done(600, 300)),
    Job(5, "/talks/e.wav", state=Skipped(END, "skipped by you")),
)
SETTINGS = Settings(decoding=DecodingSettings(beam_size=2))
SESSION = Session("20251214_123456", START, SETTINGS, JOBS)


def report() -> BatchReport:
    memory = (MemoryPoint(0.0, 900.0), MemoryPoint(30.0, 1450.0))
    return make_report(JOBS, SETTINGS, SESSION.session_id, START, END, 1450.0, memory=memory)


def check(document: dict[str, Any]) -> None:
    assert document["session_id"] == "20251214_123456"
    assert document["counts"] == {"completed": 2, "failed": 1, "pending": 1, "skipped": 1}
    assert document["settings"]["decoding"]["beam_size"] == 2
    first, second, third, *_ = document["files"]
    assert first["state"] == "completed"
    assert first["outputs"] == ["/out/a.txt", "/out/a.srt"]
    assert (first["speed"], first["segments"], first["language"]) == (10.0, 12, "en")
    assert second["path"] == EVIL.replace("\udcff", "\\udcff")
    assert (second["error_kind"], second["hint"]) == ("out_of_memory", "use a smaller model")
    assert second["attempts"][0]["remedy"] == "int8"
    assert (third["audio_seconds"], third["done_seconds"]) == (120, 61.5)


def test_json_and_toml_hold_everything() -> None:
    as_json = json.loads(export_session(SESSION, "json"))
    as_toml = tomllib.loads(export_session(SESSION, "toml").decode())
    check(as_json)
    check(as_toml)
    assert as_json["files"][2]["error"] == ""
    assert as_json["files"][2]["work_seconds"] is None
    assert "work_seconds" not in as_toml["files"][2]


def test_csv_has_a_line_a_file() -> None:
    text = export_session(SESSION, "csv").decode()
    assert "\x1b" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["state"] for row in rows] == [
        "completed",
        "failed",
        "pending",
        "completed",
        "skipped",
    ]
    assert rows[0]["outputs"] == "/out/a.txt; /out/a.srt"
    assert rows[0]["speed"] == "10.000"
    assert rows[1]["path"].startswith('/talks/=1+1,"x"\\x0a| [a](b) \\x1b[31m')
    assert rows[1]["attempts"] == "Failed (Memory Error) at 9 s, then int8"
    assert rows[4]["reason"] == "skipped by you"
    assert export_report(report(), "csv").decode() == text


def test_a_report_as_json() -> None:
    document = json.loads(export_report(report(), "json"))
    check(document)
    assert document["memory"] == [{"seconds": 0.0, "rss": 900.0}, {"seconds": 30.0, "rss": 1450.0}]
    assert (document["peak_rss"], document["audio_seconds"]) == (1450.0, 1200)


def test_a_report_as_markdown() -> None:
    lines = export_report(report(), "md").decode().splitlines()
    assert lines[0] == "# fwtui batch report"
    assert "| Files | 5 (2 done, 1 failed, 1 waiting, 1 skipped) |" in lines
    slow = lines[lines.index("## Slowest files") + 4 :]
    assert slow[0] == "| done | 10:00 | 5:00 | 2.0× | en | 12 | d.wav |"
    failures = lines[lines.index("## Failures") + 2 :]
    assert failures[0].startswith('- **/talks/=1+1,"x" \\| \\[a\\](b) \\\\x1b\\[31m')
    assert failures[1] == "  - Failed (Memory Error)"
    table = lines[lines.index("## Files") + 2 :]
    assert [line.count(" | ") for line in table[:7]] == [6] * 7
    assert "| decoding.beam\\_size | 2 |" in lines


def test_every_format_of_nothing(tmp_path: Path) -> None:
    empty = Session("20251214_123456", START, Settings())
    for form in SESSION_FORMATS:
        write_export(tmp_path / f"session.{form}", export_session(empty, form))
    nothing = make_report((), Settings(), "x", START, START, 0)
    for form in REPORT_FORMATS:
        assert export_report(nothing, form)
    assert tomllib.loads((tmp_path / "session.toml").read_text())["files"] == []


def test_no_export_is_written_over_a_recording(tmp_path: Path) -> None:
    recording, link = tmp_path / "talk.wav", tmp_path / "export.json"
    recording.write_bytes(b"a recording")
    link.symlink_to(recording)
    for path in (recording, link):
        with pytest.raises(UsageError, match="is a recording of the session"):
            write_export(path, b"{}", [tmp_path / "gone.wav", recording])
    assert recording.read_bytes() == b"a recording"
    write_export(tmp_path / "new.json", b"{}", [recording])
    assert (tmp_path / "new.json").read_bytes() == b"{}"
