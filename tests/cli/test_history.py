"""`fwtui history`: lists, search, one batch, clearing; what it prints and what it must not."""

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fwtui.cli.main import main
from fwtui.cli.show_history import STATES, parse_since
from fwtui.config.locations import Locations
from fwtui.core.paths import path_to_text
from fwtui.errors import ExitCode, UsageError
from fwtui.outputs.batch_history import FILE_STATES, HistoryStore
from fwtui.outputs.history_file import NAME
from tests.outputs.history_samples import AT, FINDING, cancelled, done, failed, update
from tests.outputs.test_batch_history import OLD

Run = Callable[..., tuple[int, str, str]]
RAW = path_to_text(b"/in/r\xe9union.mp3".decode(errors="surrogateescape"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, stdout and stderr of `fwtui history` with these arguments."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["history", *arguments])
        out, err = capsys.readouterr()
        for text in (out, err):
            assert "\x1b" not in text
        return code, out, err

    return call


@pytest.fixture
def store(own_folders: Path) -> HistoryStore:
    state = Locations.default().state
    state.mkdir(parents=True)
    made = HistoryStore(state)
    made.write(update(done(1, RAW), failed(2, "broke\x1b[31m here"), session="s1", skipped=3))
    checked = done(3, "/in/Interview Müller.m4a", findings=(FINDING,))
    evil = done(4, "/in/evil \x1b]0;pwned\x07\n.mp3", language="en")
    made.write(update(checked, evil, cancelled(5), session="s2", started=AT + timedelta(days=1)))
    return made


def test_states_are_those_of_the_history() -> None:
    assert STATES == FILE_STATES


def test_an_empty_history_makes_no_file(run: Run, own_folders: Path) -> None:
    code, out, err = run()
    assert (code, out) == (ExitCode.DONE, "")
    assert "the history is empty" in err
    assert run("clear")[0] == ExitCode.DONE
    assert not (own_folders / "state" / NAME).exists()


def test_batches_the_last_first(run: Run, store: HistoryStore) -> None:
    code, out, err = run()
    assert (code, err) == (ExitCode.DONE, "")
    last, first = out.splitlines()
    assert last.startswith("s2  ")
    assert "2 of 3 files done, 1 to check, 1 cancelled  medium" in last
    assert "2:00 of audio in 10:00  finished" in last
    assert "1 of 2 files done, 1 failed, 3 skipped" in first


def test_words_list_files(run: Run, store: HistoryStore) -> None:
    _, out, _ = run("MÜLLER", "interview")
    (line,) = out.splitlines()
    assert "done, to check" in line
    assert line.endswith("  s2  /in/Interview Müller.m4a")
    assert run("müller", "absent")[1:] == ("", "nothing found in the history\n")
    assert len(run("medium")[1].splitlines()) == 5
    assert run("union")[1].strip().endswith(r"/in/r\udce9union.mp3")
    assert len(run("--files")[1].splitlines()) == 5
    assert len(run("list", "show")[1].splitlines()) == 0  # a word, not the command


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--state", "failed"), 1),
        (("--state", "check"), 1),
        (("--state", "checked"), 0),
        (("--state", "done", "german"), 2),
        (("--model", "MED"), 2),
        (("--model", "large"), 0),
        (("--since", "2026-03-14"), 2),
        (("--since", "1h"), 0),
        (("--files", "--since", "9999-01-01"), 0),
    ],
)
def test_filters(run: Run, store: HistoryStore, arguments: tuple[str, ...], count: int) -> None:
    code, out, _ = run(*arguments)
    assert code == ExitCode.DONE
    assert len(out.splitlines()) == count


def test_json_is_one_object_a_line(run: Run, store: HistoryStore) -> None:
    batches = [json.loads(line) for line in run("--json")[1].splitlines()]
    assert [one["id"] for one in batches] == ["s2", "s1"]
    assert batches[0]["type"] == "batch"
    assert batches[0]["settings"]["model.model"] == "medium"
    files = [json.loads(line) for line in run("--json", "--files")[1].splitlines()]
    assert {one["path"] for one in files} >= {RAW, "/in/evil \x1b]0;pwned\x07\n.mp3"}
    assert {one["type"] for one in files} == {"file"}
    assert files[0].keys() >= {"state", "outputs", "checked", "findings", "reason", "batch", "at"}
    shown = [json.loads(line) for line in run("show", "s2", "--json")[1].splitlines()]
    assert [one["type"] for one in shown] == ["batch", "file", "file", "file"]


def test_show(run: Run, store: HistoryStore, tmp_path: Path) -> None:
    there = tmp_path / "a.txt"
    there.touch()
    gone = tmp_path / "a.srt"
    other = {"decoding.beam_size": 1}
    outputs = (str(there), str(gone))
    store.write(update(done(1, outputs=outputs, used=other), session="s3", ending="failed",
                       problem="No model", ended=None))  # fmt: skip
    code, out, _ = run("show", "s3")
    assert code == ExitCode.DONE
    lines = [line.strip() for line in out.splitlines()]
    assert lines[0] == "batch s3"
    assert "state        could not continue: No model" in lines
    assert "setting      output.output_dir = /data/out" in lines
    assert str(there) in lines
    assert f"{gone}  (missing)" in lines
    assert "settings: decoding.beam_size = 1" in lines
    code, out, err = run("show", "nosuch")
    assert (code, out) == (ExitCode.USAGE, "")
    assert "fwtui history" in err


def test_clear(run: Run, store: HistoryStore) -> None:
    code, out, err = run("clear", "--older-than", "1h")
    assert (code, out) == (ExitCode.DONE, "")
    assert "2 batches, 5 files" in err
    assert run()[1] == ""
    assert run("clear", "--older-than", "often")[0] == ExitCode.USAGE


def test_clear_says_what_stays(run: Run, own_folders: Path) -> None:
    state = own_folders / "state"
    state.mkdir(parents=True)
    shutil.copy(OLD, state / NAME)
    assert run()[1].startswith("earlier  ")
    _, _, err = run("clear")
    assert "1 batch, 5 files" in err
    assert "if_exists knows of 5 transcribed files" in err
    assert str(state / NAME) in err
    assert run()[1] == ""


def test_a_damaged_history_is_told_and_left(run: Run, own_folders: Path) -> None:
    state = own_folders / "state"
    state.mkdir(parents=True)
    (state / NAME).write_bytes(b"no database" * 300)
    for arguments in ((), ("word",), ("show", "x"), ("clear",)):
        code, out, err = run(*arguments)
        assert (code, out) == (ExitCode.CANNOT_START, "")
        assert "is damaged" in err
        assert "next batch moves it to the quarantine" in err
    assert (state / NAME).read_bytes() == b"no database" * 300


def test_since() -> None:
    now = datetime(2026, 3, 14, 15, 9)
    assert parse_since("2026-03-01", now) == datetime(2026, 3, 1)
    assert parse_since(" 2d ", now) == now - timedelta(days=2)
    for text in ("", "yesterday", "-1d", "999999w9", "9" * 6 + "w"):
        with pytest.raises(UsageError):
            parse_since(text, now)
