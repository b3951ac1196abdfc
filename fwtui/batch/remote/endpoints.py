"""Endpoints of running batches: one small file for each in the `live` folder.

An endpoint is a Unix socket beside that file, if its path is short enough; otherwise a socket in a
private temporary folder; otherwise a port on the loopback interface, with a secret in the file.
"""

import contextlib
import os
import secrets
import socket
import stat
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fwtui.config.locations import Locations
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.disk.codec import UNREADABLE
from fwtui.disk.files import (
    PRIVATE_FILE,
    ensure_folder,
    folder_error,
    read_regular,
    storage_error,
    write_atomic,
)
from fwtui.disk.files import TEMP_PREFIX as UNFINISHED
from fwtui.disk.lock import Holder, holder_of
from fwtui.errors import StorageError
from fwtui.sessions.session_files import SessionFiles

# The shortest limit there is (macOS: 104 with the final zero; Linux has 108).
LONGEST_SOCKET_PATH = 103
TEMP_PREFIX = "fwtui-"
CONNECT_SECONDS = 10.0
UNFINISHED_SECONDS = 3600.0
LARGEST = 1 << 16  # bytes of an endpoint file


class Endpoint(msgspec.Struct, frozen=True):
    """The process that runs a batch, and its Unix `socket`, or `port` with a `token`."""

    session_id: str
    host: str
    pid: int
    since: datetime
    socket: str = ""
    port: int = 0
    token: str = ""

    def __str__(self) -> str:
        """The process, for people."""
        return f"fwtui on {self.host} (process {self.pid}) since {self.since:%Y-%m-%d %H:%M:%S}"

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine: others may share the folder, but not sockets."""
        return self.host == socket.gethostname()


class Listening(msgspec.Struct, frozen=True):
    """A listening socket and the file of its endpoint; `remove` deletes both."""

    socket: socket.socket
    endpoint: Endpoint
    file: Path

    def remove(self) -> None:
        """Delete the file and the socket: nobody can connect any more."""
        _remove(self.file, self.endpoint)


def listen(live: Path, session_id: str, since: datetime) -> Listening:
    """Listen for clients of this session, and write its endpoint file. Raises StorageError."""
    name = f"{session_id}-{secrets.token_hex(4)}"
    file = live / f"{name}.json"
    endpoint = Endpoint(session_id, socket.gethostname(), os.getpid(), since)
    try:
        ensure_folder(live)
        opened, path = _open_unix(live / f"{name}.sock")
        if opened is not None:
            endpoint = replace(endpoint, socket=path_to_text(path))
        else:
            opened = socket.create_server(("127.0.0.1", 0))
            port = opened.getsockname()[1]
            endpoint = replace(endpoint, port=port, token=secrets.token_hex(32))
    except OSError as error:
        raise storage_error(error, live, "listen in") from error
    try:
        write_atomic(file, msgspec.json.encode(endpoint), PRIVATE_FILE)
    except StorageError:
        opened.close()
        _remove(file, endpoint)
        raise
    return Listening(opened, endpoint, file)


def _open_unix(wanted: Path) -> tuple[socket.socket | None, Path]:
    """A socket at `wanted` or at a shorter path; None if there can be none."""
    if sys.platform == "win32":
        return None, wanted
    if (opened := _bind(wanted)) is not None:
        return opened, wanted
    with contextlib.suppress(OSError):
        folder = Path(tempfile.mkdtemp(prefix=TEMP_PREFIX))
        if (opened := _bind(folder / "socket")) is not None:
            return opened, folder / "socket"
        folder.rmdir()
    return None, wanted


def _bind(path: Path) -> socket.socket | None:
    """Listen at a path in a folder of this user only; None if that is not possible."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        return None
    opened = socket.socket(socket.AF_UNIX)
    try:
        opened.bind(os.fspath(path))
        path.chmod(PRIVATE_FILE)
        opened.listen()
    except OSError:  # some shared and FUSE file systems have no sockets
        opened.close()
        return None
    return opened


def connect(endpoint: Endpoint) -> socket.socket:
    """Connect to a batch; blocks for a short time. Raises OSError."""
    if not endpoint.socket:
        return socket.create_connection(("127.0.0.1", endpoint.port), CONNECT_SECONDS)
    opened = socket.socket(socket.AF_UNIX)
    try:
        opened.settimeout(CONNECT_SECONDS)
        opened.connect(os.fspath(text_to_path(endpoint.socket)))
    except OSError:
        opened.close()
        raise
    return opened


def running(locations: Locations) -> tuple[Endpoint, ...]:
    """The endpoints of running batches, the oldest first; leftovers of crashed ones are deleted.

    A batch is running while it holds its session. Blocks on the disk; raises StorageError if the
    folder of the endpoints cannot be looked into.
    """
    found = []
    try:
        files = sorted(path for path in locations.live.iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        files = []
    except OSError as error:
        raise folder_error(error, locations.live) from error
    for file in files:
        endpoint = _read(file)
        if endpoint is None:
            continue
        if is_running(endpoint, locations):
            found.append(endpoint)
        else:
            _remove(file, endpoint)
    with contextlib.suppress(OSError):
        _remove_unfinished(locations)
    return tuple(sorted(found, key=lambda endpoint: (endpoint.since, endpoint.session_id)))


def is_running(endpoint: Endpoint, locations: Locations) -> bool:
    """Whether the process of the endpoint still holds the session."""
    try:
        holder = holder_of(SessionFiles(locations.sessions, endpoint.session_id).lock)
    except StorageError:
        return True  # unknown: leave it alone
    return holder is not None and _is_same(holder, endpoint)


def _is_same(holder: Holder, endpoint: Endpoint) -> bool:
    unknown = holder.pid == 0  # it is being written, or could not be
    return unknown or (holder.host, holder.pid) == (endpoint.host, endpoint.pid)


def _read(file: Path) -> Endpoint | None:
    try:
        return msgspec.json.decode(read_regular(file, LARGEST), type=Endpoint)
    except (OSError, *UNREADABLE):
        return None


def _remove_unfinished(locations: Locations) -> None:
    """Delete leftovers of processes that were killed before their endpoint was complete."""
    lone = [p for p in locations.live.glob("*.sock") if not p.with_suffix(".json").exists()]
    unfinished = [p for f in (locations.live, locations.state) for p in f.glob(f"{UNFINISHED}*")]
    for path in (*lone, *unfinished):
        if time.time() - path.lstat().st_mtime > UNFINISHED_SECONDS:
            path.unlink(missing_ok=True)


def _remove(file: Path, endpoint: Endpoint) -> None:
    """Delete the file and its socket; nothing else, whatever the file names."""
    with contextlib.suppress(OSError, ValueError):
        if endpoint.socket:
            _remove_socket(text_to_path(endpoint.socket), file.parent)
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)


def _remove_socket(path: Path, live: Path) -> None:
    """Delete a socket of ours, and the folder that was made for it. Raises OSError."""
    is_beside = path.parent == live and path.suffix == ".sock"
    folder = None if is_beside else path.parent
    if folder is not None and not (
        folder.name.startswith(TEMP_PREFIX) and path.name == "socket" and is_private(folder)
    ):
        return
    if stat.S_ISSOCK(path.lstat().st_mode):
        path.unlink(missing_ok=True)
    if folder is not None:
        folder.rmdir()


def is_private(folder: Path) -> bool:
    """Whether this is a folder, not a link to one, of this user."""
    found = folder.lstat()
    mine = sys.platform == "win32" or found.st_uid == os.geteuid()
    return mine and stat.S_ISDIR(found.st_mode)
