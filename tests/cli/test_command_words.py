"""Words of the command line: names and sessions, lists of files, pipes, full disks, ages."""

import errno
import io
import os
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import click
import pytest

from fwtui.batch.discovery import find_media
from fwtui.cli import jsonlines, run
from fwtui.cli.console import Console
from fwtui.cli.jsonlines import JsonLines
from fwtui.cli.main import main
from fwtui.cli.program import program
from fwtui.cli.request import Request, names_from
from fwtui.cli.sessions import parse_age, to_discard
from fwtui.config.locations import Locations
from fwtui.core.job import Job, Pending
from fwtui.core.session import Session
from fwtui.core.settings import Settings
from fwtui.disk.lock import Holder
from fwtui.errors import ExitCode, UsageError
from fwtui.sessions.catalog import StoredSession
from tests.cli.batches import failed, finished

NOW = datetime(2026, 11, 30, 12, 0, 0)


# --- sessions or files

SESSION_IDS = ["20251214_123456", "20251214_123456_2", "20251214_123456_17"]
FILES = ["20251214_123456.flac", "20251214_123456_2.wav", "20251214_123456-a", "20251214_123456 b"]


@pytest.mark.parametrize("name", SESSION_IDS + FILES)
def test_what_may_follow_resume(name: str) -> None:
    assert (run._SESSION_ID.fullmatch(name) is not None) == (name in SESSION_IDS)


def test_a_folder_that_is_called_as_a_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As recorders name them: it is a file unless there is such a session."""
    monkeypatch.chdir(tmp_path)
    wanted: list[tuple[tuple[str, ...], str | None]] = []

    def perform(request: Request, *_: object, **__: object) -> ExitCode:
        wanted.append((request.paths, request.resume))
        return ExitCode.DONE

    monkeypatch.setattr(run, "perform", perform)
    name = SESSION_IDS[0]
    assert main(["run", "--resume", name]) == ExitCode.DONE
    Path(name).mkdir()
    assert main(["run", "--resume", name, "b.wav"]) == ExitCode.DONE
    sessions = Locations.default().sessions
    sessions.mkdir(parents=True)
    (sessions / f"{name}.json").write_text("{}")
    assert main(["run", "--resume", name]) == ExitCode.DONE
    assert main(["run", "--resume", f"{name}.flac"]) == ExitCode.DONE
    assert wanted == [((), name), ((name, "b.wav"), ""), ((), name), ((f"{name}.flac",), "")]


# --- lists of files


def test_names_from_lists_are_as_they_are_on_the_disk(tmp_path: Path) -> None:
    """Any bytes, spaces at the ends, glob signs, dashes; a NUL or a line break ends them."""
    chance = random.Random(7)
    alphabet = [bytes([code]) for code in range(1, 256) if code not in b"\n\r/"]
    raw = [b"".join(chance.choices(alphabet, k=chance.randint(1, 12))) for _ in range(300)]
    raw += [b"-f", b" a ", b"[x]*.wav", "ä".encode(), b"#no comment"]
    names = tuple(map(os.fsdecode, raw))
    listed = tmp_path / "list"
    for end, null in ((b"\0", True), (b"\n", False), (b"\r\n", False)):
        listed.write_bytes(end.join(raw) + end + end)
        assert names_from([str(listed)], null=null) == names
    listed.write_bytes(b"\xef\xbb\xbfa.wav\nb.wav")
    assert names_from([str(listed), str(listed)], null=False) == ("a.wav", "b.wav") * 2


def test_lists_that_cannot_be_read(tmp_path: Path) -> None:
    listed = tmp_path / "list"
    for wrong in (tmp_path, listed):
        with pytest.raises(UsageError, match="cannot read the list"):
            names_from([str(wrong)], null=False)
    listed.write_bytes(b"a\0b\0")
    with pytest.raises(UsageError, match="NUL"):
        names_from([str(listed)], null=False)


def test_names_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a b.wav\n\nc.wav\n")))
    assert names_from(["-"], null=False) == ("a b.wav", "c.wav")


@pytest.mark.parametrize("command", ["run", "add"])
def test_an_empty_list_is_said(command: str, tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"\n")
    assert main([command, "--files-from", str(tmp_path / "list")]) == ExitCode.USAGE


# --- what cannot be read


def test_a_folder_without_permission_is_no_failed_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But a disk that fails is a problem, and so is a folder that was asked for."""
    hidden = tmp_path / "private"
    hidden.mkdir()
    (tmp_path / "talk.wav").touch()
    scandir = os.scandir
    for number in (errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE):

        def failing(path: str, number: int = number) -> object:
            if str(path).endswith("private"):
                raise OSError(number, os.strerror(number), path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", failing)
        found, alone = find_media([str(tmp_path)]), find_media([str(hidden)])
        assert found.files == (str(tmp_path / "talk.wav"),)
        assert (len(alone.problems), alone.notes) == (1, ())
        if number in {errno.EACCES, errno.EPERM}:
            assert found.problems == ()
            assert found.notes == (f"{hidden} was left out: {os.strerror(number)}",)
        else:
            assert (len(found.problems), found.notes) == (1, ())


# --- pipes and full disks

COMMANDS = [
    ["--help"],
    ["--version"],
    ["run", "--help"],
    ["models"],
    ["config", "show"],
    ["config", "schema"],
    ["status"],
    ["status", "--json"],
    ["completion", "bash"],
]


@pytest.fixture
def discarded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []
    monkeypatch.setattr(jsonlines, "discard_stdout", lambda: calls.append(1))
    return calls


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_reader_that_has_gone(
    command: list[str], discarded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", os.fdopen(writing, "w", closefd=False))
        assert main(command) == ExitCode.DONE
    assert discarded
    os.close(writing)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs system")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_stdout_on_a_full_disk(
    command: list[str], discarded: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        full = os.open("/dev/full", os.O_WRONLY)
        patch.setattr(sys, "stdout", os.fdopen(full, "w", closefd=False))
        assert main(command) == ExitCode.CANNOT_START
        os.close(full)
    said = capsys.readouterr().err
    assert said == "fwtui: Cannot write to stdout: No space left on device\n"
    assert discarded


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs system")
def test_events_to_a_full_disk(capsys: pytest.CaptureFixture[str]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    lines = JsonLines(full)
    lines(finished())
    lines.close()
    os.close(full)
    codes = {code: run._checked_output(lines, code, Console()) for code in ExitCode}
    assert codes.pop(ExitCode.DONE) is ExitCode.SOME_FAILED
    assert all(code is result for code, result in codes.items())
    assert "Cannot write to stdout: No space left" in capsys.readouterr().err


# --- discarding sessions


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("30d", timedelta(days=30)),
        ("12h", timedelta(hours=12)),
        ("2w", timedelta(weeks=2)),
        ("45min", timedelta(minutes=45)),
        ("90m", timedelta(minutes=90)),
        (" 1.5 D ", timedelta(days=1.5)),
        ("0d", timedelta()),
    ],
)
def test_ages(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1y", "1d2h", "nan d", "٣d", "9999999d"])
def test_what_is_no_age(text: str) -> None:
    with pytest.raises(UsageError, match="not an age"):
        parse_age(text)


def stored(name: str, days: float, *, bad: bool = False, used: bool = False) -> StoredSession:
    job = Job(1, "/a.wav", state=failed() if bad else Pending())
    session = Session(name, NOW, Settings(), (job,))
    return StoredSession(session, Holder("h", 1) if used else None, NOW - timedelta(days=days))


@pytest.mark.parametrize(
    ("only_failed", "age", "expected"),
    [
        (False, None, "new old bad-new bad-old"),
        (True, None, "bad-new bad-old"),
        (False, "30d", "old bad-old"),
        (True, "30d", "bad-old"),
        (True, "60d", ""),
    ],
)
def test_which_sessions_are_discarded(only_failed: bool, age: str | None, expected: str) -> None:
    sessions = [
        stored("new", 1),
        stored("old", 40),
        stored("bad-new", 1, bad=True),
        stored("bad-old", 40, bad=True),
        stored("used", 40, bad=True, used=True),
    ]
    found = to_discard(sessions, NOW, failed=only_failed, age=parse_age(age) if age else None)
    assert [one.session.session_id for one in found] == expected.split()


@pytest.mark.parametrize("words", [[], ["--all", "20260101_000000"], ["--older-than", "x"]])
def test_discarding_needs_a_choice(words: list[str]) -> None:
    assert main(["sessions", "discard", *words]) == ExitCode.USAGE


def all_commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words of every command, and of the commands below it."""
    yield words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from all_commands(found, (*words, name))


def test_a_path_that_may_not_be_read_is_told_of_where_it_is_read() -> None:
    """Click would refuse the whole command because of one of its files."""
    for words in all_commands(program, ()):
        command: click.Command | None = program
        for word in words:
            assert isinstance(command, click.Group)
            command = command.get_command(click.Context(command), word)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter.type, click.Path):
                assert not parameter.type.readable, (words, parameter.name)
