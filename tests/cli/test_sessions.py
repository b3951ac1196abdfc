"""`fwtui sessions` on real session files."""

import json
import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from fwtui.cli.main import main
from fwtui.config.locations import Locations
from fwtui.core.events import JobsAdded
from fwtui.core.job import Failed, Job
from fwtui.core.settings import Settings
from fwtui.errors import ExitCode
from fwtui.sessions.store import SessionStore
from tests.cli.batches import failed


def make_session(*, keep_open: bool = False) -> SessionStore:
    store = SessionStore.create(
        Locations.default().sessions, Settings(), datetime(2025, 12, 14, 10, 15, 30)
    )
    state = failed()
    assert isinstance(state, Failed)
    store.commit(JobsAdded((Job(1, "/media/a.mp3"), Job(2, "/media/\x1b[31mb.mp3", state=state))))
    if not keep_open:
        store.close()
    return store


def test_no_session(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions"]) == ExitCode.DONE
    out, err = capsys.readouterr()
    assert out == ""
    assert "no unfinished session" in err


def test_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    make_session()
    assert main(["sessions"]) == ExitCode.DONE
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("20251214_101530")
    assert "0 of 2 files done, 1 failed" in line
    assert main(["sessions", "--json"]) == ExitCode.DONE
    assert json.loads(capsys.readouterr().out)["session_id"] == "20251214_101530"
    assert main(["sessions", "show", "20251214_101530"]) == ExitCode.DONE
    shown = capsys.readouterr().out
    assert "waiting    /media/a.mp3" in shown
    assert "It is not a media file" in shown
    assert "\x1b" not in shown


def test_discard(capsys: pytest.CaptureFixture[str], own_folders: Path) -> None:
    make_session()
    assert main(["sessions", "discard", "nosuch"]) == ExitCode.USAGE
    assert main(["sessions", "discard", "20251214_101530", "nosuch"]) == ExitCode.USAGE
    assert list((own_folders / "state" / "sessions").glob("*.json"))
    assert main(["sessions", "discard", "20251214_101530"]) == ExitCode.DONE
    assert "discarded 20251214_101530" in capsys.readouterr().err
    assert not list((own_folders / "state" / "sessions").glob("*.j*"))


def test_one_in_use_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    store = make_session(keep_open=True)
    assert main(["sessions", "discard", "20251214_101530"]) == ExitCode.CANNOT_START
    assert "in use" in capsys.readouterr().err
    store.close()


def test_export(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    store = make_session(keep_open=True)  # one in use can be exported too
    name = "20251214_101530"
    assert main(["sessions", "export", "nosuch"]) == ExitCode.USAGE
    capsys.readouterr()
    assert main(["sessions", "export", name]) == ExitCode.DONE
    document = json.loads(capsys.readouterr().out)
    assert [file["state"] for file in document["files"]] == ["pending", "failed"]
    assert main(["sessions", "export", name, "--format", "csv"]) == ExitCode.DONE
    assert "\n/media/a.mp3,pending," in capsys.readouterr().out
    target = tmp_path / "session.toml"
    assert main(["sessions", "export", name, "-o", str(target)]) == ExitCode.DONE
    assert tomllib.loads(target.read_text())["session_id"] == name
    assert capsys.readouterr().out == ""
    store.close()


def test_export_with_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    store = make_session(keep_open=True)
    name, locations = "20251214_101530", Locations.default()
    locations.logs.mkdir()
    locations.session_log_before(name).write_text("first\n")
    locations.session_log(name).write_text("second\n")
    assert main(["sessions", "export", name, "--logs"]) == ExitCode.DONE
    assert json.loads(capsys.readouterr().out)["log"] == ["first", "second"]
    assert main(["sessions", "export", name, "--logs", "-f", "toml"]) == ExitCode.DONE
    assert tomllib.loads(capsys.readouterr().out)["log"] == ["first", "second"]
    assert main(["sessions", "export", name]) == ExitCode.DONE
    assert "log" not in json.loads(capsys.readouterr().out)
    assert main(["sessions", "export", name, "--logs", "-f", "csv"]) == ExitCode.USAGE
    store.delete()
    assert main(["sessions", "export", name, "--logs"]) == ExitCode.USAGE
    assert str(locations.session_log(name)) in capsys.readouterr().err
