"""A user without a home directory, as in containers: one sentence, or folders that are named."""

from pathlib import Path
from typing import NoReturn

import pytest

from fwtui import demo
from fwtui.cli.completing import session_ids
from fwtui.cli.console import Console
from fwtui.cli.logfile import record_crash
from fwtui.cli.main import main
from fwtui.config.locations import Locations
from fwtui.core.paths import expand_home
from fwtui.errors import ExitCode
from fwtui.models.cache import hub_cache

pwd = pytest.importorskip("pwd")
VARIABLES = ("FWTUI_STATE_DIR", "FWTUI_CACHE_DIR", "FWTUI_CONFIG_DIR")
COMMANDS = (
    *("", "run a.mp3", "watch .", "demo", "models", "doctor", "bench", "attach", "status"),
    *("sessions", "config show", "report-bug"),
)
OTHERS = ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME", "HF_HUB_CACHE")


@pytest.fixture(autouse=True)
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(user: object) -> NoReturn:
        raise KeyError(f"getpwuid(): uid not found: {user}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(pwd, "getpwnam", unknown)
    for name in OTHERS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def unnamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the folders that each test has of its own."""
    for name in VARIABLES:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("unnamed")
@pytest.mark.parametrize("command", COMMANDS)
def test_one_sentence_names_what_to_set(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command.split()) == ExitCode.CANNOT_START
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert all(name in said for name in VARIABLES)


@pytest.mark.usefixtures("unnamed")
def test_completion_has_nothing_to_offer() -> None:
    ctx, param = None, None
    assert session_ids(ctx, param, "") == []  # type: ignore[arg-type]


@pytest.mark.usefixtures("unnamed")
def test_a_mistake_is_told_without_another(capsys: pytest.CaptureFixture[str]) -> None:
    assert record_crash(ZeroDivisionError("oops"), Console()) == ExitCode.CANNOT_START
    assert "ZeroDivisionError: oops" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["models", "sessions", "status", "config show", "demo"])
def test_with_the_folders_it_works(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command.split()) == ExitCode.DONE


def test_models_are_in_the_folder_that_is_named() -> None:
    assert hub_cache() == Locations.default().cache / "hub"
    assert hub_cache("models") == Path("models")


def test_nothing_is_expanded() -> None:
    assert expand_home("~/a") == Path("~/a")
    assert expand_home("~nobody-of-that-name/a") == Path("~nobody-of-that-name/a")


def test_a_batch_works_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    options = "--model", str(demo.model_dir()), "-o", str(out), "--device", "cpu", "-f", "txt"
    assert main(["run", str(demo.clips()[0]), *options]) == ExitCode.DONE
    assert list(out.glob("*.txt"))
    assert "Traceback" not in capsys.readouterr().err
