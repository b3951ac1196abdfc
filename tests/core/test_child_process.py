"""Children run in a folder that stays, and find relative things where the user has them."""

import ast
import os
from pathlib import Path

import pytest

from fwtui.cli.main import main
from fwtui.core.child_process import CHILD_FOLDER, child_environment, current_folder
from fwtui.errors import ExitCode
from tests import house

_STARTS = {"Popen", "create_subprocess_exec", "run"}
# The names that it searches are as typed; the background process keeps the folder for hooks.
_ALLOWED = {"batch/prefetch.py", "cli/background.py"}


def test_every_child_is_told_where_to_run() -> None:
    """A new place where a child is started must say so, too."""
    found = {}
    root = house.ROOT / house.PACKAGE
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _starts_child(node.func):
                given = {keyword.arg for keyword in node.keywords}
                found[f"{file.relative_to(root).as_posix()}:{node.lineno}"] = "cwd" in given
    assert len(found) > 8
    without = {name.partition(":")[0] for name, given in found.items() if not given}
    assert without == _ALLOWED


def _starts_child(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        return (
            called.attr in _STARTS
            and called.value.id in {"subprocess", "asyncio"}
            and (called.value.id == "subprocess" or called.attr != "run")
        )
    return isinstance(called, ast.Name) and called.id == "create_subprocess_exec"


def test_relative_paths_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = {
        "HF_HOME": "models",
        "FWTUI_STATE_DIR": "../state",
        "PYTHONPATH": f"src{os.pathsep}{os.pathsep}/abs",
        "TMPDIR": "/tmp",
        "XDG_CACHE_HOME": "~/c",
        "HF_HUB_CACHE": "$HOME/x",
        "OTHER": "relative",
        "LD_LIBRARY_PATH": "",
    }
    assert child_environment(given) == given | {
        "HF_HOME": str(tmp_path / "models"),
        "FWTUI_STATE_DIR": str(tmp_path.parent / "state"),
        "PYTHONPATH": os.pathsep.join((str(tmp_path / "src"), str(tmp_path), "/abs")),
    }
    assert Path(CHILD_FOLDER).is_dir()


@pytest.mark.skipif(os.name == "nt", reason="the current folder cannot be deleted there")
def test_a_folder_that_has_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert current_folder() == gone
    gone.rmdir()
    assert current_folder() == tmp_path
    assert child_environment({"HF_HOME": "models"}) == {"HF_HOME": "models"}


@pytest.mark.skipif(os.name == "nt", reason="the current folder cannot be deleted there")
def test_the_program_in_a_folder_that_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message where a relative name would be needed; what needs none works."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for arguments in (["run", "a.wav"], ["run", "a.wav", "--output_dir", "/x"]):
        assert main(arguments) == ExitCode.CANNOT_START
        assert "no longer exists" in capsys.readouterr().err
    assert main(["sessions"]) == ExitCode.DONE
