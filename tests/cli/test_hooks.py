"""Commands after the batch: without a screen, in the background, and never those of a session."""

import json
import shlex
import time
from pathlib import Path

import pytest

from fwtui.config.locations import Locations
from fwtui.errors import ExitCode
from tests.cli.program import fwtui
from tests.cli.test_run import MODEL


def test_run_shows_a_failing_command_and_a_session_cannot_bring_one(
    tmp_path: Path, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.mp3").write_text("no sound")
    failing = ("--on_file_done", "false", "--on_batch_done", f"cp /dev/stdin {tmp_path}/told")
    result = fwtui("run", tmp_path / "broken.mp3", *MODEL, "-o", tmp_path / "out", *failing)
    assert result.returncode == ExitCode.SOME_FAILED
    assert "warning: on_file_done failed for broken.mp3: exit code 1" in result.stderr
    told = json.loads((tmp_path / "told").read_text())
    assert (told["failed"], told["exit_code"]) == (1, 1)
    (session,) = Locations.default().sessions.glob("*.json")
    document = json.loads(session.read_text())
    assert not {"done", "log", "interface"} & document["settings"].keys()

    planted, own = tmp_path / "planted", tmp_path / "own"
    document["settings"]["done"] = {"on_batch_done": f"touch {planted}"}
    session.write_text(json.dumps(document))
    monkeypatch.setenv("FWTUI_ON_BATCH_DONE", shlex.join(["touch", str(own)]))
    begun = fwtui("run", "--resume", "--detach")
    assert begun.returncode == ExitCode.DONE, begun.stderr
    deadline = time.monotonic() + 120
    while not own.exists():  # another process, which tells nobody
        assert time.monotonic() < deadline
        time.sleep(0.05)
    while list(Locations.default().live.glob("*.json")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not planted.exists()
    assert "broken.mp3" in Locations.default().session_log(session.stem).read_text()
