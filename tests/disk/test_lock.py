"""Locks between real processes."""

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fwtui.disk.files import FileSystem
from fwtui.disk.lock import Holder, SessionLock, advice, holder_of
from fwtui.errors import SessionInUseError, StorageError

HOLD = """
import subprocess, sys
from pathlib import Path
from fwtui.disk.lock import SessionLock
lock = SessionLock.acquire(Path(sys.argv[1]))
child = None
if sys.argv[2] == "child":
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=0)
print(child.pid if child else 0, flush=True)
sys.stdin.read()
"""


def hold(path: Path, with_child: bool) -> "subprocess.Popen[str]":
    kind = "child" if with_child else "alone"
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, path, kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_taken_named_released(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    assert holder_of(path) is None
    lock = SessionLock.acquire(path)
    holder = holder_of(path)
    assert holder is not None
    assert (holder.host, holder.pid) == (socket.gethostname(), os.getpid())
    assert holder.since is not None
    with pytest.raises(SessionInUseError, match=f"{socket.gethostname()} .process {os.getpid()}"):
        SessionLock.acquire(path)
    lock.release()
    lock.release()
    assert holder_of(path) is None
    SessionLock.acquire(path).release(remove=True)
    assert not path.exists()


def test_a_deleted_lock_file_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    first = SessionLock.acquire(path)
    path.unlink()
    second = SessionLock.acquire(path)
    first.release()
    with pytest.raises(SessionInUseError):
        SessionLock.acquire(path)
    second.release()


def test_an_unreadable_holder_is_still_a_holder(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    lock = SessionLock.acquire(path)
    path.write_bytes(b"\xff{")
    holder = holder_of(path)
    assert holder is not None
    assert "unknown" in str(holder)
    lock.release()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("with_child", [False, True])
def test_killed_holder_lets_go_at_once(tmp_path: Path, with_child: bool) -> None:
    """Also when a child of it lives on: children do not inherit the lock."""
    path = tmp_path / "s.lock"
    with hold(path, with_child) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        holder = holder_of(path)
        assert holder is not None
        assert holder.pid == process.pid
        with pytest.raises(SessionInUseError, match=str(process.pid)):
            SessionLock.acquire(path)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        if with_child:
            os.kill(child, 0)
        assert holder_of(path) is None
        SessionLock.acquire(path).release()
        # The child ends when its standard input does.


@pytest.mark.parametrize(
    ("holder", "alive", "said"),
    [
        (Holder("here", 7), True, "fwtui attach s1, or stop it with: fwtui stop s1"),
        (Holder("here", 7), False, "There is no process 7 here: it runs in a container"),
        (Holder("there", 7), False, "ssh there -t fwtui attach"),
        (Holder("there", 7), True, "the file server releases the lock"),
        (Holder("an unknown host", 0), False, "Stop the fwtui that uses it first"),
    ],
)
def test_what_to_do_about_a_held_session(holder: Holder, alive: bool, said: str) -> None:
    assert said in advice("s1", holder, "here", alive=alive)
    assert ("delete s1.lock" in advice("s1", holder, "here", alive=alive)) is (
        holder.pid != 0 and not (alive and holder.host == "here")
    )


def test_a_file_system_without_locks_is_told(tmp_path: Path) -> None:
    """There is none to be had here, so the call itself is replaced."""

    class Lockless(FileSystem):
        def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
            raise OSError(errno.ENOLCK, "No locks available")

    with pytest.raises(StorageError, match="Files cannot be locked in") as caught:
        SessionLock.acquire(tmp_path / "s.lock", Lockless())
    assert "FWTUI_STATE_DIR" in caught.value.hint
