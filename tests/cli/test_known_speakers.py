"""`fwtui speakers`: voices added by a child with two tiny networks, listed and deleted."""

import json
from pathlib import Path

import pytest

from fwtui.cli.main import main
from fwtui.config.locations import Locations
from fwtui.errors import ExitCode
from tests.engine.support import write_wav
from tests.speakers.networks import recording, write_embedding, write_networks


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both networks."""
    return write_networks(tmp_path_factory.mktemp("networks"))


def test_a_voice_is_added_listed_and_deleted(
    networks: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FWTUI_DIARIZE_MODEL", str(networks))
    locations = Locations.default()
    path = locations.known_voices
    alone, both, silent = (tmp_path / f"{name}.wav" for name in ("alone", "both", "silent"))
    write_wav(alone, recording([(0, 5, 0)], 6))
    write_wav(both, recording([(0, 3, 0), (3, 12, 1)], 12))
    write_wav(silent, recording([], 3))

    assert main(["speakers", "list"]) == ExitCode.DONE
    assert "no known speakers" in capsys.readouterr().err

    assert main(["speakers", "add", "Anna", str(alone)]) == ExitCode.DONE
    told = capsys.readouterr()
    assert told.out == ""
    assert "added Anna: the only voice in the recording, 0:05 of speech" in told.err
    assert "--known_speakers" in told.err
    assert main(["speakers", "add", "Ben", str(both)]) == ExitCode.DONE
    assert "the one with most speech was taken: 75% (0:09 of 0:12)" in capsys.readouterr().err
    assert not list(locations.scratch.iterdir())

    kept = path.read_bytes()
    for wrong, code, text in (
        (["add", "Cleo", str(silent)], ExitCode.CANNOT_START, "No voice can be heard"),
        (["add", "Cleo", str(tmp_path / "none.wav")], ExitCode.USAGE, "not found"),
        (["add", "Cleo", str(networks / "voices.onnx")], ExitCode.CANNOT_START, "voices.onnx"),
        (["add", "[Cleo]", str(alone)], ExitCode.USAGE, "No speaker can be called"),
        (["delete", "Cleo"], ExitCode.USAGE, "No known speaker is called Cleo"),
        (["delete"], ExitCode.USAGE, "either a name or --all"),
        (["delete", "Anna", "--all"], ExitCode.USAGE, "either a name or --all"),
    ):
        assert main(["speakers", *wrong]) == code, wrong
        assert text in capsys.readouterr().err
    assert path.read_bytes() == kept
    assert not list(locations.scratch.iterdir())

    assert main(["speakers", "list", "--json"]) == ExitCode.DONE
    printed = capsys.readouterr().out
    anna, ben = (json.loads(line) for line in printed.splitlines())
    assert (anna["name"], ben["name"], anna["compared"]) == ("Anna", "Ben", True)
    vectors = [one["vector"] for one in json.loads(kept)["voices"]]
    assert not any(vector in printed for vector in vectors)

    other = write_networks(tmp_path / "other")
    write_embedding(other / "voices.onnx", "another name of the input")
    monkeypatch.setenv("FWTUI_DIARIZE_MODEL", str(other))
    assert main(["speakers", "list"]) == ExitCode.DONE
    assert capsys.readouterr().out.count("not compared") == 2

    assert main(["report-bug"]) == ExitCode.DONE
    reported = capsys.readouterr().out
    assert not any(private in reported for private in (*vectors, "Anna", path.name))

    assert main(["speakers", "delete", "Anna"]) == ExitCode.DONE
    assert main(["speakers", "delete", "--all"]) == ExitCode.DONE
    assert not path.exists()
    capsys.readouterr()


def test_models_that_are_not_there_are_told_before_anything_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    write_wav(tmp_path / "a.wav", recording([(0, 2, 0)], 2))
    assert main(["speakers", "add", "Anna", str(tmp_path / "a.wav")]) == ExitCode.CANNOT_START
    assert "fwtui models download speakers" in capsys.readouterr().err
    assert not Locations.default().known_voices.exists()
