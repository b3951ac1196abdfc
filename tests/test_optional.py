"""On a bare machine nothing is skipped but what tests/optional.py names, and that is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.optional import Optional, summary

ROOT = Path(__file__).resolve().parents[1]
CONFTEST = """
from tests.optional import SkipReport

def pytest_configure(config):
    config.pluginmanager.register(SkipReport())
"""


def run_pytest(*arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run tests with `path` alone on the PATH."""
    environ = {**os.environ, "PATH": str(path), "PYTHONPATH": str(ROOT)}
    environ.pop("FWTUI_REQUIRE_TOOLS", None)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return subprocess.run(
        [*command, *arguments], cwd=ROOT, env=environ, text=True, capture_output=True, check=False
    )


def test_each_thing_is_told_on_one_line_with_how_to_get_it() -> None:
    lines, others = summary(["needs tmux", "needs whisper", "needs tmux", "no ffmpeg"])
    assert [line.split(",")[0] for line in lines] == ["2 skipped", "1 skipped"]
    assert "apt-get install tmux" in lines[0]
    assert others == ["no ffmpeg"]


def test_on_a_bare_machine_only_tests_on_a_terminal_are_skipped(tmp_path: Path) -> None:
    done = run_pytest("tests/cli/test_terminal.py", path=tmp_path)
    assert done.returncode == 0, done.stdout
    assert f" skipped, {Optional.TMUX.value[0]}: {Optional.TMUX.value[1]}\n" in done.stdout
    assert " passed" not in done.stdout


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("pytest.skip('needs tmux')", 0),
        ("pytest.skip('ffmpeg is not installed')", 1),
        ("pytest.importorskip('espeak')", 1),
        ("pass", 0),
    ],
)
def test_a_session_fails_if_something_else_is_skipped(body: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(f"import pytest\n\ndef test_it():\n    {body}\n")
    done = run_pytest(str(tmp_path), "--rootdir", str(tmp_path), path=tmp_path)
    assert done.returncode == code, done.stdout
    assert ("no test may be skipped for" in done.stdout) == bool(code)


def test_no_test_starts_a_program_that_makes_media() -> None:
    """What trains the demo model and makes its clips is run by hand."""
    here = Path(__file__)
    by_hand = ROOT / "tests" / "demo_model"
    for file in sorted((ROOT / "tests").rglob("*.py")):
        if file != here and by_hand not in file.parents:
            text = file.read_text(encoding="utf-8")
            for program in ("ffmpeg", "ffprobe", "sox", "espeak-ng"):
                assert f'"{program}"' not in text, f"{file} starts {program}"
