"""Commands of the user after a file and after the batch, with real processes."""

import asyncio
import json
import os
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec.structs import replace

from fwtui.batch.hooks import Hooks, desktop_notification
from fwtui.batch.run_command import run_command
from fwtui.batch.state import BatchState
from fwtui.config.locations import Locations
from fwtui.core.events import AnyEvent, BatchFinished, HookFailed, Level, LogLine
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Completed, Failed
from fwtui.core.settings import DoneSettings, Settings
from fwtui.sessions.store import SessionStore
from tests.batch.driver import PATIENCE, SHORT, BatchDriver, settings_for

# Appends its stdin and its variables to the file that it is given; exits with 3 for failed files.
SCRIPT = """\
import json, os, sys
told = json.load(sys.stdin)
told["variables"] = {k: v for k, v in os.environ.items() if k.startswith("FWTUI_DONE_")}
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(told) + "\\n")
if told["variables"].get("FWTUI_DONE_STATE") == "failed":
    sys.exit("cannot be moved")
"""


@pytest.fixture
def command(tmp_path: Path) -> str:
    script = tmp_path / "hook script.py"
    script.write_text(SCRIPT)
    return shlex.join([sys.executable, str(script), str(tmp_path / "told")])


def told(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]


async def test_a_batch_tells_of_each_file_then_of_itself(tmp_path: Path, command: str) -> None:
    clip, broken = tmp_path / "talk; rm x.flac", tmp_path / "broken.mp3"
    shutil.copy(SHORT, clip)
    broken.write_text("no sound")
    done = DoneSettings(on_file_done=command, on_batch_done=command)
    settings = replace(settings_for(tmp_path / "out"), done=done)
    async with BatchDriver(settings, [clip, broken]) as batch:
        await batch.to_the_end()
        session = batch.actor.state.store.directory / f"{batch.actor.state.store.session_id}"
        assert "hook script" not in session.with_suffix(".json").read_text()
        assert "hook script" not in session.with_suffix(".journal").read_text()
    first, second, last = told(tmp_path)  # after the end: leaving waits for them
    files = {one["file"]["path"]: one for one in (first, second)}
    assert [one["event"] for one in (first, second, last)] == [*["file_done"] * 2, "batch_done"]
    good, bad = files[str(clip)], files[str(broken)]
    assert (good["file"]["state"], good["file"]["language"]) == ("completed", "en")
    assert good["variables"]["FWTUI_DONE_FILE"] == str(clip)
    outputs = good["variables"]["FWTUI_DONE_OUTPUTS"].splitlines()
    assert outputs == good["file"]["outputs"]
    assert all(Path(path).is_file() for path in outputs)
    assert bad["file"]["error_kind"] == "bad_media"
    assert bad["variables"]["FWTUI_DONE_ERROR"] == bad["file"]["error"]
    assert (last["completed"], last["failed"], last["exit_code"]) == (1, 1, 1)
    assert [file["path"] for file in last["failures"]] == [str(broken)]
    page = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text()
    for name in good["variables"] | last["variables"]:
        assert f"`{name}`" in page or f"`_{name.removeprefix('FWTUI_DONE_')}`" in page
    # The command that failed is told of, and changes nothing.
    assert isinstance(batch.jobs[1].state, Completed)
    assert isinstance(batch.jobs[2].state, Failed)
    (failed,) = [event for event in batch.events if isinstance(event, HookFailed)]
    assert failed.hook == "on_file_done"
    assert "broken.mp3: exit code 1" in failed.text
    assert failed.hint == "cannot be moved"
    assert any("cannot be moved" in line for line in batch.log)


class Desk:
    """Hooks on a real batch state, without an engine."""

    def __init__(self, done: DoneSettings) -> None:
        now = datetime(2025, 12, 14, 10, 15, 30)
        store = SessionStore.create(Locations.default().sessions, Settings(done=done), now)
        self.state = BatchState(store)
        self.hooks = Hooks(self.state, "20251214_101530", "/log")
        self.events: list[AnyEvent] = []
        self.state.listen(self.events.append)
        self.state.listen(self.hooks.handle)

    async def files(self, count: int) -> None:
        await self.state.add([Path(f"/media/{number}.mp3") for number in range(count)], [])
        failure = Failure(FailureKind.BAD_MEDIA, "bad")
        for job in tuple(self.state.queue):
            await self.state.put(replace(job, state=Failed(datetime.now(UTC), failure)))

    def end(self, *, stopped: bool = False) -> None:
        self.state.emit(BatchFinished(0, 0, 0, stopped=stopped, seconds=1.0))

    def log(self, level: Level) -> list[str]:
        lines = (event for event in self.events if isinstance(event, LogLine))
        return [line.text for line in lines if line.level is level]


Make = Callable[[DoneSettings], Desk]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    desks: list[Desk] = []

    def make_one(done: DoneSettings) -> Desk:
        desks.append(Desk(done))
        return desks[-1]

    yield make_one
    for desk in desks:
        desk.state.store.close()


@pytest.mark.skipif(os.name != "posix", reason="sh")
async def test_hanging_commands_block_nobody_are_ended_and_given_up(
    make: Make, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    sleeping = f"sleep 1000 & echo $$ $! >> {pids}; wait"
    desk = make(
        DoneSettings(
            on_file_done=sleeping, on_batch_done=f"cat > {tmp_path}/end", hook_shell=True,
            hook_seconds=1.0,
        )
    )  # fmt: skip
    await desk.files(9)
    desk.end()
    assert not (tmp_path / "end").exists()  # nobody has waited for the others
    await asyncio.wait_for(desk.hooks.finish(), PATIENCE)
    assert json.loads((tmp_path / "end").read_text())["failed"] == 0
    started = [int(word) for word in pids.read_text().split()]
    assert len(started) % 2 == 0
    assert 6 <= len(started) < 18  # the rest was not begun any more
    assert not [pid for pid in started if psutil.pid_exists(pid) and not is_dead(pid)]
    assert "did not end within 1 s" in desk.log(Level.WARNING)[0]
    assert desk.log(Level.ERROR) == [
        "on_file_done timed out 3 times in a row: disabled for this batch"
    ]
    shown = [event for event in desk.events if isinstance(event, HookFailed)]
    assert len(shown) == 2  # the first of many, and the end of them


def is_dead(pid: int) -> bool:
    """Whether it is a zombie that nobody in this container reaps."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


async def test_a_stop_by_the_user_is_no_end(make: Make, tmp_path: Path) -> None:
    desk = make(DoneSettings(on_batch_done=f"touch {shlex.quote(str(tmp_path / 'end'))}"))
    desk.end(stopped=True)
    await desk.hooks.finish()
    assert not (tmp_path / "end").exists()
    desk.end()
    await desk.hooks.finish()
    assert (tmp_path / "end").exists()


async def test_a_command_that_is_not_there_is_told(make: Make) -> None:
    desk = make(DoneSettings(on_batch_done="/no/such/program --now"))
    desk.end()
    await desk.hooks.finish()
    (line,) = desk.log(Level.WARNING)
    assert line.startswith("on_batch_done failed for the batch: could not be started: No such file")


@pytest.mark.skipif(os.name != "posix", reason="sh")
async def test_whoever_leaves_does_not_wait_long(make: Make, tmp_path: Path) -> None:
    desk = make(DoneSettings(on_file_done="sleep 1000", on_batch_done="true", hook_seconds=1.0))
    await desk.files(1)
    desk.end()
    await desk.hooks.finish(0.0)
    assert "commands not run for the batch" in desk.log(Level.WARNING)[0]
    await desk.hooks.finish()  # its limit holds all the same, while there is somebody to hold it


@pytest.mark.parametrize("text", ['it\'s $HOME; "done"', "-x"])
def test_texts_for_the_desktop_are_no_script(text: str) -> None:
    mac = desktop_notification("fwtui", text, "darwin", lambda name: f"/bin/{name}")
    assert mac is not None
    assert mac[0] == "/bin/osascript"
    assert mac[-2:] == ["fwtui", text]
    linux = desktop_notification("fwtui", text, "linux", lambda name: f"/bin/{name}")
    assert linux == ["/bin/notify-send", "--app-name=fwtui", "--", "fwtui", text]
    assert desktop_notification("fwtui", text, "linux", lambda _: None) is None


@pytest.mark.skipif(os.name != "posix", reason="a script")
async def test_the_desktop_is_told_by_the_program_that_is_there(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {tmp_path}/shown\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    desk = make(DoneSettings(desktop_notification=True))
    desk.end()
    await desk.hooks.finish()
    assert (tmp_path / "shown").read_text() == "--app-name=fwtui|--|fwtui|0 files done|"
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    desk.end()
    assert "No desktop notification" in desk.log(Level.WARNING)[0]


@pytest.mark.skipif(os.name != "posix", reason="sh")
def test_what_a_command_leaves_behind_is_not_waited_for() -> None:
    ended = run_command("sleep 5 & echo $!; exit 0", shell=True, seconds=4.0)
    assert (ended.problem, ended.timed_out) == ("", False)
    psutil.Process(int(ended.output[0])).kill()


def test_what_reads_nothing_and_says_much_holds_nobody_up() -> None:
    says = [sys.executable, "-c", "print('x' * 10**6); print('end')"]
    ended = run_command(says, stdin=b"y" * 10**6, seconds=PATIENCE)
    assert ended.problem == ""
    assert ended.output[-1] == "end"
