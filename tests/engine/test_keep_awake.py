"""The machine is kept awake while a batch runs, never longer, and no batch fails without it."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from msgspec.structs import replace

from fwtui.batch.phases import Cause
from fwtui.batch.workspace import Workspace
from fwtui.config.locations import Locations
from fwtui.core.settings import BatchSettings, Settings
from fwtui.engine.keep_awake import NO_WAY, KeepAwake, commands, why_not

posix = pytest.mark.skipif(sys.platform == "win32", reason="programs of POSIX")
DENIED = ("sh", "-c", "echo Failed to inhibit: Access denied >&2; exit 1")
ABSENT = ("fwtui-no-such-program",)
PATIENCE = 30.0


def noting(path: Path) -> tuple[str, ...]:
    """A command that runs until its stdin ends; its process id is in a file."""
    return "sh", "-c", f"echo $$ > '{path}.new'; mv '{path}.new' '{path}'; exec cat"


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def asked(path: Path) -> int:
    until(path.exists)
    return int(path.read_text())


@posix
@pytest.mark.parametrize("before", [(), (DENIED,), (ABSENT, DENIED)], ids=len)
def test_from_begin_to_end(before: Iterable[tuple[str, ...]], tmp_path: Path) -> None:
    """By the first way that works; it can be asked for again and again."""
    refused: list[str] = []
    path = tmp_path / "pid"
    awake = KeepAwake(refused.append, lambda: (*before, noting(path)))
    awake.end()
    for _ in range(2):
        awake.begin()
        awake.begin()
        assert awake.is_on
        pid = asked(path)
        assert not is_gone(pid)
        path.unlink()
        awake.end()
        awake.end()
        until(lambda pid=pid: is_gone(pid))  # type: ignore[misc]
    assert not path.exists()  # the second `begin` asked nobody
    assert refused == []


@posix
@pytest.mark.parametrize(
    ("ways", "reason"),
    [
        ((), NO_WAY),
        ((ABSENT,), "No such file or directory"),
        ((ABSENT, DENIED), "Failed to inhibit: Access denied"),
    ],
    ids=["none", "absent", "denied"],
)
def test_it_is_said_once_if_that_is_not_possible(
    ways: tuple[tuple[str, ...], ...], reason: str
) -> None:
    refused: list[str] = []
    said = threading.Event()

    def note(text: str) -> None:
        refused.append(text)
        said.set()

    awake = KeepAwake(note, lambda: ways)
    awake.begin()
    assert said.wait(PATIENCE)
    awake.end()
    awake.begin()
    awake.end()
    assert refused == [reason]
    assert why_not(ways) == reason


@posix
def test_a_way_that_works_is_no_reason(tmp_path: Path) -> None:
    assert why_not([DENIED, noting(tmp_path / "pid")]) == ""


@posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_it_ends_with_this_process_however_that_ends(number: int, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    code = (
        "import sys, time\nfrom fwtui.engine.keep_awake import KeepAwake\n"
        "KeepAwake(print, lambda: [sys.argv[1:]]).begin()\ntime.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, *noting(path)]) as process:
        pid = asked(path)
        process.send_signal(number)
    until(lambda: is_gone(pid))


def test_the_means_of_each_system(tmp_path: Path) -> None:
    def everything(name: str) -> str:
        return f"/bin/{name}"

    def nothing(_: str) -> None:
        return None

    mac = commands("darwin", everything)
    assert mac == (("/bin/caffeinate", "-i", "-s", "-w", str(os.getpid())),)
    linux = commands("linux", everything, tmp_path)
    assert [(Path(way[0]).name, way[1], way[-1]) for way in linux] == [
        ("systemd-inhibit", "--what=idle:sleep", "cat"),
        ("systemd-inhibit", "--what=idle", "cat"),
        ("elogind-inhibit", "--what=idle:sleep", "cat"),
        ("elogind-inhibit", "--what=idle", "cat"),
    ]
    assert {way[0] for way in commands("linux", everything, tmp_path / "no")} == {
        "/bin/elogind-inhibit"
    }
    for platform in ("darwin", "linux", "win32", "freebsd14"):
        assert commands(platform, nothing, tmp_path) == ()


@pytest.mark.parametrize("grants", [True, False])
def test_windows_is_asked_by_a_thread_that_stays(
    grants: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []
    refused: list[str] = []

    def set_state(flags: int) -> int:
        calls.append((flags, threading.get_ident()))
        return int(grants)

    kernel = SimpleNamespace(SetThreadExecutionState=set_state)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    awake = KeepAwake(refused.append, platform="win32")
    awake.begin()
    until(lambda: bool(calls) and (grants or bool(refused)))
    awake.end()
    if grants:
        until(lambda: len(calls) == 2)
    assert [flags for flags, _ in calls] == [0x80000001, 0x80000000][: 1 + grants]
    assert len({thread for _, thread in calls}) == 1
    assert refused == ([] if grants else ["Windows refused it"])


@pytest.mark.parametrize("on", [True, False])
async def test_the_phases_of_a_batch(on: bool) -> None:
    """While it works; not while it is paused, or waits for files; never if that is switched off."""
    settings = replace(Settings(), batch=BatchSettings(keep_awake=on))
    batch = await Workspace(Locations.default()).start(settings)
    awake = batch._keep_awake = KeepAwake(lambda _: None, lambda: ())
    seen = [awake.is_on]
    for cause in (
        Cause.WORK_STARTED,
        Cause.PAUSE_REQUESTED,
        Cause.ENGINES_PAUSED,
        Cause.WORK_STARTED,
        Cause.DISK_UNAVAILABLE,
        Cause.WORK_STARTED,
        Cause.QUEUE_FINISHED,
        Cause.WORK_STARTED,
        Cause.STOP_REQUESTED,
        Cause.BATCH_ENDED,
    ):
        batch._change_phase(cause)
        seen.append(awake.is_on)
    expected = [False, True, True, False, True, False, True, False, True, True, False]
    assert seen == [on and each for each in expected]
    batch._close()
