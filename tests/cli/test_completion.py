"""What a shell offers when Tab is pressed."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from fwtui.cli.command_table import COMMANDS
from fwtui.cli.completion import SHELLS, VARIABLE
from fwtui.cli.main import main
from fwtui.cli.program import program
from fwtui.config.locations import Locations
from fwtui.errors import ExitCode


def offered(line: str) -> list[str]:
    """What is offered for the last word of a line; `FILE` and `FOLDER` stand for paths."""
    *before, incomplete = line.split(" ")
    found = ShellComplete(program, {}, "fwtui", VARIABLE).get_completions(before, incomplete)
    kinds = {"file": "FILE", "dir": "FOLDER"}
    return [kinds.get(item.type, item.value) for item in found]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ["FILE", *COMMANDS]),
        ("ben", ["FILE", "bench"]),
        ("talk.mp3 ", ["FILE"]),
        ("--batched ben", ["FILE"]),
        ("--model tiny ben", ["FILE"]),
        ("run ", ["FILE"]),
        ("run --output_d", ["--output_dir"]),
        ("run --output-d", ["--output_dir"]),
        ("run --output_dir ", ["FOLDER"]),
        ("run --output_format s", ["srt"]),
        ("run --output_format=s", ["srt"]),
        ("run --model sm", ["FOLDER", "small", "small.en"]),
        ("run --language de", ["de"]),
        ("run --vad_filter ", ["FILE"]),
        ("run --json ", ["FILE"]),
        ("sessions ex", ["export"]),
        ("sessions export --format t", ["toml"]),
        ("completion z", ["zsh"]),
        ("stop ", []),
    ],
)
def test_what_is_offered(line: str, expected: list[str]) -> None:
    assert offered(line) == expected


def test_stored_sessions_are_offered_the_newest_first() -> None:
    folder = Locations.default().sessions
    folder.mkdir(parents=True)
    for name in ("20260101_000000", "20260314_150926"):
        (folder / f"{name}.json").touch()
    for line in ("run --resume ", "sessions show ", "sessions discard "):
        assert offered(line) == ["20260314_150926", "20260101_000000"]
    assert offered("sessions discard 20260101_000000 202603") == ["20260314_150926"]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == ExitCode.DONE
    assert f"{VARIABLE}={shell}_complete" in capsys.readouterr().out


def test_bash_completes_with_it(own_folders: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    script = """
        eval "$(fwtui completion bash)"
        COMP_WORDS=(fwtui run --output-fo); COMP_CWORD=2; _fwtui_completion fwtui
        echo "${COMPREPLY[@]}"
    """
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    found = subprocess.run(
        [bash, "--norc", "-c", script],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (found.stdout, found.stderr) == ("--output_format\n", "")


def test_commands_at_work_import_nothing_for_it() -> None:
    script = (
        "import sys; from fwtui.cli.main import main; main(['run', '--help']);"
        "print([n for n in sys.modules if 'shell_completion' in n or n.endswith('.completion')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "[]"
