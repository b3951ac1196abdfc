"""Signals before there is a batch: the session exists, and every signal means what it means later.

One process for each signal and each thing that takes long: files are looked up, sessions are
listed, a model is downloaded. Each of them takes for ever here.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fwtui import demo
from fwtui.errors import ExitCode
from tests.batch.driver import SHORT
from tests.cli.program import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

# Waits for ever in the named function, and says so.
SCRIPT = """
import asyncio, sys, threading
from fwtui.cli import models, run
from fwtui.batch.workspace import Workspace
def hang(*_, **__):
    print("waiting", flush=True)
    threading.Event().wait()
async def hang_in_loop(*_, **__):
    print("waiting", flush=True)
    await asyncio.Event().wait()
where = sys.argv.pop(1)
if where == "search":
    run.find_files = hang
elif where == "list":
    Workspace.all_sessions = hang_in_loop
elif where == "download":
    run.ensure_downloaded = hang_in_loop
from fwtui.__main__ import main
sys.exit(main())
"""


def start(root: Path, where: str, *arguments: str) -> subprocess.Popen[str]:
    own = {f"FWTUI_{name}_DIR": str(root / name.lower()) for name in ("STATE", "CACHE", "CONFIG")}
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", SCRIPT, where, "run", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **own},
        start_new_session=True,
    )
    assert process.stdout is not None
    assert where == "nowhere" or process.stdout.readline() == "waiting\n"
    return process


def sessions(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "state" / "sessions").glob("*.json"))


@pytest.mark.parametrize(
    ("where", "number"),
    [
        ("search", signal.SIGTERM),
        ("search", signal.SIGHUP),
        ("list", signal.SIGINT),
        ("download", signal.SIGHUP),
    ],
)
def test_the_session_is_there_and_is_resumed(
    where: str, number: signal.Signals, tmp_path: Path
) -> None:
    options = "--model", str(demo.model_dir()), "-o", str(tmp_path / "out"), "--device", "cpu"
    process = start(tmp_path, where, str(SHORT), *options, "--on_hangup", "stop")
    (session_id,) = sessions(tmp_path)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == ExitCode.STOPPED, err
    assert f"to resume: fwtui run --resume {session_id}" in err
    assert sessions(tmp_path) == [session_id]
    if (where, number) == ("search", signal.SIGTERM):
        with start(tmp_path, "nowhere", "--resume") as process:
            assert process.wait(timeout=PATIENCE) == ExitCode.DONE
        assert (tmp_path / "out" / f"{SHORT.stem}.txt").exists()
        assert sessions(tmp_path) == []


def test_a_hang_up_lets_it_continue_and_a_second_signal_ends_it(tmp_path: Path) -> None:
    process = start(tmp_path, "search", str(SHORT), "--model", str(demo.model_dir()))
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.5)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == ExitCode.STOPPED
    assert len(sessions(tmp_path)) == 1


def test_what_cannot_start_leaves_no_session(tmp_path: Path) -> None:
    process = start(tmp_path, "nowhere", str(tmp_path / "missing"))
    process.communicate(timeout=PATIENCE)
    assert process.returncode == ExitCode.USAGE
    assert sessions(tmp_path) == []
