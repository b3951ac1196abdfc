"""Runs fwtui as its users do, to be killed in the middle: by process and by socket.

Imports nothing of fwtui. Whoever is attached speaks the protocol of version 0.1 in plain JSON.
"""

import contextlib
import fcntl
import gzip
import json
import os
import pty
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from tests.old import places, recordings

ROOT = Path(places.NEUTRAL)
OUT = ROOT / "out"
PATIENCE = 60.0
HOST, REAL_HOST = "archive", "MAKE_SESSIONS_HOST"
FWTUI = (sys.executable, "-P", "-m", "fwtui")
Event = dict[str, Any]


class Running:
    """fwtui in a process group of its own, without a terminal or on one."""

    def __init__(self, *arguments: str | Path, on_screen: bool = False) -> None:
        command = [*FWTUI, *map(str, arguments)]
        environment = places.environment(ROOT) | {"TERM": "xterm-256color"}
        if on_screen:
            shown, slave = pty.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
            self.process = subprocess.Popen(
                command, stdin=slave, stdout=slave, stderr=slave, env=environment,
                start_new_session=True, cwd=ROOT,
            )  # fmt: skip
            os.close(slave)
            threading.Thread(target=_drain, args=(shown,), daemon=True).start()
            return
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment,
            start_new_session=True, cwd=ROOT,
        )  # fmt: skip

    def events(self) -> Iterator[Event]:
        """What `--json` tells, as it comes."""
        assert self.process.stdout is not None
        giving_up = threading.Timer(PATIENCE, self.process.kill)
        giving_up.daemon = True
        giving_up.start()
        return map(json.loads, self.process.stdout)

    def until(self, accept: Callable[[Event], bool]) -> Event:
        """The next such event."""
        return next(event for event in self.events() if accept(event))

    def kill(self) -> None:
        """As the OOM killer or a power cut: all at once, without a word."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        time.sleep(0.1)  # the engine is not our child

    def terminate(self) -> int:
        """As a system that shuts down; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


class Attached:
    """A client of the only batch that runs."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(_address())
        self._lines: IO[bytes] = self._socket.makefile("rb")
        self.talk: list[tuple[str, Event]] = []
        self.send({"type": "Hello", "protocol": 1, "version": _version(), "token": ""})
        self.welcome = self.next()
        self.snapshot = self.next()

    def send(self, *messages: Event) -> None:
        for message in messages:
            self.talk.append(("client", message))
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def next(self) -> Event:
        event: Event = json.loads(self._lines.readline())
        self.talk.append(("batch", event))
        return event

    def until(self, accept: Callable[[Event], bool]) -> Event:
        while True:
            if accept(event := self.next()):
                return event

    def until_all(self, *wanted: Callable[[Event], bool]) -> None:
        """Until each of these was heard of, in any order."""
        left = list(wanted)
        while left:
            event = self.next()
            left = [accept for accept in left if not accept(event)]

    def until_queued(self, files: int) -> None:
        """Until so many files are in the queue, and no more are looked for."""
        found = len(self.snapshot["jobs"])
        while found < files:
            event = self.next()
            found += len(event["jobs"]) if event["type"] == "JobsAdded" else 0

    def pause_inside(self) -> None:
        """Start; pause as soon as there are words of a file."""
        self.send({"type": "Start"})
        self.until(is_a("SegmentsFound"))
        self.send({"type": "Pause"})
        self.until(lambda event: event.get("phase") == "paused")


class World:
    """The neutral folders, empty at the beginning."""

    def __init__(self) -> None:
        self.media: dict[str, str] = {}
        self.clear()

    def clear(self) -> None:
        """Begin again."""
        ROOT.mkdir(exist_ok=True)
        for path in ROOT.iterdir():
            shutil.rmtree(path)
        self.media = {}
        for name in ("tmp", "state"):
            (ROOT / name).mkdir()
        recordings.put_model(ROOT / "hub")

    def put(self, recipe: str, name: str = "") -> Path:
        """A recording."""
        path = ROOT / "media" / (name or f"{recipe}.wav")
        recordings.make(recipe, path)
        self.media[places.quoted(str(path.relative_to(ROOT)))] = recipe
        return path

    def run(self, *arguments: str | Path, code: int = 0, state: str = "state") -> str:
        """fwtui to its end; stdout."""
        own = {"FWTUI_STATE_DIR": str(ROOT / state)}
        result = subprocess.run(
            [*FWTUI, *map(str, arguments)],
            env=places.environment(ROOT) | own, capture_output=True, text=True, cwd=ROOT,
            timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert result.returncode == code, (arguments, result.returncode, result.stderr)
        return result.stdout

    def whole(self, *arguments: str | Path) -> None:
        """What an uninterrupted run writes becomes what is expected."""
        self.run("run", *arguments, "-o", ROOT / "whole", state="whole-state")

    def listed(self, *, cache: str = "look-cache") -> str:
        """What `fwtui sessions --json` says, of a copy: it tidies up."""
        copy = ROOT / "look"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(ROOT / "state", copy, ignore=shutil.ignore_patterns("*.sock"))
        text = subprocess.run(
            [*FWTUI, "sessions", "--json"], capture_output=True, text=True, check=True,
            env=places.environment(ROOT)
            | {"FWTUI_STATE_DIR": str(copy), "FWTUI_CACHE_DIR": str(ROOT / cache)},
        ).stdout  # fmt: skip
        shutil.rmtree(copy)
        return text

    @property
    def journal(self) -> Path:
        """The journal of the only session; one that is not there if there is none."""
        return next((ROOT / "state" / "sessions").glob("*.journal"), ROOT / "none")

    def count(self, kind: str) -> int:
        """How many intact records of this kind the journal has."""
        if not self.journal.exists():
            return 0
        return sum(record["type"] == kind for record in places.records(self.journal))

    def wait_for(self, kind: str) -> None:
        """Until the journal has such a record."""
        deadline = time.monotonic() + PATIENCE
        while not self.count(kind):
            assert time.monotonic() < deadline, kind

    def keep(self, folder: Path, holds: str, more: dict[str, Any], wanted: tuple[str, ...]) -> None:
        """Copy what a later version reads of all this."""
        shutil.rmtree(folder, ignore_errors=True)
        ignore = shutil.ignore_patterns(
            "*.sock", "background.log", "fwtui-*.log", *_NEVER - {*wanted}
        )
        for name in ("state", "config", "out", "tmp"):
            if any((ROOT / name).rglob("*")):
                shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        if (ROOT / "whole").exists():
            shutil.copytree(ROOT / "whole", folder / places.EXPECTED)
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_file() and (path.stat().st_size > _LARGE or path.suffix == ".sqlite3"):
                _pack(path)
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
            elif quoted_name(path) != path.name:
                path.rename(path.with_name(quoted_name(path)))
        listed = self.listed()
        if listed.count("\n") == 1:
            more = {"session": json.loads(listed)["session_id"], **more}
        said = {"holds": holds, **more, "media": self.media}
        folder.mkdir(exist_ok=True)
        (folder / places.ABOUT).write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")
        if len(listed) > _LARGE:
            (folder / "listed.jsonl.gz").write_bytes(gzip.compress(listed.encode(), mtime=0))
        else:
            (folder / "listed.jsonl").write_text(listed)


# What is not read by a later version, or kept only where it is what matters.
_NEVER = {"logs", "names.lock", "transcribed.sqlite3", "history.json", "last-batch.json", "live"}
_LARGE = 30_000


def in_own_namespace(module: str) -> None:
    """Run this script again, on a host and with process ids of no machine, if it does not yet."""
    if socket.gethostname() == HOST:
        return
    os.environ[REAL_HOST] = socket.gethostname()
    namespace = ["unshare", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"]
    shell = ["sh", "-c", f'hostname {HOST} && exec "$@"', "sh"]
    script = [sys.executable, "-m", f"tests.data.{module}", *sys.argv[1:]]
    os.execvp("unshare", [*namespace, *shell, *script])


def quoted_name(path: Path) -> str:
    return places.quoted(path.name)


def is_a(kind: str) -> Callable[[Event], bool]:
    """Whether an event is of this kind."""
    return lambda event: event["type"] == kind


def is_watching(event: Event) -> bool:
    """Whether all watched folders were looked at."""
    folders = event.get("folders") if event["type"] == "FoldersChanged" else None
    return bool(folders) and all(one["state"] == "watching" for one in folders or ())


def is_state(state: str, name: str = "") -> Callable[[Event], bool]:
    """Whether a file, perhaps one of this name, is in this state now."""

    def accept(event: Event) -> bool:
        if event["type"] != "JobChanged":
            return False
        job = event["job"]
        return bool(job["state"]["type"] == state and job["path"].endswith(name))

    return accept


def _pack(path: Path) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


def _drain(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(descriptor, 65536):
            pass


def _address() -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for file in (ROOT / "state" / "live").glob("*.json"):
            return str(json.loads(file.read_bytes())["socket"])
        time.sleep(0.02)
    raise TimeoutError("no batch runs")


def _version() -> str:
    words = subprocess.run([*FWTUI, "--version"], capture_output=True, text=True, check=True)
    return words.stdout.split()[-1]
