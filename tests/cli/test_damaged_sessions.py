"""Every command against damaged sessions: in words, and without losing a byte of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fwtui.cli.main import main
from fwtui.config.locations import Locations
from fwtui.core.events import JobsAdded
from fwtui.core.settings import Settings
from fwtui.errors import ExitCode
from fwtui.sessions.scratch import sweep
from fwtui.sessions.store import SessionStore
from tests.disk.dying import DyingFiles
from tests.sessions import samples
from tests.sessions.test_damage_matrix import begin

NAME = f"{samples.NOW:%Y%m%d_%H%M%S}"
Damage = Callable[[Path], object]


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def in_folder(name: str, change: Callable[[Path], object]) -> Damage:
    return lambda folder: change(folder / f"{NAME}.{name}")


DAMAGES: dict[str, Damage] = {
    "a byte of the first line of the journal": in_folder("journal", lambda p: flip(p, 20)),
    "a byte of the second line of the journal": in_folder("journal", lambda p: flip(p, 150)),
    "an empty journal": in_folder("journal", lambda p: p.write_bytes(b"")),
    "a journal of zeros": in_folder("journal", lambda p: p.write_bytes(bytes(p.stat().st_size))),
    "no journal": in_folder("journal", lambda p: p.unlink()),
    "no session file": in_folder("json", lambda p: p.unlink()),
    "an empty session file": in_folder("json", lambda p: p.write_bytes(b"")),
    "half a session file": in_folder("json", lambda p: p.write_bytes(p.read_bytes()[:1500])),
    "a session file of zeros": in_folder("json", lambda p: p.write_bytes(bytes(500))),
    "a byte of the settings": in_folder("json", lambda p: flip(p, 300)),
    "a byte of the files": in_folder("json", lambda p: flip(p, p.stat().st_size - 300)),
}
COMMANDS = (
    *("sessions", "sessions --json", f"sessions show {NAME}", f"sessions export {NAME}"),
    *("status", "attach", "stop", "pause", "report-bug", "run missing.wav"),
    f"watch {Path(__file__).parent} --model /none",
)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A session that was killed after its files were added."""
    files = DyingFiles()
    folder = tmp_path / "whole"
    store = SessionStore.create(folder, Settings(), samples.NOW, files=files)
    store.commit(JobsAdded(tuple([samples.job(number) for number in range(1, 6)])))
    store.save_snapshot()
    begin(store)
    files.bury()
    return folder


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_no_command_loses_anything(
    damage: Damage, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(whole)
    content = {path.read_bytes() for path in whole.iterdir() if path.suffix != ".lock"}
    folder = Locations.default().sessions
    for command in COMMANDS:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        code = main(command.split())
        said = capsys.readouterr()
        assert "mistake in fwtui" not in said.err, command
        assert code in set(ExitCode)
        sweep(folder, folder, samples.NOW)
        kept = {path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert content <= kept, command
        if command.startswith("sessions"):
            assert NAME in said.err, command  # a sentence says what is damaged
            assert "damaged" in said.err or "journal" in said.err or "session file" in said.err


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_can_be_read_is_resumed(
    damage: Damage, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`run --resume` works through it, and the damaged file is in the quarantine."""
    damage(whole)
    damaged = {path.read_bytes() for path in whole.iterdir() if path.suffix != ".lock"}
    folder = Locations.default().sessions
    shutil.copytree(whole, folder)
    code = main(["run", "--resume", "--model", "tiny.en"])
    said = capsys.readouterr().err
    assert code != ExitCode.DONE  # the recordings are not there
    assert "mistake in fwtui" not in said
    assert "damaged" in said or "journal" in said or "unfinished session" in said
    kept = {path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(damaged & kept) >= len(damaged) - 1  # the intact one was continued
