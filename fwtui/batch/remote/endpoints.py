"""Where running batches can be reached: one small file for each in the `live` folder.

A Unix socket beside it, if the path is short enough for one; else a socket in a private folder
for temporary files; else a port of this machine alone, with a secret that only the file has.
"""

import contextlib
import os
import secrets
import shutil
import socket
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
from fwtui.disk.files import PRIVATE_FILE, ensure_folder, storage_error, write_atomic
from fwtui.disk.files import TEMP_PREFIX as UNFINISHED
from fwtui.disk.lock import Holder, holder_of
from fwtui.errors import StorageError
from fwtui.sessions.paths import SessionFiles

# The shortest limit there is (macOS: 104 with the final zero; Linux has 108).
LONGEST_SOCKET_PATH = 103
TEMP_PREFIX = "fwtui-"
CONNECT_SECONDS = 10.0
UNFINISHED_SECONDS = 3600.0


class Place(msgspec.Struct, frozen=True):
    """Who runs a batch, and where it listens: at a Unix `socket`, or at a `port` with a `token`."""

    session_id: str
    host: str
    pid: int
    since: datetime
    socket: str = ""
    port: int = 0
    token: str = ""

    def __str__(self) -> str:
        """For people."""
        return f"fwtui on {self.host} (process {self.pid}) since {self.since:%Y-%m-%d %H:%M:%S}"

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine: others share the folder, but no sockets."""
        return self.host == socket.gethostname()


class Listening(msgspec.Struct, frozen=True):
    """A socket that listens, and what its file says. `file` and the socket go with `remove`."""

    socket: socket.socket
    place: Place
    file: Path

    def remove(self) -> None:
        """Nobody can come any more."""
        _remove(self.file, self.place)


def listen(live: Path, session_id: str, since: datetime) -> Listening:
    """Listen for this session, and say so in the `live` folder. Raises StorageError."""
    name = f"{session_id}-{secrets.token_hex(4)}"
    file = live / f"{name}.json"
    place = Place(session_id, socket.gethostname(), os.getpid(), since)
    try:
        ensure_folder(live)
        opened, path = _open_unix(live / f"{name}.sock")
        if opened is not None:
            place = replace(place, socket=path_to_text(path))
        else:
            opened = socket.create_server(("127.0.0.1", 0))
            port = opened.getsockname()[1]
            place = replace(place, port=port, token=secrets.token_hex(32))
    except OSError as error:
        raise storage_error(error, live, "listen in") from error
    try:
        write_atomic(file, msgspec.json.encode(place), PRIVATE_FILE)
    except StorageError:
        opened.close()
        _remove(file, place)
        raise
    return Listening(opened, place, file)


def _open_unix(wanted: Path) -> tuple[socket.socket | None, Path]:
    """A socket at `wanted`, or at a shorter path; None where there can be none."""
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
    """Listen at a path in a folder that only this user can enter; None: it cannot be done there."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        return None
    opened = socket.socket(socket.AF_UNIX)
    try:
        opened.bind(os.fspath(path))
        path.chmod(PRIVATE_FILE)
        opened.listen()
    except OSError:  # some shared and FUSE file systems know no sockets
        opened.close()
        return None
    return opened


def connect(place: Place) -> socket.socket:
    """A connection to a batch; blocks for a short time. Raises OSError."""
    if not place.socket:
        return socket.create_connection(("127.0.0.1", place.port), CONNECT_SECONDS)
    opened = socket.socket(socket.AF_UNIX)
    try:
        opened.settimeout(CONNECT_SECONDS)
        opened.connect(os.fspath(text_to_path(place.socket)))
    except OSError:
        opened.close()
        raise
    return opened


def running(locations: Locations) -> tuple[Place, ...]:
    """Where the running batches are, the oldest first. What dead ones left behind is deleted.

    A batch runs as long as it holds its session. Blocks on the disk; never raises.
    """
    found = []
    with contextlib.suppress(OSError):
        for file in sorted(locations.live.glob("*.json")):
            place = _read(file)
            if place is None:
                continue
            if is_running(place, locations):
                found.append(place)
            else:
                _remove(file, place)
        _remove_unfinished(locations)
    return tuple(sorted(found, key=lambda place: (place.since, place.session_id)))


def is_running(place: Place, locations: Locations) -> bool:
    """Whether the process that said so still holds the session."""
    try:
        holder = holder_of(SessionFiles(locations.sessions, place.session_id).lock)
    except StorageError:
        return True  # nothing is known: leave it alone
    return holder is not None and _is_same(holder, place)


def _is_same(holder: Holder, place: Place) -> bool:
    unknown = holder.pid == 0  # it writes its name at this moment, or could not
    return unknown or (holder.host, holder.pid) == (place.host, place.pid)


def _read(file: Path) -> Place | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Place)
    except (OSError, *UNREADABLE):
        return None


def _remove_unfinished(locations: Locations) -> None:
    """Delete what processes that were killed while they wrote or began to listen have left."""
    lone = [p for p in locations.live.glob("*.sock") if not p.with_suffix(".json").exists()]
    unfinished = [p for f in (locations.live, locations.state) for p in f.glob(f"{UNFINISHED}*")]
    for path in (*lone, *unfinished):
        if time.time() - path.lstat().st_mtime > UNFINISHED_SECONDS:
            path.unlink(missing_ok=True)


def _remove(file: Path, place: Place) -> None:
    """Delete the file and what it names, if that is a socket of ours."""
    with contextlib.suppress(OSError):
        if place.socket:
            path = text_to_path(place.socket)
            if path.parent == file.parent and path.suffix == ".sock":
                path.unlink(missing_ok=True)
            elif path.parent.name.startswith(TEMP_PREFIX) and path.name == "socket":
                shutil.rmtree(path.parent, ignore_errors=True)
        file.unlink(missing_ok=True)
