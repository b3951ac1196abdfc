"""The log files: what goes in, when they turn, what is deleted."""

import logging
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.cli import logfile
from fwtui.cli.logfile import SessionLog, close_log, delete_old, log_event, open_log, session_lines
from fwtui.config.locations import Locations
from fwtui.core.events import Level, LogLine, SettingsChanged
from fwtui.core.settings import LogSettings, Settings
from tests.cli.batches import snapshot

NOW = datetime.now(UTC)
WARNINGS = Settings(log=LogSettings(level="warning"))
SECRET = "unremarkable-words"


def said(text: str, level: Level = Level.INFO) -> LogLine:
    return LogLine(NOW, level, text)


def lines(file: Path) -> list[str]:
    return [line.split(" ", 3)[-1] for line in file.read_text().splitlines()]


def test_lines_of_the_level_come_into_both_files_without_secrets(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    locations = Locations.default()
    file = open_log(locations, LogSettings())
    assert file is not None
    session = SessionLog(locations)
    try:
        for event in (
            replace(snapshot(), settings=WARNINGS),
            said("not important"),
            said(f"with {SECRET}\nhttps://a:b@host", Level.ERROR),
            SettingsChanged(Settings()),
            said("and now this"),
        ):
            log_event(event)
            session(event)
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger("fwtui.tui").exception("trouble")
    finally:
        session.close()
        close_log()
    text = file.read_text()
    assert SECRET not in text
    assert "ValueError: ***" in text
    assert lines(file)[:2] == ["ERROR with ***\\x0ahttps://***@host", "INFO and now this"]
    assert [line.split(" ", 2)[2] for line in session_lines(locations, snapshot().session_id)] == [
        "ERROR with ***\\x0ahttps://***@host",
        "INFO and now this",
    ]
    assert file.stat().st_mode & 0o777 == 0o600


def test_full_files_are_followed_by_others(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "FILE_BYTES", 100)
    locations = Locations.default()
    file = open_log(locations, LogSettings())
    assert file is not None
    session = SessionLog(locations)
    session(snapshot())
    for number in range(4):
        log_event(said(f"{number} " + "x" * 60))
        session(said(f"{number} " + "y" * 120))
    session.close()
    close_log()
    assert [len(lines(file)), len(lines(file.with_stem(f"{file.stem}-2")))] == [2, 2]
    kept = session_lines(locations, snapshot().session_id)
    assert [line.split()[3] for line in kept] == ["2", "3"]
    # Who comes later goes on in the last one, and nobody's file was renamed.
    assert open_log(locations, LogSettings()) == file.with_stem(f"{file.stem}-3")
    close_log()


def test_old_files_go_and_the_oldest_of_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "TOTAL_BYTES", 250)
    for days in (0, 1, 2, 40):
        file = tmp_path / f"{days}.log"
        file.write_bytes(b"x" * 100)
        at = time.time() - days * 86400
        os.utime(file, (at, at))
    (tmp_path / "notes.txt").touch()
    delete_old(tmp_path, 30)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.log", "1.log", "notes.txt"]
