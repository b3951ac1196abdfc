"""`fwtui report-bug` on a real state folder: shown first, anonymous, written only when asked."""

import os
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from fwtui.cli.logfile import close_log, log_event, open_log
from fwtui.cli.main import main
from fwtui.config.locations import Locations
from fwtui.core.events import JobsAdded, Level, LogLine
from fwtui.core.job import Job
from fwtui.core.settings import LogSettings, OutputSettings, Settings
from fwtui.errors import ExitCode
from fwtui.sessions.store import SessionStore
from tests.cli.batches import NOON, failed

PRIVATE = ("Jane", "Doe", "diary", "weekly", "hunter22", "secret-word")


@pytest.fixture(autouse=True)
def trouble(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session, a log, settings and an environment of somebody."""
    monkeypatch.setenv("HF_TOKEN", "hunter22-hunter22")
    monkeypatch.setenv("FWTUI_INITIAL_PROMPT", "secret-word")
    monkeypatch.setenv("FWTUI_SPEAKER_NAMES", "00=Jane,01=hunter22")
    locations = Locations.default()
    locations.config.mkdir(parents=True)
    locations.config_file.write_text('[done]\non_file_done = "upload --weekly"\n')
    settings = Settings(output=OutputSettings(output_dir="/srv/Jane Doe/out"))
    store = SessionStore.create(locations.sessions, settings, datetime(2025, 12, 14, 10, 15, 30))
    store.commit(JobsAdded((Job(1, "/srv/Jane Doe/dear diary", state=failed()),)))
    store.close()
    assert open_log(locations, LogSettings())
    for text in ("dear diary: it is broken", "with hunter22-hunter22"):
        log_event(LogLine(NOON, Level.ERROR, text))
    close_log()


def test_it_is_shown_and_only_then_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report-bug"]) == ExitCode.DONE
    told = capsys.readouterr()
    assert "nothing written" in told.err
    assert not list(tmp_path.glob("*.zip"))
    for words in (
        "== about.txt",
        "faster-whisper 1.2",
        "initial_prompt = (11 characters)",
        "names = (19 characters)",
    ):
        assert words in told.out
    for words in ("20251214_101530: 1 files; 1 failed, 1 bad_media", "<file1>: it is broken"):
        assert words in told.out
    for word in PRIVATE:
        assert word not in told.out
    assert main(["report-bug", "--yes", "-o", "bug.zip"]) == ExitCode.DONE
    shown = capsys.readouterr().out
    with zipfile.ZipFile(tmp_path / "bug.zip") as bundle:
        for name in bundle.namelist():
            assert f"== {name} (" in shown
            assert bundle.read(name).decode().strip() in shown
    assert (tmp_path / "bug.zip").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("answer", "written"), [(b"y\n", True), (b"n\n", False)])
def test_on_a_terminal_it_asks(tmp_path: Path, answer: bytes, written: bool) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "fwtui", "report-bug", "-o", "bug.zip"],
        cwd=tmp_path,
        env={**os.environ, "PAGER": "cat"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    while b"[y/N]" not in seen:
        seen += os.read(ours, 65536)
    assert b"== sessions.txt" in seen
    assert not (tmp_path / "bug.zip").exists()
    os.write(ours, answer)
    assert process.wait(60) == ExitCode.DONE
    os.close(ours)
    assert (tmp_path / "bug.zip").exists() is written
