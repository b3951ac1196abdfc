"""Nothing in an anonymous text says who somebody is, and what helps to find a bug stays."""

import pytest

from fwtui.report.bug_report import Anonymizer, PersonalData, names_in_log

ME = PersonalData(
    home="/home/alice",
    user="alice",
    hosts=("wonderland.example.org", "wonderland"),
    folders={"/home/alice/.local/state/fwtui": "<state>"},
)
AT = "2026-11-24 10:41:43,090 28169 INFO "


@pytest.mark.parametrize(
    ("text", "anonymous"),
    [
        (f"{AT}Batch start: Memory: 32 MB (RSS)", f"{AT}Batch start: Memory: 32 MB (RSS)"),
        (f"{AT}Doe, John & wife.mp3: no audio", f"{AT}<file1>.mp3: no audio"),
        (
            f"{AT}[File: a: b.wav] Starting - Memory: 1 MB",
            f"{AT}[File: a: <file1>.wav] Starting - Memory: 1 MB",
        ),
        (f"{AT}Report: /srv/talks/fwtui-report.txt", f"{AT}Report: <file1>.txt"),
        ("No such file: /srv/My Talks/x y.MP3 (check)", "No such file: <file1>.mp3 (check)"),
        (r"D:\Audio\x y.mp3: gone", "<file1>.mp3: gone"),
        ("in /home/alice/work/notes", "in <path1>"),
        ("see '~/My Secrets/plan'", "see '<path1>'"),
        ("more in /home/alice/.local/state/fwtui/logs/x.log", "more in <state>/logs/x.log"),
        ('File "/opt/alice/fwtui/cli/run.py", line 3', 'File "<fwtui>/cli/run.py", line 3'),
        (
            'File "/home/alice/v/lib/python3.11/site-packages/click/core.py", line 3',
            'File "<python>/lib/python3.11/site-packages/click/core.py", line 3',
        ),
        ("user Alice on wonderland: alice@wonderland.example.org", "user <user> on <host>: <mail>"),
        ("malice in /usr/lib/libcudnn.so.9 and 10/20 and/or", None),
        ("get https://video.example/watch?v=1 from 192.168.1.7", "get <link> from <address>"),
        ("https://huggingface.co/Systran/faster-whisper-small", None),
        ("HF_TOKEN=hf_abcdefghijklmnopqrst", "HF_TOKEN=***"),
        ("\x1b[31mred", "\\x1b[31mred"),
    ],
)
def test_one_text(text: str, anonymous: str | None) -> None:
    found = Anonymizer(ME)(text)
    assert found == (text if anonymous is None else anonymous)
    assert Anonymizer(ME)(found) == found


NAMES = ("Doe, John: part [2].mp3", "memory", "O'Neil über \x1b.wav", "x y.unknown", "noext here")


def test_what_is_known_goes_wherever_it_stands() -> None:
    paths = [f"/srv/Family Doe/{name}" for name in NAMES]
    log = "\n".join(
        f"{AT}{text}"
        for path, name in zip(paths, NAMES, strict=True)
        for text in (
            f"[File: {name}] Starting - Memory: 1 MB",
            f"{name}: it is broken",
            f"goes on: {path}, and so on",
            f"names: {name.rpartition('.')[0] or name}.srt is written",
        )
    )
    found = Anonymizer(ME, [*paths, "/srv/Family Doe"])(log)
    for word in ("Doe", "John", "Neil", "über", "x y", "noext", "/srv"):
        assert word not in found
    assert found.count("Starting - Memory: 1 MB") == len(NAMES)
    # A file keeps its sign, so that one can follow what became of it.
    lines = found.splitlines()
    signs = {line.partition("[File: ")[2].partition("]")[0] for line in lines[::4]}
    assert len(signs) == len(NAMES)
    assert lines[1].startswith(f"{AT}{lines[0].partition('[File: ')[2].partition(']')[0]}: ")


def test_names_are_read_from_logs() -> None:
    log = f"{AT}[File: a] b.mp3] Starting - Memory: 1 MB\n{AT}[File: c] Finished - Memory: 2 MB"
    assert names_in_log(log) == {"a] b.mp3", "c"}


def test_many_names_take_no_time() -> None:
    many = [f"/srv/talks/number {number}.mp3" for number in range(5_000)]
    text = f"{AT}number 4999.mp3: broken\n" * 1000
    assert Anonymizer(ME, many)(text) == (f"{AT}<file1>.mp3: broken\n" * 1000).rstrip("\n")


@pytest.mark.parametrize("part", ["x", "/", " /a", ": a", "'/b", "a@", "[File: "])
def test_long_lines_take_no_time(part: str) -> None:
    Anonymizer(ME)(part * (10**5 // len(part)))  # for minutes, if it were not linear
