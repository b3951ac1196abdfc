"""`fwtui config` on a real settings file."""

import json
import sys
import tomllib
from pathlib import Path

import pytest

from fwtui.cli.main import main
from fwtui.config.locations import Locations
from fwtui.config.sources import load_settings
from fwtui.core.settings import Settings
from fwtui.errors import ExitCode

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def file(own_folders: Path) -> Path:
    path = Locations.default().config_file
    path.parent.mkdir(parents=True)
    path.write_text("# mine\n[decoding]\nbeam_size = 2 # two\n")
    return path


def test_show_says_where_each_value_comes_from(
    file: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FWTUI_PATIENCE", "2")
    arguments = ["--profile", "fast", "--language", "de", "--changed"]
    assert main(["config", "show", *arguments]) == ExitCode.DONE
    out = capsys.readouterr().out
    shown = {line.split()[0]: line.partition("# ")[2] for line in out.splitlines() if "=" in line}
    assert shown == {
        "compute_type": "profile Fast",
        "language": "--language",
        "beam_size": "profile Fast",
        "best_of": "profile Fast",
        "patience": "FWTUI_PATIENCE",
    }
    wanted = {"language": "de", "beam_size": 1, "best_of": 1, "patience": 2.0}
    assert tomllib.loads(out)["decoding"] == wanted
    assert main(["config", "show", "beam_size", "--json"]) == ExitCode.DONE
    (told,) = json.loads(capsys.readouterr().out)
    assert told == {
        "key": "decoding.beam_size",
        "value": 2,
        "default": 5,
        "origin": "file",
        "source": str(file),
    }


def test_show_without_a_file_is_a_file_with_the_defaults(
    own_folders: Path, capsys: Capture, tmp_path: Path
) -> None:
    assert main(["config", "show"]) == ExitCode.DONE
    written = tmp_path / "all.toml"
    written.write_text(capsys.readouterr().out)
    assert load_settings(written) == Settings()


def test_path_set_and_unset_keep_the_comments(file: Path, capsys: Capture) -> None:
    assert main(["config", "path"]) == ExitCode.DONE
    assert capsys.readouterr().out.strip() == str(file)
    assert main(["config", "set", "beam_size", "3"]) == ExitCode.DONE
    assert main(["config", "set", "log.level", "warning"]) == ExitCode.DONE
    text = "# mine\n[decoding]\nbeam_size = 3 # two\n"
    assert file.read_text() == f'{text}\n[log]\nlevel = "warning"\n'
    assert main(["config", "unset", "log_level"]) == ExitCode.DONE
    assert file.read_text() == f"{text}\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["beamsize", "3"], "did you mean decoding.beam_size?"),
        (["beam_size", "0"], "at least 1"),
        (["memory_limit", "lots"], "12GB"),
        (["on_file_done", "say 'hello"], "quotation"),
    ],
)
def test_set_refuses_what_is_wrong(
    file: Path, capsys: Capture, arguments: list[str], complaint: str
) -> None:
    before = file.read_text()
    assert main(["config", "set", *arguments]) == ExitCode.USAGE
    assert complaint in capsys.readouterr().err
    assert file.read_text() == before


def test_validate_says_all_that_is_wrong(
    file: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["config", "validate"]) == ExitCode.DONE
    assert "valid: 1 setting, 0 profiles, 0 keys" in capsys.readouterr().err
    monkeypatch.setenv("FWTUI_BEAMSIZE", "3")
    assert main(["config", "validate"]) == ExitCode.USAGE
    assert "did you mean FWTUI_BEAM_SIZE?" in capsys.readouterr().err
    file.write_text("[decoding]\nbeamsize = 3\n[keys]\nremove = 1\n")
    assert main(["config", "validate", str(file)]) == ExitCode.USAGE
    err = capsys.readouterr().err
    assert "did you mean decoding.beam_size?" in err
    assert "the keys of 'remove'" in err
    file.write_text('[keys]\nremov = "x"\n')
    assert main(["config", "validate", str(file)]) == ExitCode.USAGE
    assert "did you mean remove?" in capsys.readouterr().err


def test_edit_opens_the_editor_and_checks(
    own_folders: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "editor.py"
    script.write_text("import sys\nopen(sys.argv[1], 'a').write('[decoding]\\nbeam_size = 0\\n')\n")
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    monkeypatch.delenv("VISUAL", raising=False)
    assert main(["config", "edit"]) == ExitCode.USAGE
    assert "decoding.beam_size cannot be 0" in capsys.readouterr().err
    assert Locations.default().config_file.read_text().startswith("# Settings of fwtui")


def test_profiles_and_schema(file: Path, capsys: Capture) -> None:
    file.write_text("[profiles.Mine]\ndecoding.beam_size = 8\n")
    assert main(["config", "profiles"]) == ExitCode.DONE
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["Mine", "Fast", "Precise", "Deep"]
    assert main(["config", "schema"]) == ExitCode.DONE
    schema = json.loads(capsys.readouterr().out)
    assert "remove" in schema["properties"]["keys"]["properties"]
