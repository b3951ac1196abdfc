"""`fwtui models`, and batches whose model is not there, against a server that plays the hub."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fwtui import demo
from fwtui.cli.main import main
from fwtui.errors import ExitCode
from tests.cli.program import PATIENCE, fwtui
from tests.models.hub import environment, fake_hub
from tests.models.test_models import put

CLIP = demo.clips()[0]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache that the program uses."""
    home = tmp_path / "hf"
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(home))
    return home / "hub"


def test_the_list(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(cache)
    assert main(["models"]) == ExitCode.DONE
    lines = capsys.readouterr().out.splitlines()
    tiny = next(line for line in lines if " tiny " in line)
    assert tiny.split() == ["tiny", "1", "MB", "99", "languages", "yes"]
    small = next(line for line in lines if " small " in line)
    assert small.startswith("* small ")  # that of the settings
    assert main(["models", "list", "--json"]) == ExitCode.DONE
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["name"]: one["presence"] for one in entries}["tiny"] == "here"


def test_info_and_path(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = put(cache)
    assert main(["models", "path", "tiny"]) == ExitCode.DONE
    assert capsys.readouterr().out == f"{folder}\n"
    assert main(["models", "path", "base"]) == ExitCode.CANNOT_START
    assert "fwtui models download base" in capsys.readouterr().err
    assert main(["models", "info", "tiny"]) == ExitCode.DONE
    assert "Systran/faster-whisper-tiny" in capsys.readouterr().out
    assert main(["models", "info", str(demo.model_dir()), "--json"]) == ExitCode.DONE
    assert json.loads(capsys.readouterr().out)["languages"] == 2
    assert main(["models", "info", "tini"]) == ExitCode.CANNOT_START
    assert "did you mean tiny?" in capsys.readouterr().err


def test_remove_asks_and_leaves_folders_alone(
    cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cache)
    assert main(["models", "remove", str(demo.model_dir()), "-y"]) == ExitCode.USAGE
    assert main(["models", "remove", "base", "-y"]) == ExitCode.CANNOT_START
    monkeypatch.setattr(sys, "stdin", open("/dev/null"))  # noqa: PTH123, SIM115
    assert main(["models", "remove", "tiny"]) == ExitCode.STOPPED
    assert main(["models", "path", "tiny"]) == ExitCode.DONE
    capsys.readouterr()
    assert main(["models", "remove", "tiny", "-y"]) == ExitCode.DONE
    assert "removed tiny: 1 MB" in capsys.readouterr().err
    assert main(["models", "path", "tiny"]) == ExitCode.CANNOT_START


posix = pytest.mark.skipif(sys.platform == "win32", reason="a terminal and a signal of POSIX")


@posix
def test_on_a_terminal_the_user_is_asked(cache: Path, tmp_path: Path) -> None:
    import pty

    with fake_hub() as hub:
        ours, theirs = pty.openpty()
        arguments = ("run", str(CLIP), "--model", "tiny", "-o", str(tmp_path))
        process = subprocess.Popen(
            [sys.executable, "-m", "fwtui", *arguments],
            stdin=theirs,
            stderr=theirs,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **environment(hub, cache.parent)},
        )
        os.close(theirs)
        said = b""
        while b"Download it? [Y/n]" not in said:
            said += os.read(ours, 1000)
        assert b"Model tiny (75 MB) is not downloaded." in said
        os.write(ours, b"n\n")
        assert process.wait(60) == ExitCode.CANNOT_START
        os.close(ours)
        assert not hub.seen


@posix
def test_ctrl_c_pauses_a_download(cache: Path) -> None:
    with fake_hub() as hub:
        hub.hold = 400_000
        process = subprocess.Popen(
            [sys.executable, "-m", "fwtui", "models", "download", "tiny"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment(hub, cache.parent)},
        )
        assert hub.held.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == ExitCode.STOPPED
    assert out == b""
    assert b"run the same command to continue" in err


def test_a_batch_downloads_with_a_word_or_not_at_all(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From nothing to a transcript, in real processes."""
    with fake_hub() as hub:
        for name, value in environment(hub, cache.parent).items():
            monkeypatch.setenv(name, value)
        arguments = ("run", CLIP, "--model", "tiny", "-o", tmp_path, "-f", "txt")
        refused = fwtui(*arguments, "--local_files_only")
        assert refused.returncode == ExitCode.CANNOT_START
        assert "not downloaded, and --local_files_only forbids" in refused.stderr
        assert not hub.seen
        done = fwtui(*arguments, "--device", "cpu")
        assert done.returncode == ExitCode.DONE, done.stderr
        (told,) = (line for line in done.stderr.splitlines() if "downloading" in line)
        assert f"downloading model tiny: 1 MB from 127.0.0.1:{hub.port} to {cache}" in told
        assert (tmp_path / f"{CLIP.stem}.txt").read_text().split()
