"""`fwtui watch` in real processes: killed and restarted, nothing is missed or done twice."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from fwtui.cli.main import main
from fwtui.core.events import (
    AnyEvent,
    BatchSnapshot,
    JobChanged,
    JobsAdded,
    Phase,
    PhaseChanged,
)
from fwtui.core.job import Completed, Pending
from fwtui.errors import ExitCode
from tests.batch.driver import MINUTE
from tests.cli.test_run import QUICK, SHORT, Running, contents, sessions

E = TypeVar("E")
PATIENCE = 120.0


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


def until(
    events: Iterator[AnyEvent], kind: type[E], accept: Callable[[E], bool] = lambda _: True
) -> E:
    """The next such event."""
    return next(event for event in events if isinstance(event, kind) and accept(event))


def is_watching(event: PhaseChanged) -> bool:
    return event.phase is Phase.WATCHING


def completed(events: Iterator[AnyEvent], count: int) -> list[str]:
    """The names of the files that are completed, at least so many, until nothing is left to do."""
    names = []
    for event in events:
        if isinstance(event, JobChanged) and isinstance(event.job.state, Completed):
            names.append(event.job.name)
        if len(names) >= count and isinstance(event, PhaseChanged) and is_watching(event):
            return names
    raise AssertionError("it ended")


def put(folder: Path, name: str, more: bytes = b"") -> None:
    waiting = folder.parent / "coming"
    waiting.write_bytes(SHORT.read_bytes() + more)
    waiting.rename(folder / name)


def test_killed_in_the_middle_of_a_file_it_misses_nothing_and_does_nothing_twice(
    media: Path, own_folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = media / "out"  # inside: our own outputs are no inputs
    arguments = (media, *QUICK, "-f", "txt", "-o", out, "--include", "*")
    shutil.copy(MINUTE, media / "long.flac")
    running = Running(*arguments, patient=True, command="watch")
    running.until_segments()
    put(media, "came meanwhile.flac", b"2")
    until(running.events(), JobsAdded)
    os.killpg(running.process.pid, signal.SIGKILL)
    assert running.end()[0] == -signal.SIGKILL

    put(media, "came while it was down.flac", b"3")
    (media / "came meanwhile.flac").rename(media / "renamed.flac")
    running = Running(*arguments, command="watch")
    events = running.events()
    snapshot = until(events, BatchSnapshot)
    (state,) = (job.state for job in snapshot.jobs if job.name == "long.flac")
    assert isinstance(state, Pending)
    assert state.done_seconds > 0  # it resumes inside the file
    assert sorted(completed(events, 3)) == [
        "came while it was down.flac",
        "long.flac",
        "renamed.flac",
    ]
    os.killpg(running.process.pid, signal.SIGTERM)
    code, err = running.end()
    assert code == ExitCode.DONE, err
    assert len(contents(out)) == 3
    assert len(sessions(own_folders)) == 1

    # Once more, in the background: nothing is to do. It is seen, paused and stopped from here.
    written = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert main(["watch", *map(str, arguments), "--detach"]) == ExitCode.DONE
    name = capsys.readouterr().out.strip()
    assert name == sessions(own_folders)[0].stem
    assert main(["watch", str(media)]) == ExitCode.CANNOT_START
    assert "is already being watched" in capsys.readouterr().err

    def call(command: str) -> str:
        assert main([command]) == ExitCode.DONE
        told = capsys.readouterr()
        return told.out + told.err

    deadline = time.monotonic() + PATIENCE
    while f"watched folder: {media} (watching)" not in call("status"):  # it has looked at all files
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "pauses" in call("pause")
    assert "resumed" in call("unpause")
    assert "3 of 3 files done" in call("stop")
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == written


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["no-such-folder"], "folder no-such-folder not found"),
        ([".", "--move_to", "x"], "--move_to needs --after move"),
        ([".", "--after", "move", "--move_to", "."], "the watched folder itself"),
        ([".", "--verbose", "--quiet"], "cannot be used together"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_is_wrong_usage(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", *arguments]) == ExitCode.USAGE
    assert complaint in capsys.readouterr().err


def test_a_model_that_cannot_be_had_is_told_of_before_any_file_comes(
    media: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", str(media), "--model", "no-such-model"]) == ExitCode.CANNOT_START
    assert "No model is called no-such-model" in capsys.readouterr().err
