"""Batches without a terminal, with real processes: hang-ups, the background, and who attaches."""

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from fwtui.batch.workspace import Workspace
from fwtui.cli.status import read_status
from fwtui.config.locations import Locations
from fwtui.core.events import BatchFinished, LogLine
from fwtui.errors import BatchEndedError, ExitCode
from tests.batch.driver import MINUTE
from tests.batch.remote.client import Client, pause
from tests.cli.program import fwtui
from tests.cli.test_run import (
    LONG,
    QUICK,
    SHORT,
    Running,
    Undisturbed,
    contents,
    events,
)
from tests.cli.test_terminal import has_all, program, terminal
from tests.terminal import Terminal

pytestmark = pytest.mark.terminal

PATIENCE = 300.0
__all__ = ["terminal"]  # the fixture


def status() -> dict[str, Any]:
    """What `fwtui status --json` says, without a process for each look."""
    found = asyncio.run(read_status(Locations.default()))
    return dict(json.loads(msgspec.json.encode(found)))


def wait_for(is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The only running batch, once it is as it should be."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = status()
        for batch in found["batches"]:
            if batch["seen"] is not None and is_so(batch):
                return dict(batch)
        assert time.monotonic() < deadline, found
        time.sleep(0.1)  # other processes tell nobody


def is_paused(batch: dict[str, Any]) -> bool:
    return bool(batch["seen"]["phase"] == "paused")


def until_gone(pid: int) -> None:
    """Wait for a process that is not our child, or is reaped by nobody."""
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.05)
    except psutil.NoSuchProcess:
        return


def until_no_batch() -> dict[str, Any]:
    """What is said of the last one, as soon as it is the last one."""
    deadline = time.monotonic() + PATIENCE
    while (found := status())["batches"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return dict(found["last"])


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """However a test ends, its batches do."""
    yield
    for batch in status()["batches"]:
        os.kill(batch["place"]["pid"], signal.SIGKILL)


def test_a_closed_terminal_leaves_the_batch_to_whoever_comes_next(
    terminal: Callable[[str], Terminal],
    tmp_path: Path,
    undisturbed: Undisturbed,
) -> None:
    out = tmp_path / "out"
    first = terminal(program(LONG, *QUICK, "-o", out))
    first.wait_for(lambda text: "1 left" in text)
    with ThreadPoolExecutor() as pool:
        pausing = pool.submit(pause, after_words=True)
        first.press("s")
        pid = pausing.result()
    assert wait_for(is_paused)["seen"]["where"] == "screen"
    first.close()  # the terminal is gone, with all that ran in it
    batch = wait_for(lambda batch: batch["seen"]["where"] == "background")
    assert (batch["place"]["pid"], batch["seen"]["phase"]) == (pid, "paused")
    for number in range(3):
        assert "/dev/pts" not in str(Path(f"/proc/{pid}/fd/{number}").readlink())

    second = terminal(program())
    second.wait_for(partial(has_all, "A batch is running", "Attach", f"{pid} on"))
    second.press("Enter")
    shown = partial(has_all, "paused", LONG.name[:8], " 00:")
    second.wait_for(lambda text: "attached" in text.partition("\n")[0] and shown(text))
    second.press("3")
    second.wait_for(lambda text: "Terminal closed" in text)
    with ThreadPoolExecutor() as pool:
        pausing = pool.submit(pause, after_words=True)
        second.press("s")
        pausing.result()
    ui = next(p for p in psutil.process_iter(["cmdline"]) if is_screen(p, pid))
    ui.kill()
    second.wait_for(lambda text: "the-end 137" in text)
    assert psutil.pid_exists(pid)

    assert fwtui("unpause").returncode == ExitCode.DONE
    last = until_no_batch()
    until_gone(pid)
    assert (last["exit_code"], last["completed"], last["total"]) == (0, 1, 1)
    assert "Terminal closed" in Path(last["log"]).read_text()
    assert contents(out) == undisturbed(LONG)


def is_screen(process: psutil.Process, other: int) -> bool:
    """Whether it is the screen of this test that is not the batch itself."""
    if process.pid == other:
        return False
    try:
        arguments, state = process.info["cmdline"] or [], process.environ()
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return False
    mine = state.get("FWTUI_STATE_DIR") == os.environ["FWTUI_STATE_DIR"]
    return mine and arguments[1:] == ["-m", "fwtui"]


def test_a_detached_batch_is_seen_steered_and_stopped(
    terminal: Callable[[str], Terminal], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    refused = fwtui("run", tmp_path / "nothing.mp3", "--detach")
    assert refused.returncode == ExitCode.USAGE
    assert "nothing.mp3" in refused.stderr
    begun = fwtui("run", LONG, *QUICK, "-o", out, "--detach")
    assert begun.returncode == ExitCode.DONE, begun.stderr
    session = begun.stdout.strip()
    pause(session)
    batch = wait_for(is_paused)
    assert batch["place"]["session_id"] == session
    assert (batch["seen"]["where"], batch["seen"]["total"]) == ("background", 1)
    shown = json.loads(fwtui("status", "--json").stdout)
    assert shown["batches"][0]["place"] == batch["place"]
    assert shown["batches"][0]["seen"]["phase"] == "paused"
    assert os.getsid(batch["place"]["pid"]) == batch["place"]["pid"]

    (tmp_path / "more").mkdir()
    shutil.copy(SHORT, tmp_path / "more" / "short.flac")
    added = fwtui("add", "more", LONG, cwd=tmp_path)  # relative to here, not to the batch
    assert added.returncode == ExitCode.DONE, added.stderr
    assert "added 1 file" in added.stderr
    assert fwtui("add", tmp_path / "nowhere").returncode == ExitCode.USAGE
    assert wait_for(lambda _: True)["seen"]["total"] == 2

    # A second one beside it: then it must be said which one is meant.
    other = fwtui("run", SHORT, *QUICK, "-o", out, "--detach").stdout.strip()
    pause(other)
    unclear = fwtui("stop")
    assert unclear.returncode == ExitCode.USAGE
    assert session in unclear.stderr
    assert other in unclear.stderr
    screen = terminal(program("attach", session))
    screen.wait_for(lambda text: "attached" in text and "2 left" in text)
    stopped = fwtui("stop", session)
    assert stopped.returncode == ExitCode.DONE, stopped.stderr
    assert f"fwtui run --resume {session}" in stopped.stderr
    screen.wait_for(lambda text: "The batch was stopped elsewhere" in text)
    screen.press("Enter")
    screen.wait_for(lambda text: "The batch was stopped elsewhere" not in text)
    screen.press("q")
    screen.wait_for(lambda text: "the-end 3" in text)
    until_gone(batch["place"]["pid"])
    last = status()["last"]
    assert (last["session_id"], last["exit_code"], last["unfinished"]) == (session, 3, 2)
    kept = fwtui("sessions", "show", session).stdout
    assert kept.count("waiting  ") == 2
    assert fwtui("stop", session).returncode == ExitCode.USAGE

    assert fwtui("unpause", other).returncode == ExitCode.DONE
    assert until_no_batch()["session_id"] == other
    assert f"{SHORT.stem}.txt" in contents(out)
    shown = fwtui("status").stdout
    assert "no batch is running" in shown
    assert "all files done" in shown


def test_a_hang_up_lets_run_go_on_and_its_json_too(tmp_path: Path) -> None:
    """What is no terminal does not go away: the events go on into their pipe."""
    running = Running(MINUTE, *QUICK, "-o", tmp_path / "out", patient=True)
    running.until_segments()
    pause()
    os.killpg(running.process.pid, signal.SIGHUP)  # the engine gets it too
    wait_for(lambda batch: batch["seen"]["where"] == "background")
    os.killpg(running.process.pid, signal.SIGHUP)  # it seldom comes alone
    assert fwtui("unpause").returncode == ExitCode.DONE
    assert running.process.stdout is not None
    told = events(running.process.stdout.read().decode())
    assert running.end()[0] == ExitCode.DONE
    assert isinstance(told[-1], BatchFinished)
    assert any(isinstance(e, LogLine) and "Terminal closed" in e.text for e in told)
    assert len(contents(tmp_path / "out")) == 5


def test_a_hang_up_stops_run_if_that_is_wanted(tmp_path: Path) -> None:
    options = (*QUICK, "--on_hangup", "stop")
    running = Running(MINUTE, *options, "-o", tmp_path / "out", patient=True)
    running.until_segments()
    pause()
    assert fwtui("pause").returncode == ExitCode.DONE  # which it is already
    running.process.send_signal(signal.SIGHUP)
    code, err = running.end()
    assert code == ExitCode.STOPPED
    assert "to resume: fwtui run --resume" in err
    assert until_no_batch()["exit_code"] == ExitCode.STOPPED


def test_without_a_terminal_and_after_a_kill(tmp_path: Path) -> None:
    for command in ("attach", "stop", "pause", "unpause"):
        result = fwtui(command)
        assert result.returncode == ExitCode.CANNOT_START
        assert "no batch is running" in result.stderr
    assert fwtui("add", SHORT).returncode == ExitCode.CANNOT_START
    begun = fwtui("run", LONG, *QUICK, "-o", tmp_path, "--detach")
    assert begun.returncode == ExitCode.DONE
    pid = pause()
    result = fwtui("attach")
    assert result.returncode == ExitCode.CANNOT_START
    assert "use: fwtui status" in result.stderr
    asyncio.run(see_it_killed(pid))
    shown = fwtui("status")
    assert "no batch is running" in shown.stdout
    assert f"fwtui run --resume {begun.stdout.strip()}" in shown.stderr


async def see_it_killed(pid: int) -> None:
    """Whoever is attached is told, and its socket is gone with the next look."""
    workspace = Workspace(Locations.default())
    (place,) = await workspace.running()
    client = Client(await workspace.attach(place))
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(BatchEndedError, match="unexpectedly"):
        await client.running
    assert Path(place.socket).exists()
    assert await workspace.running() == ()
    assert not Path(place.socket).exists()
    assert not list(workspace.locations.live.iterdir())
