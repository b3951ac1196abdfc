"""The program from the outside: help, versions, errors and their exit codes, quick start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fwtui import __version__
from fwtui.cli.command_table import COMMANDS
from fwtui.cli.main import are_paths, main
from fwtui.errors import EXIT_CODE_HELP, ExitCode, ModelError
from tests.cli.program import fwtui

HEAVY = {
    "textual",
    "numpy",
    "av",
    "faster_whisper",
    "ctranslate2",
    "onnxruntime",
    "psutil",
    "asyncio",
    "rich",
    "huggingface_hub",
}


@pytest.mark.parametrize(
    "statement",
    [
        "import fwtui.cli",
        "import fwtui.cli.main",
        "from fwtui.cli.main import main; main(['--help'])",
        "from fwtui.cli.main import main; main(['run', '--help'])",
        "from fwtui.cli.main import main; main(['demo', '--help'])",
        "from fwtui.cli.main import main; main(['models', '--help'])",
        "from fwtui.cli.main import main; main(['doctor', '--help'])",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(statement: str) -> None:
    heavy = HEAVY - {"asyncio"} if "'" in statement else HEAVY
    script = f"{statement}\nimport sys; print(sorted({heavy!r} & sys.modules.keys()))"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "environ", "expected"),
    [
        ([], {}, True),
        (["a.mp3", "./run", "https://host/talk"], {}, True),
        (["run"], {}, False),
        (["a.mp3", "run"], {}, True),
        (["a.mp3", "--model", "tiny"], {}, False),
        (["--", "a.mp3"], {}, False),
        (["-h"], {}, False),
        ([], {"_FWTUI_COMPLETE": "bash_complete"}, False),
    ],
)
def test_paths_alone_need_no_parser(
    words: list[str], environ: dict[str, str], expected: bool
) -> None:
    assert are_paths(words, environ) == expected


def test_version() -> None:
    result = fwtui("--version")
    assert (result.returncode, result.stdout) == (0, f"fwtui {__version__}\n")


def test_help_tells_the_commands_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == ExitCode.DONE
    text = capsys.readouterr().out
    for code, meaning in EXIT_CODE_HELP.items():
        assert f"{code:d}  {meaning}\n" in text
    for name, entry in COMMANDS.items():
        assert name in text
        assert entry.summary in text


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_with_the_exit_codes(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--help"]) == ExitCode.DONE
    text = capsys.readouterr().out
    assert f"Usage: fwtui {name} " in text
    assert EXIT_CODE_HELP[ExitCode.STOPPED] in text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run"], "no files given"),
        (["run", "x", "--no-such-option"], "--no-such-option"),
        (["run", "x", "--beam_size", "0"], "'0' is not a whole number, at least 1"),
        (["run", "x", "--beam_size", "None"], "'None' is not"),
        (["run", "x", "--task", "sing"], "one of transcribe, translate"),
        (["run", "x", "--highlight_words"], "--highlight_words requires --word_timestamps"),
        (["run", "x", "--max-line-width", "40"], "--max_line_width requires --word_timestamps"),
        (["run", "x", "--language", "Englsh"], "did you mean english?"),
        (["run", "x", "--model", "small.en", "--language", "de"], "use --model small,"),
        (["run", "x", "--quiet", "--verbose"], "cannot be used together"),
        (["run", "/nowhere/at/all.mp3"], "/nowhere/at/all.mp3"),
        (["run", "/nowhere/*.mp3"], "/nowhere/*.mp3"),
        (["demo", "--headles"], "--headless"),
        (["demo", "x"], "extra argument"),
        (["no-such-file"], "'no-such-file'"),
        (["--model", "tiny", "run"], "options follow the command"),
    ],
)
def test_wrong_usage_is_2_and_says_what(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == ExitCode.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert complaint in err


def test_a_model_folder_without_model_cannot_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "x", "--model_directory", str(tmp_path)]) == ExitCode.CANNOT_START
    assert f"no model in {tmp_path}" in capsys.readouterr().err


def test_an_empty_folder_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path)]) == ExitCode.USAGE
    assert f"no audio or video file found in: {tmp_path}" in capsys.readouterr().err


def test_a_wrong_settings_file_is_wrong_usage(
    own_folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = own_folders / "config" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[decoding]\nbeam_sise = 3\n")
    assert main(["run", str(tmp_path)]) == ExitCode.USAGE
    assert "beam_size" in capsys.readouterr().err


def test_without_a_terminal_the_screen_cannot_start(tmp_path: Path) -> None:
    result = fwtui(tmp_path)
    assert result.returncode == ExitCode.CANNOT_START
    assert "fwtui run" in result.stderr


def test_the_screen_takes_paths_and_options_but_shows_help_as_typed() -> None:
    result = fwtui(".", "--help")
    assert result.returncode == ExitCode.DONE
    assert result.stdout.startswith("Usage: ")
    assert "fwtui [OPTIONS] [PATHS]...\n" in result.stdout.replace("python -m ", "")


def test_a_demo_that_has_no_room_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    arguments = ["demo", "--headless", "--output_dir", str(tmp_path / "file" / "below")]
    assert main(arguments) == ExitCode.CANNOT_START
    assert "cannot copy the clips" in capsys.readouterr().err


def test_an_error_of_ours_has_title_hint_and_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ModelError("no model \x1b[31m", "get one")

    monkeypatch.setattr("fwtui.cli.screen.open_screen", fail)
    assert main([]) == ExitCode.CANNOT_START
    assert capsys.readouterr().err == "fwtui: no model \\x1b[31m\n  get one\n"


def test_a_mistake_of_ours_leaves_its_traceback_in_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own_folders: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the cat sat on it")

    monkeypatch.setattr("fwtui.cli.screen.open_screen", fail)
    assert main([]) == ExitCode.CANNOT_START
    (log,) = (own_folders / "state" / "logs").iterdir()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(str(log))
    assert "RuntimeError: the cat sat on it" in log.read_text()


def test_a_reader_that_leaves_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [sys.executable, "-m", "fwtui", "run", "--help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (result.returncode in {0, 1}, result.stderr) == (True, b"")
