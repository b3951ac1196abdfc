"""What may not be looked into is said, with the command that mends it: never "there is nothing"."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from fwtui.batch.remote.endpoints import running
from fwtui.cli.main import main
from fwtui.config.locations import Locations
from fwtui.disk.files import access_hint
from fwtui.errors import StorageError
from fwtui.sessions.catalog import list_sessions

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")

COMMANDS = (
    *("sessions", "sessions show X", "sessions discard X", "sessions export X", "status"),
    *("run --resume", "attach", "stop", "pause"),
)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of another user, as the system shows it."""
    state = Locations.default().state
    state.mkdir(parents=True, exist_ok=True)

    def refuse(path: Path, *_: object, **__: object) -> object:
        if state in (path, *path.parents):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    real = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", refuse)
    monkeypatch.setattr(os, "access", lambda path, _: state not in (path, *Path(path).parents))
    monkeypatch.setattr(os, "geteuid", lambda: state.stat().st_uid + 4711)
    return state


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_it(
    command: str, closed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command.split()) != 0
    said = capsys.readouterr()
    assert "Permission denied" in said.err
    assert "sudo chown -R" in said.err
    assert str(closed) in said.err
    assert "no unfinished session" not in said.out + said.err


def test_the_lists_raise(closed: Path) -> None:
    with pytest.raises(StorageError, match="Cannot look into"):
        list_sessions(closed / "sessions", temp=closed)
    with pytest.raises(StorageError, match="Cannot look into"):
        running(Locations.default())


def test_a_folder_of_ones_own_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "it's closed"
    closed.mkdir()
    (closed / "file").touch()
    assert access_hint(closed / "file") == ""
    monkeypatch.setattr(os, "access", lambda path, _: path != closed)
    hint = access_hint(closed / "file")
    assert hint == f"Allow it: chmod -R u+rwX {shlex.quote(str(closed))}"
