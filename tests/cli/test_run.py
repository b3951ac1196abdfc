"""`fwtui run` and `fwtui demo` with the real engine and the demo model, in real processes."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from fwtui import demo
from fwtui.cli.main import main
from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    BatchSnapshot,
    JobChanged,
    JobsAdded,
    SegmentsFound,
)
from fwtui.core.job import Completed, Failed, Job, Pending
from fwtui.core.settings import ModelSettings, OutputSettings, Settings
from fwtui.errors import ExitCode
from fwtui.sessions.store import SessionStore
from tests.batch.driver import MINUTE
from tests.cli.program import PATIENCE, fwtui

SHORT = demo.clips()[0]
LONG = demo.clips()[-1]
MODEL = ("--model", demo.model_dir(), "--device", "cpu", "--threads", "1")
# Sampling is random, so only without it two runs are the same.
EXACT = (*MODEL, "--temperature_increment_on_fallback", "None")
QUICK = (*EXACT, "--beam_size", "1", "--language", "en")
FORMATS = {".txt", ".srt", ".vtt", ".tsv", ".json"}
Undisturbed = Callable[[Path], dict[str, bytes]]  # the fixture


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """An empty folder for media files."""
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder for the transcripts, not there yet."""
    return tmp_path / "out"


def sessions(own_folders: Path) -> list[Path]:
    return sorted((own_folders / "state" / "sessions").glob("*.json"))


def events(stdout: str) -> list[AnyEvent]:
    return [msgspec.json.decode(line, type=AnyEvent) for line in stdout.splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def done_before(stdout: str) -> float:
    """Seconds of the only file that were done when the events began."""
    snapshot = events(stdout)[0]
    assert isinstance(snapshot, BatchSnapshot)
    (job,) = snapshot.jobs
    assert isinstance(job.state, Pending)
    return job.state.done_seconds


class Running:
    """`fwtui run --json` (or another command) in a process group of its own.

    `patient`: its engine waits after the first words, so that nothing is over before it is ended.
    """

    def __init__(self, *arguments: str | Path, patient: bool = False, command: str = "run") -> None:
        module = "tests.patient" if patient else "fwtui"
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, command, "--json", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def events(self) -> Iterator[AnyEvent]:
        """Events as they come."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield msgspec.json.decode(line, type=AnyEvent)

    def until_segments(self) -> None:
        """Wait until the first segments of a file are there (and durable)."""
        assert any(isinstance(event, SegmentsFound) for event in self.events())

    def end(self) -> tuple[int, str]:
        """Exit code and what was on stderr, after the end."""
        _, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, err.decode()


def test_files_folders_and_patterns_become_transcripts(
    media: Path, out: Path, own_folders: Path
) -> None:
    for name in ("one.flac", "sub/two [x].flac", "three.flac"):
        (media / name).parent.mkdir(exist_ok=True)
        shutil.copy(SHORT, media / name)
    result = fwtui("run", media / "sub", media / "o*.flac", media / "three.flac", *MODEL, "-o", out)
    assert result.returncode == ExitCode.DONE, result.stderr
    assert result.stdout == ""
    expected = {stem + suffix for stem in ("one", "two [x]", "three") for suffix in FORMATS}
    assert set(contents(out)) == expected
    assert "3 of 3 files done" in result.stderr
    assert f"transcripts are in {out}" in result.stderr
    assert sessions(own_folders) == []


@pytest.mark.parametrize("resumed", [False, True])
def test_folders_are_searched_once(
    resumed: bool, media: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (media / "below").mkdir()
    shutil.copy(SHORT, media / "below")
    searched: list[str] = []

    def scandir(folder: str | int = ".") -> object:
        if isinstance(folder, str) and Path(folder).is_relative_to(media):
            searched.append(folder)
        return real(folder)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    options = ("--resume",) if resumed else ()
    arguments = (media, *options, *QUICK, "-f", "txt", "-o", out, "--output_layout", "tree")
    assert main(["run", *map(str, arguments)]) == ExitCode.DONE
    assert sorted(searched) == [str(media), str(media / "below")]
    assert (out / "below" / f"{SHORT.stem}.txt").exists()


def test_a_file_belongs_to_the_deepest_folder_given(media: Path, out: Path) -> None:
    (media / "below").mkdir()
    shutil.copy(SHORT, media / "below" / "one.flac")
    shutil.copy(SHORT, media / "two.flac")
    arguments = (media, media / "below", *QUICK, "-f", "txt", "-o", out, "--output_layout", "tree")
    assert main(["run", *map(str, arguments)]) == ExitCode.DONE
    assert set(contents(out)) == {"one.txt", "two.txt"}


def test_json_is_events_and_nothing_else(media: Path, out: Path) -> None:
    shutil.copy(SHORT, media / "one.flac")
    result = fwtui("run", media, *MODEL, "-o", out, "-f", "txt", "--json", "--quiet")
    assert (result.returncode, result.stderr) == (ExitCode.DONE, "")
    found = events(result.stdout)
    assert isinstance(found[0], BatchSnapshot)
    assert isinstance(found[-1], BatchFinished)
    changes = [event.job.state for event in found if isinstance(event, JobChanged)]
    assert isinstance(changes[-1], Completed)
    assert [Path(output).name for output in changes[-1].outputs] == ["one.txt"]
    segments = [s for event in found if isinstance(event, SegmentsFound) for s in event.segments]
    assert (out / "one.txt").read_text().split() == " ".join(s.text for s in segments).split()


def test_a_reader_of_json_that_leaves_does_not_end_the_batch(media: Path, out: Path) -> None:
    shutil.copy(SHORT, media / "one.flac")
    running = Running(media, *MODEL, "-o", out)
    assert running.process.stdout is not None
    running.process.stdout.readline()
    running.process.stdout.close()
    assert running.process.wait(timeout=PATIENCE) == ExitCode.DONE
    assert len(contents(out)) == 5


def test_bad_files_fail_each_with_its_own_error_and_the_others_are_done(
    media: Path, out: Path, own_folders: Path
) -> None:
    shutil.copy(SHORT, media / "good.flac")
    (media / "text.mp3").write_text("This is no music.\n" * 100)
    (media / "empty.wav").touch()
    result = fwtui("run", media, media / "gone.mp3", *MODEL, "-o", out, "-f", "txt")
    assert result.returncode == ExitCode.SOME_FAILED
    assert set(contents(out)) == {"good.txt"}
    failed = [line for line in result.stderr.splitlines() if line.startswith("failed: ")]
    assert {line.split(": ")[1] for line in failed} == {
        str(media / name) for name in ("text.mp3", "empty.wav", "gone.mp3")
    }
    assert len({line.split(": ", 2)[2] for line in failed}) == 3
    assert "1 of 4 files done, 3 failed" in result.stderr
    assert len(sessions(own_folders)) == 1


def test_a_mended_file_is_done_on_resume(media: Path, out: Path, own_folders: Path) -> None:
    (media / "one.flac").touch()
    assert fwtui("run", media, *MODEL, "-o", out).returncode == ExitCode.SOME_FAILED
    shutil.copy(SHORT, media / "one.flac")
    again = fwtui("run", "--resume")
    assert again.returncode == ExitCode.DONE, again.stderr
    assert len(contents(out)) == 5
    assert sessions(own_folders) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_and_a_resume_gives_the_same_files(
    number: signal.Signals, media: Path, out: Path, own_folders: Path, undisturbed: Undisturbed
) -> None:
    media_file = Path(shutil.copy(MINUTE, media))
    running = Running(media_file, *QUICK, "-o", out, patient=True)
    running.until_segments()
    os.killpg(running.process.pid, number)  # as Ctrl-C on a terminal: the engine gets it too
    code, err = running.end()
    assert code == ExitCode.STOPPED, err
    (session,) = sessions(own_folders)
    assert f"fwtui run --resume {session.stem}" in err
    assert not out.exists() or contents(out) == {}

    again = fwtui("run", "--resume", session.stem, "--json")
    assert again.returncode == ExitCode.DONE, again.stderr
    assert done_before(again.stdout) > 0
    assert contents(out) == undisturbed(MINUTE)


def test_killed_it_resumes_inside_the_file_with_the_same_result(
    media: Path, out: Path, own_folders: Path, undisturbed: Undisturbed
) -> None:
    media_file = Path(shutil.copy(LONG, media))
    running = Running(media_file, *QUICK, "-o", out, patient=True)
    running.until_segments()
    os.killpg(running.process.pid, signal.SIGKILL)
    assert running.end()[0] == -signal.SIGKILL

    again = fwtui("run", "--resume", "--json")
    assert again.returncode == ExitCode.DONE, again.stderr
    assert done_before(again.stdout) > 0
    assert sessions(own_folders) == []
    assert contents(out) == undisturbed(LONG)


def test_a_model_that_is_not_there_cannot_start_and_another_can_go_on(
    media: Path, out: Path, own_folders: Path
) -> None:
    file = Path(shutil.copy(SHORT, media / "one.flac"))
    result = fwtui("run", media, "--model", "no-such-model", "-o", out)
    assert result.returncode == ExitCode.CANNOT_START
    assert "no-such-model" in result.stderr
    assert sessions(own_folders) == []
    settings = Settings(
        model=ModelSettings(model="no-such-model"), output=OutputSettings(output_dir=str(out))
    )
    store = SessionStore.create(own_folders / "state" / "sessions", settings, datetime.now(UTC))
    store.commit(JobsAdded((Job(1, str(file), custom_stem="one"),)))
    store.close()
    assert fwtui("run", "--resume").returncode == ExitCode.CANNOT_START
    again = fwtui("run", "--resume", *MODEL)
    assert again.returncode == ExitCode.DONE, again.stderr
    assert len(contents(out)) == 5


def test_an_unfinished_session_is_mentioned_and_one_in_use_is_not_taken(
    media: Path, out: Path, own_folders: Path
) -> None:
    shutil.copy(MINUTE, media / "long.flac")
    shutil.copy(SHORT, media / "short.flac")
    running = Running(media / "long.flac", *QUICK, "-o", out, patient=True)
    running.until_segments()
    os.killpg(running.process.pid, signal.SIGSTOP)  # it holds its session, and goes nowhere
    try:
        refused = fwtui("run", "--resume")
        other = fwtui("run", media / "short.flac", *MODEL, "-o", out)
    finally:
        os.killpg(running.process.pid, signal.SIGKILL)
    running.end()
    assert refused.returncode == ExitCode.CANNOT_START
    assert "in use" in refused.stderr
    assert "note:" not in other.stderr
    noted = fwtui("run", media / "short.flac", *MODEL, "-o", out)
    (session,) = sessions(own_folders)
    assert "note: 1 unfinished session;" in noted.stderr
    assert f"fwtui run --resume {session.stem}" in noted.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--resume"], "no unfinished session"), (["--resume=20200101_000000"], "20200101_000000")],
)
def test_nothing_to_resume_is_wrong_usage(arguments: list[str], complaint: str) -> None:
    result = fwtui("run", *arguments)
    assert result.returncode == ExitCode.USAGE
    assert complaint in result.stderr


def test_with_paths_a_resume_without_session_starts_a_new_one(media: Path, out: Path) -> None:
    shutil.copy(SHORT, media / "one.flac")
    result = fwtui("run", "--resume", media, *MODEL, "-o", out)
    assert result.returncode == ExitCode.DONE
    assert "starting a new one" in result.stderr


def test_failed_states_are_in_the_events(media: Path, out: Path) -> None:
    (media / "empty.wav").touch()
    result = fwtui("run", media, *MODEL, "-o", out, "--json", "--quiet")
    assert result.returncode == ExitCode.SOME_FAILED
    states = [event.job.state for event in events(result.stdout) if isinstance(event, JobChanged)]
    assert isinstance(states[-1], Failed)
    assert str(media / "empty.wav") in result.stderr  # quiet is silent about all but errors


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_it_works_with_closed_standard_streams(closed: str, media: Path, out: Path) -> None:
    shutil.copy(SHORT, media / "one.flac")
    words = [sys.executable, "-m", "fwtui", "run", media, *MODEL, "-o", out, "--json"]
    line = " ".join(f"'{word}'" for word in words)
    result = subprocess.run(
        ["sh", "-c", f"{line} {closed}"], capture_output=True, timeout=PATIENCE, check=False
    )
    assert result.returncode == ExitCode.DONE, result.stderr
    assert len(contents(out)) == 5


def test_what_is_logged_is_in_the_log_file(media: Path, out: Path, own_folders: Path) -> None:
    (media / "empty.wav").touch()
    fwtui("run", media, *MODEL, "-o", out)
    (log,) = (own_folders / "state" / "logs").glob("fwtui-*.log")
    text = log.read_text()
    assert "INFO Batch start: Memory: " in text
    assert "ERROR empty.wav" in text


def test_demo_without_a_terminal_prints_transcripts_and_how_right_they_are(out: Path) -> None:
    result = fwtui("demo", "--output_dir", out)
    assert result.returncode == ExitCode.DONE, result.stderr
    for clip in demo.clips():
        assert f"{clip.name} (" in result.stdout
        assert (out / f"{clip.stem}.srt").is_file()
    shares = [line for line in result.stdout.splitlines() if "word accuracy:" in line]
    assert len(shares) == len(demo.clips())
