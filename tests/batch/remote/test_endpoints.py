"""Sockets and the files that say where they are, in real folders, with real locks."""

import os
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from fwtui.batch.remote import endpoints
from fwtui.batch.remote.endpoints import Endpoint, Listening, connect, listen, running
from fwtui.config.locations import Locations
from fwtui.disk.lock import Holder
from fwtui.sessions.session_files import SessionFiles
from fwtui.sessions.store import SessionStore
from tests.cli.test_sessions import make_session

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")

NOON = datetime(2026, 3, 14, 12, 0)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionStore]:
    """An open session in a state folder whose path is as short as that of a home folder."""
    with tempfile.TemporaryDirectory(prefix="fw-") as folder:
        monkeypatch.setenv("FWTUI_STATE_DIR", folder)
        store = make_session(keep_open=True)
        yield store
        store.close()


def begin(session_id: str) -> Listening:
    return listen(Locations.default().live, session_id, NOON)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def works(endpoint: Endpoint, listening: Listening) -> bool:
    with connect(endpoint):
        listening.socket.accept()[0].close()
    return True


def test_only_this_user_can_reach_it_and_it_leaves_nothing(store: SessionStore) -> None:
    live = Locations.default().live
    store.close()
    store = make_session(keep_open=True)
    before = os.umask(0)  # the rights must not be a gift of the umask
    try:
        listening = begin(store.session_id)
    finally:
        os.umask(before)
    path = Path(listening.endpoint.socket)
    assert path.parent == live
    assert (mode(live), mode(path), mode(listening.file)) == (0o700, 0o600, 0o600)
    (endpoint,) = running(Locations.default())
    assert (endpoint.pid, endpoint.session_id) == (os.getpid(), store.session_id)
    assert works(endpoint, listening)
    listening.socket.close()
    listening.remove()
    assert list(live.iterdir()) == []


def test_a_path_that_is_too_long_is_replaced(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = len("/tmp/fwtui-01234567/socket")
    monkeypatch.setattr(endpoints, "LONGEST_SOCKET_PATH", longest)
    listening = begin(store.session_id)
    folder = Path(listening.endpoint.socket).parent
    assert len(listening.endpoint.socket) <= longest
    assert (mode(folder), mode(folder / "socket")) == (0o700, 0o600)
    (endpoint,) = running(Locations.default())
    assert works(endpoint, listening)
    listening.socket.close()
    listening.remove()
    assert not folder.exists()


def test_without_unix_sockets_it_is_a_port_with_a_secret(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "LONGEST_SOCKET_PATH", 0)
    listening = begin(store.session_id)
    endpoint = listening.endpoint
    assert (endpoint.socket, len(endpoint.token)) == ("", 64)
    assert listening.socket.getsockname()[0] == "127.0.0.1"
    assert mode(listening.file) == 0o600
    assert works(endpoint, listening)
    listening.socket.close()
    listening.remove()


def test_what_dead_ones_left_is_removed(store: SessionStore) -> None:
    listening = begin(store.session_id)
    live = Locations.default().live
    # A process that was killed: the system has closed its socket and let its lock go.
    listening.socket.close()
    store._lock.release()
    assert running(Locations.default()) == ()
    assert list(live.iterdir()) == []


def test_the_place_of_a_session_that_another_process_has_resumed_is_stale(
    store: SessionStore,
) -> None:
    listening = begin(store.session_id)
    listening.socket.close()
    other = replace(listening.endpoint, pid=listening.endpoint.pid + 1)
    listening.file.write_bytes(msgspec.json.encode(other))
    assert running(Locations.default()) == ()
    assert not listening.file.exists()


def test_one_of_another_computer_is_seen_and_left_alone(store: SessionStore) -> None:
    """As on a shared home folder, whose locks hold between computers."""
    listening = begin(store.session_id)
    far = replace(listening.endpoint, host="elsewhere", socket="", port=9)
    listening.file.write_bytes(msgspec.json.encode(far))
    lock = SessionFiles(Locations.default().sessions, store.session_id).lock
    lock.write_bytes(msgspec.json.encode(Holder("elsewhere", far.pid, NOON)))
    assert running(Locations.default()) == (far,)
    assert not far.is_local
    listening.socket.close()


def test_leftovers_without_a_file_go_after_an_hour(store: SessionStore) -> None:
    live = Locations.default().live
    live.mkdir(parents=True)
    for name in ("old.sock", "new.sock", ".fwtui-0123.tmp"):
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(str(live / name))
    for name in ("old.sock", ".fwtui-0123.tmp"):
        os.utime(live / name, (0, 0))
    (live / "damaged.json").write_bytes(b"\xff")
    assert running(Locations.default()) == ()
    assert {path.name for path in live.iterdir()} == {"new.sock", "damaged.json"}
