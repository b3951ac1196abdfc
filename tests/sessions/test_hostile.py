"""What is in the state folder, and what connects, is hostile until it is checked."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from fwtui.batch.remote.endpoints import Endpoint, running
from fwtui.batch.remote.protocol import LONGEST_HELLO
from fwtui.cli.main import main
from fwtui.config.locations import Locations
from fwtui.core.events import JobsAdded
from fwtui.core.job import Job
from fwtui.core.settings import Settings
from fwtui.core.watched_folder import After, WatchedFolder
from fwtui.doctor import machine, verdicts
from fwtui.doctor.results import Severity
from fwtui.errors import ExitCode
from fwtui.sessions.delete import remove_scratch
from fwtui.sessions.store import SessionStore
from tests.batch.driver import BatchDriver, settings_for
from tests.disk.dying import DyingFiles
from tests.sessions import samples

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of POSIX")

NAME = "20251214_123456"
TODAY = f"fwtui-{datetime.now():%Y%m%d}.log"
# What fwtui reads, or writes at its start, in its folders.
FILES = (
    *(f"sessions/{NAME}.{kind}" for kind in ("json", "journal", "lock")),
    *("live/x.json", "last-batch.json", "history.json", f"logs/{TODAY}", f"logs/{NAME}.log"),
    *("watched/x.taken", "../config/settings.toml", "../config/path-maps.toml"),
)
COMMANDS = (
    *("sessions", "sessions --json", f"sessions show {NAME}", f"sessions export {NAME} --logs"),
    *("status", "status --json", "run --resume", "attach", "stop", "config show", "report-bug"),
    f"sessions discard {NAME}",
)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def folder(path: Path) -> None:
    path.mkdir()


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # sparse: it takes no room


def nested(path: Path) -> None:
    path.write_bytes(b'{"a":' * 500 + b"1" + b"}" * 500)


class Hangs(BaseException):
    """A command has not answered: nothing but the test may catch this."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Fail instead of hanging."""

    def fail(*_: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("trap", [pipe, device, loop, folder, huge, nested])
def test_nothing_hangs_or_fills_the_memory(
    trap: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each file that fwtui reads is a trap; every command answers in words."""
    locations = Locations.default()
    state = locations.state
    for name in FILES:
        path = (locations.config if "config" in name else state) / name.removeprefix("../config/")
        path.parent.mkdir(parents=True, exist_ok=True)
        other = SessionStore.create(locations.sessions, Settings(), samples.NOW, files=DyingFiles())
        other.commit(JobsAdded((Job(1, str(tmp_path / "missing.wav")),)))
        other.close()
        path.unlink(missing_ok=True)
        trap(path)
        for command in COMMANDS:
            with limited(20):
                code = main(command.split())
            said = capsys.readouterr()
            assert "mistake in fwtui" not in said.err, (name, command, said.err)
            assert code in set(ExitCode)
        for left in (path, *locations.sessions.glob(f"{NAME}*")):
            if left.is_dir() and not left.is_symlink():
                left.rmdir()
            else:
                left.unlink(missing_ok=True)


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_an_endpoint_file_deletes_nothing_but_a_socket(what: str, tmp_path: Path) -> None:
    """It may name any folder; only a socket in it and the then empty folder are ours."""
    place = tmp_path / "fwtui-precious"
    place.mkdir()
    (place / "thesis.txt").write_text("years of work")
    named = place / "socket"
    if what == "file":
        named.write_text("not a socket")
    elif what == "folder":
        (named / "inside").mkdir(parents=True)
    else:
        named.symlink_to(place / "thesis.txt")
    before = sorted(place.rglob("*"))
    live = Locations.default().live
    live.mkdir(parents=True)
    dead = Endpoint(NAME, socket.gethostname(), 1, samples.NOW, socket=str(named))
    (live / "x.json").write_bytes(msgspec.json.encode(dead))
    assert running(Locations.default()) == ()
    assert sorted(place.rglob("*")) == before
    assert not list(live.iterdir())


async def test_a_client_that_never_says_hello_is_not_listened_to(tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path / "out")) as batch:
        while not (found := running(Locations.default())):
            await asyncio.sleep(0.01)
        opened = socket.socket(socket.AF_UNIX) if found[0].socket else socket.socket()
        opened.connect(found[0].socket or ("127.0.0.1", found[0].port))
        opened.setblocking(False)
        loop, sent = asyncio.get_running_loop(), 0
        try:
            async with asyncio.timeout(120):
                while sent < 100 * LONGEST_HELLO:
                    await loop.sock_sendall(opened, bytes(LONGEST_HELLO))
                    sent += LONGEST_HELLO
        except OSError:
            pass  # it was thrown out
        opened.close()
        assert sent < 20 * LONGEST_HELLO
        assert batch.actor.session_id


@pytest.mark.parametrize("after", ["move", "tag"])
def test_a_stored_session_moves_no_recordings_unasked(
    after: After, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox = tmp_path / "in box"
    inbox.mkdir()
    (inbox / "talk.wav").write_bytes(b"sound")
    store = SessionStore.create(Locations.default().sessions, Settings(), samples.NOW)
    store.set_folders((WatchedFolder(path=str(inbox), after=after, settle_seconds=0),))
    store.close()
    assert main(["run", "--resume"]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert str(inbox) in said
    assert f"fwtui watch '{inbox}' --after {after}" in said
    assert (inbox / "talk.wav").exists()


def test_no_recording_is_taken_for_scratch(tmp_path: Path) -> None:
    recording, scratch = tmp_path / "tmp-interview.wav", tmp_path / "tmp-1.wav"
    for path in (recording, scratch):
        path.write_bytes(b"sound")
    removed, left = remove_scratch(
        (str(recording), str(scratch)), DyingFiles(), inputs=(str(recording),)
    )
    assert removed.files == (scratch,)
    assert left == []
    assert recording.exists()


@pytest.mark.parametrize(
    ("open_folder", "told"), [("", True), ("sessions", True), ("live", True), (None, False)]
)
def test_doctor_names_a_state_folder_that_others_can_write_to(
    open_folder: str | None, told: bool, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    for name in ("sessions", "live", "watched"):
        (state / name).mkdir(parents=True)
    if open_folder is not None:
        (state / open_folder).chmod(0o777)
    result = verdicts.disk(machine.disk("state", state))
    assert (result.level is Severity.WARNING and "everybody" in result.text) == told
    assert (f"chmod -R go-w {state}" in result.fix) == told
