"""Whatever version 0.1 left on the disk is gone on with, by the command line alone.

The folders are in tests/data/sessions-0.1, see its README. Nothing of fwtui is imported here.
"""

import gzip
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from tests.old import places

PATIENCE = 120.0
FWTUI = (sys.executable, "-P", "-m", "fwtui")
# They depend on the processor's arithmetic.
CONFIDENCE = re.compile(
    rb'("?(?:avg_logprob|no_speech_prob|compression_ratio|probability|temperature)"?: ?)-?[\d.e-]+'
)
FOLDERS = sorted(path.name for path in places.DATA.iterdir() if path.is_dir())
SESSIONS = [name for name in FOLDERS if "session" in places.about(name)]
WATCHED = [name for name in SESSIONS if "watch" in places.about(name)]
RESUMED = [name for name in SESSIONS if name not in WATCHED]
FOREIGN = ["foreign", "foreign-windows"]  # of the same name as others
# States as they are shown, where that is not their name in the files.
LABELS = {"pending": "waiting", "processing": "running", "completed": "done"}
# Their paths are another machine's in a way that `--map` is for; nothing in them is changed.
UNCHANGED = ["killed-mid-file", "batched", "names"]
Json = dict[str, Any]


def fwtui(root: Path, *arguments: str | Path, code: int | None = 0) -> tuple[str, str]:
    """Run fwtui to its end: stdout and stderr."""
    result = subprocess.run(
        [*FWTUI, *map(str, arguments)],
        env=places.environment(root),
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=PATIENCE,
        check=False,
    )
    assert code in {None, result.returncode}, (result.returncode, result.stderr)
    return result.stdout, result.stderr


# `python -m fwtui` with each of the argument lists on stdin: starting a process takes longest.
MANY = """
import json, runpy, sys
for arguments in json.load(sys.stdin):
    sys.argv[1:] = arguments
    try:
        runpy.run_module("fwtui", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        assert not end.code, (arguments, end.code)
    for stream in sys.stdout, sys.stderr:
        print("\\f", end="", file=stream, flush=True)
"""


def fwtui_many(root: Path, *calls: Sequence[str]) -> list[tuple[str, str]]:
    """Run fwtui once for each call, in one process: stdout and stderr of each."""
    result = subprocess.run(
        [sys.executable, "-P", "-c", MANY],
        env=places.environment(root),
        cwd=root,
        input=json.dumps(calls),
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    outputs, errors = (text.split("\f")[:-1] for text in (result.stdout, result.stderr))
    assert len(outputs) == len(errors) == len(calls)
    return list(zip(outputs, errors, strict=True))


def listed(name: str) -> Json:
    """What version 0.1 said of the session."""
    plain = places.DATA / name / "listed.jsonl"
    packed = plain.with_suffix(".jsonl.gz")
    text = gzip.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes()
    found: Json = json.loads(text)
    return found


def placed(value: Any, root: Path) -> Any:
    """The same with paths below `root`."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.replace(places.NEUTRAL, str(root)))


def masked(outputs: dict[str, bytes]) -> dict[str, bytes]:
    return {name: CONFIDENCE.sub(rb"\1_", data) for name, data in outputs.items()}


def expected(name: str) -> dict[str, bytes]:
    """What version 0.1 wrote, as it is written now.

    Nothing ends after its file any more, and no subtitle of words lasts no time.
    """
    found = places.expected(name)
    if name == "killed-between-files":
        found["b.tsv"] = found["b.tsv"].replace(b"\t75140\t", b"\t75010\t")
    if name == "words":
        for form in ("srt", "vtt"):
            found[f"long.{form}"] = lengthened(found[f"long.{form}"])
    return found


TIMES = re.compile(rb"((?:\d\d:)*)(\d\d)([.,])(\d{3}) --> ((?:\d\d:)*)(\d\d)[.,](\d{3})\n")


def lengthened(data: bytes) -> bytes:
    """Subtitles, each 10 ms long or more; all of one minute."""
    shown = (b"", 0)

    def change(found: re.Match[bytes]) -> bytes:
        nonlocal shown
        minute, mark = found[1], found[3]
        start, end = int(found[2] + found[4]), int(found[6] + found[7])
        if shown[0] == minute:
            start = max(start, shown[1])
        if found[5] == minute and end <= start:
            end = start + 10
        shown = found[5], end
        times = (minute, start // 1000, mark, start % 1000, found[5], end // 1000, mark, end % 1000)
        return b"%s%02d%s%03d --> %s%02d%s%03d\n" % times

    return TIMES.sub(change, data)


def outputs(name: str, root: Path) -> dict[str, bytes]:
    """What is in the output folder now, without recordings.

    What a kill left unfinished there is taken away by the same session at the same place on the
    same machine only, and this is another one.
    """
    folder = root / places.about(name).get("out", "out")
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tmp"]
    found = [path for path in files if not is_recording(path)]
    wanted = places.about(name).get("outputs")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in found
        if wanted is None or path.name in wanted
    }


def is_recording(path: Path) -> bool:
    return path.suffix in {".wav", ".flac", ".mp3"}


def put_scratch(root: Path) -> list[Path]:
    """The scratch files that were there when it was killed, as far as names go."""
    found: dict[str, None] = {}
    for journal in (root / "state" / "sessions").glob("*.journal"):
        for record in places.records(journal):
            if record["type"] == "temp":
                found[record["path"]] = None
            elif record["type"] == "temp_gone":
                found.pop(record["path"], None)
    for path in map(Path, found):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
    return [Path(path) for path in found]


def progress_of(name: str) -> dict[int, float]:
    """How far unfinished files were, in seconds, by the number of the file."""
    resumable = listed(name)["resumable"]
    return {int(job): resume["seconds"] for job, resume in resumable.items() if resume["seconds"]}


def check_nothing_twice(name: str, events: list[Json]) -> None:
    """Files go on where they were: no words come again, and no file starts over."""
    progress = progress_of(name)
    snapshot = next(event for event in events if event["type"] == "BatchSnapshot")
    states = {job["id"]: job["state"] for job in snapshot["jobs"]}
    for job in listed(name)["jobs"]:
        assert job["id"] not in progress or states[job["id"]] == job["state"]
    for event in events:
        if event["type"] == "SegmentsReset":
            assert event["id"] not in progress
        elif event["type"] == "SegmentsFound" and event["id"] in progress:
            assert event["segments"][0]["start"] >= progress[event["id"]] - 1.0
        elif event["type"] == "LogLine":
            assert "have changed since" not in event["text"]
            assert "has changed since" not in event["text"]


def events_of(stdout: str) -> list[Json]:
    return [json.loads(line) for line in stdout.splitlines()]


def prepare(name: str, root: Path) -> None:
    """What a folder needs beside its own files."""
    if "thousand" in places.about(name):  # all but the third were done meanwhile, by somebody else
        for job in listed(name)["jobs"][3:]:
            (root / "out" / f"{job['stem']}.txt").touch()


def options_of(name: str, root: Path) -> list[str]:
    found: list[str] = placed(places.about(name).get("options", []), root)
    return found


@pytest.mark.parametrize(
    "names",
    [[name for name in SESSIONS if name not in FOREIGN], *([name] for name in FOREIGN)],
    ids=["all", *FOREIGN],
)
def test_sessions_are_listed_and_shown_as_they_were(names: list[str], tmp_path: Path) -> None:
    """In one state folder, as of a user who has them all; not a byte is changed before."""
    root = tmp_path / "root"
    for name in names:
        places.unpack(places.DATA / name, root, "state/sessions", "state/watched", "tmp")
    ids = [places.about(name)["session"] for name in names]
    calls = ["sessions", "--json"], ["sessions"], *(["sessions", "show", one] for one in ids)
    (told, _), (lines, _), *shown = fwtui_many(root, *calls)
    now = {session["session_id"]: session for session in events_of(told)}
    for name in names:
        old = listed(name)
        assert places.is_part(old, now[old["session_id"]]), name
    assert set(ids) <= set(lines.split())
    for name, (text, _) in zip(names, shown, strict=True):
        rows = text.splitlines()
        assert all(any(is_row(job, row) for row in rows) for job in listed(name)["jobs"]), name


def is_row(job: Json, row: str) -> bool:
    """Whether a line tells of this file and its state."""
    state = LABELS.get(job["state"]["type"], job["state"]["type"])
    return row.startswith(state) and places.printed(job["path"]) in row


@pytest.mark.parametrize("name", RESUMED)
def test_a_session_is_gone_on_with(name: str, tmp_path: Path) -> None:
    if name == "odd-names" and sys.platform != "linux":
        pytest.skip("other systems have no such names")
    root = places.place(name, tmp_path / "root")
    prepare(name, root)
    scratch = put_scratch(root)
    events = resume(name, root, *options_of(name, root))
    check_nothing_twice(name, events)
    assert masked(outputs(name, root)) == masked(expected(name))
    if order := places.about(name).get("order"):
        assert finished(events) == order
    assert not any(path.exists() for path in scratch)
    left = list((root / "state" / "sessions").glob("*.json"))
    assert len(left) == (0 if places.about(name)["exit"] == 0 else 1)
    assert not any((root / "tmp").rglob("*.json"))  # a session of the earlier program


@pytest.mark.parametrize("name", UNCHANGED)
def test_a_session_is_gone_on_with_elsewhere(name: str, tmp_path: Path) -> None:
    """Not a byte of it is changed before: it is said where its folder is now."""
    root = places.place(name, tmp_path / "root", moved=False)
    events = resume(name, root, "--map", f"{places.NEUTRAL}={root}")
    check_nothing_twice(name, events)
    assert masked(outputs(name, root)) == masked(expected(name))


def resume(name: str, root: Path, *options: str) -> list[Json]:
    """`fwtui run --resume` to its end; the events."""
    about = places.about(name)
    arguments = "--json", "--resume", about["session"], *options
    stdout, _ = fwtui(root, "run", *arguments, code=about["exit"])
    return events_of(stdout)


def finished(events: list[Json]) -> list[str]:
    """The names of the files that were completed, in this order."""
    changed = [event["job"] for event in events if event["type"] == "JobChanged"]
    done = {job["id"]: job for job in changed if job["state"]["type"] == "completed"}
    return [Path(job["path"]).name for job in done.values()]


@pytest.mark.parametrize("name", WATCHED)
def test_a_watched_folder_is_watched_on(name: str, tmp_path: Path) -> None:
    """Nothing is missed, and nothing that the old ledger knows is taken again."""
    root = places.place(name, tmp_path / "root")
    about = places.about(name)
    before = dates(root / "out") if (root / "out").exists() else {}
    command = [about.get("command", "watch"), "--json", *placed(about["watch"], root)]
    with watching(root, command) as events:
        seen = list(until_done(events, set(about["done"])))
    check_nothing_twice(name, seen)
    assert sorted(finished(seen)) == sorted(about["done"])
    assert masked(outputs(name, root)) == masked(expected(name))
    assert before.items() <= dates(root / "out").items()


def dates(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def until_done(events: Iterator[Json], wanted: set[str]) -> Iterator[Json]:
    """The events until these files are done, and nothing else is to do."""
    left = set(wanted)
    for event in events:
        yield event
        left -= set(finished([event]))
        if not left and event.get("phase") == "watching":
            return
    raise AssertionError(f"it ended, without {left}")


@contextmanager
def watching(root: Path, command: list[str]) -> Iterator[Iterator[Json]]:
    """fwtui that watches, and ends in an orderly way."""
    with subprocess.Popen(
        [*FWTUI, *command], env=places.environment(root), cwd=root, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        giving_up = Timer(PATIENCE, process.kill)
        giving_up.start()
        try:
            yield map(json.loads, process.stdout)
        finally:
            giving_up.cancel()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_what_was_transcribed_is_known(tmp_path: Path) -> None:
    """A copy of the recording is skipped, by content and settings; with others it is done."""
    root = places.place("transcribed", tmp_path / "root")
    (root / "media" / "talks" / "talk.txt").write_text("there\n")
    options = [*places.about("transcribed")["options"], "--skip_transcribed", "--json"]
    copy = root / "media" / "others" / "copy.wav"
    events = events_of(fwtui(root, "run", copy, *options)[0])
    states = [event["job"]["state"] for event in events if event["type"] == "JobChanged"]
    assert [state["type"] for state in states] == ["skipped"]
    assert str(root / "media" / "talks" / "talk.txt") in states[0]["reason"]
    again = events_of(fwtui(root, "run", copy, *options, "--beam_size", "2")[0])
    assert finished(again) == ["copy.wav"]


def test_memory_that_an_old_version_measured_is_not_used(tmp_path: Path) -> None:
    """It was that of engines that were still loading, too."""
    root = places.place("transcribed", tmp_path / "root")
    options = [*places.about("transcribed")["options"], "--json"]
    file = root / "media" / "talks" / "talk.wav"
    events = events_of(fwtui(root, "run", file, *options)[0])
    assert not next(event for event in events if event["type"] == "Forecast")["measured"]


def test_how_the_last_batch_ended_is_known(tmp_path: Path) -> None:
    root = places.place("background", tmp_path / "root")
    (status, _), (told, _) = fwtui_many(root, ["status", "--json"], ["status"])
    last = json.loads(status)["last"]
    assert places.is_part(placed(places.about("background")["last"], root), last)
    assert "1 of 2 files done, 1 failed" in told


def test_a_log_is_exported(tmp_path: Path) -> None:
    root = places.place("background", tmp_path / "root")
    session = places.about("background")["session"]
    (log,) = (root / "state" / "logs").glob("*.log")
    lines = log.read_text().splitlines()
    exported = json.loads(fwtui(root, "sessions", "export", session, "--logs")[0])
    assert lines
    assert exported["log"] == lines


def test_the_address_of_a_dead_batch_is_swept(tmp_path: Path) -> None:
    root = places.place("background-killed", tmp_path / "root")
    live = root / "state" / "live"
    assert list(live.glob("*.json"))
    assert "no batch is running" in fwtui(root, "status")[0]
    assert not list(live.glob("*.json"))


def test_settings_and_profiles_mean_what_they_meant(tmp_path: Path) -> None:
    root = places.place("config", tmp_path / "root")
    about = places.about("config")
    show = ["config", "show", "--json"]
    (shown, _), (of_profile, _), (_, said), _, (changed, _) = fwtui_many(
        root,
        show,
        [*show, "--profile", "Board meetings"],
        ["config", "validate"],
        ["config", "set", "beam_size", "4"],
        show,
    )
    assert values(shown) == placed(about["shown"], root)
    assert values(of_profile) == placed(about["profile"], root)
    assert "is valid" in said
    assert "1 profile, 2 keys" in said
    assert values(changed) == placed(about["shown"], root) | {"decoding.beam_size": 4}


def values(shown: str) -> Json:
    """The settings that are not at their defaults, of `config show --json`."""
    return {one["key"]: one["value"] for one in json.loads(shown) if one["value"] != one["default"]}
