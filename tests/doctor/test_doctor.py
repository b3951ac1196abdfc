"""The examination of this machine: real children, a real engine, a really missing library."""

import json
import sys
from pathlib import Path

import pytest

from fwtui.config.fields import apply
from fwtui.core.settings import ModelSettings, Settings
from fwtui.doctor import examine, machine
from fwtui.doctor.selftest import self_test
from fwtui.errors import ExitCode
from tests.cli.program import fwtui
from tests.models.folders import cut, english

SLOW = "110"  # seconds: a busy machine is no failure of these tests


def test_a_library_that_is_missing_is_told_as_the_loader_tells_it() -> None:
    name = "libcublas.so.99" if sys.platform != "win32" else "cublas64_99.dll"
    missing = machine.load_library(name)
    assert name in missing.error
    if sys.platform == "linux":
        assert machine.load_library("libc.so.6").error == ""


def test_a_folder_that_is_none_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    good = machine.disk("state", tmp_path / "not" / "yet")
    assert good.error == ""
    assert good.free > 0
    assert not (tmp_path / "not").exists()
    assert machine.disk("state", tmp_path / "file" / "below").error


def test_the_self_test_is_given_up_in_time() -> None:
    found = self_test(ModelSettings(device="cpu"), seconds=0.05)
    assert found.timed_out
    assert found.error == ""


def test_the_whole_examination(
    tmp_path: Path, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Healthy but for the model, which is not here; then with a broken settings file."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    done = fwtui("doctor", "--json", "--seconds", SLOW, cwd=tmp_path)
    document = json.loads(done.stdout)
    found = {one["name"]: one for one in document["findings"]}
    assert found["model"]["level"] == "warning"
    assert found["model"]["fix"] == "download it: fwtui models download small"
    assert found["self-test"]["level"] == "ok", found["self-test"]
    assert found["engine"]["level"] == "ok"
    assert {"python", "packages", "cpu", "memory", "gpu", "state", "terminal"} <= found.keys()
    codes = {"warning": ExitCode.SOME_FAILED, "error": ExitCode.CANNOT_START}
    assert done.returncode == codes[document["level"]]
    settings = own_folders / "config" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[keys]\nadd = ["notakey"]\n')
    done = fwtui("doctor", "--seconds", "0.1", cwd=tmp_path)
    assert done.returncode == ExitCode.CANNOT_START
    line = next(line for line in done.stdout.splitlines() if " settings " in line)
    assert "error" in line
    assert "Unknown key 'notakey'" in line
    assert str(settings) in done.stdout
    assert "1 problem" in done.stderr


def test_a_model_that_is_damaged_or_cannot_what_is_asked_is_found(tmp_path: Path) -> None:
    folder = english(tmp_path / "m")
    settings = apply(Settings(), {"model.model": str(folder)})
    assert examine.model(settings).level == "ok"
    found = examine.model(apply(settings, {"decoding.language": "de"}))
    assert (found.level, "English only" in found.text) == ("error", True)
    found = examine.model(apply(settings, {"decoding.multilingual": True}))
    assert (found.level, "no effect" in found.text) == ("warning", True)
    cut("model.bin", 0.5)(folder)
    found = examine.model(settings)
    assert (found.level, "damaged" in found.text) == ("error", True)
