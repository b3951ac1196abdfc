"""What is shown while a batch works."""

import io
import os
import pty
from pathlib import Path

import pytest

from fwtui.cli.console import Console
from fwtui.cli.progress import ProgressDisplay, RunRecord
from fwtui.core.events import AnyEvent, JobChanged, JobProgress, Level, LogLine, SegmentsFound
from fwtui.core.job import Pending
from fwtui.core.segment import Segment
from fwtui.core.text import cells
from fwtui.errors import FwtuiError
from tests.cli.batches import NOON, completed, finished, job, processing, snapshot

SEGMENT = Segment(0, 0, 0.0, 3661.5, " One\x1b two.", (), -0.1, 1.0, 0.0)


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told(
    *events: AnyEvent, verbose: bool = False, quiet: bool = False, step: float = 0.0
) -> list[str]:
    """The lines that events lead to where there is no terminal; `step` seconds between them."""
    stream, clock, record = io.StringIO(), Clock(), RunRecord()
    progress = ProgressDisplay(Console(stream, quiet=quiet), record, verbose=verbose, now=clock)
    for event in events:
        record(event)
        progress(event)
        clock.now += step
    return stream.getvalue().splitlines()


def _working(seconds: float, *, preparing: bool = False) -> JobProgress:
    return JobProgress(1, seconds, 100.0, 12.34, 61.0, preparing=preparing)


STARTED = (
    snapshot(job(1, Pending()), job(2, Pending())),
    JobChanged(job(1, processing())),
)


def test_without_a_terminal_there_are_plain_lines() -> None:
    events = (*STARTED, _working(25), _working(50), JobChanged(job(1, completed())), finished())
    assert told(*events, step=20) == [
        "[1/2] clip1.mp3: started",
        "[1/2] clip1.mp3:  50%  12.3x real time",
        "done: clip1.mp3 (1:00, 10.0x real time)",
    ]


def test_a_flood_of_progress_is_thinned_out() -> None:
    lines = told(*STARTED, *(_working(i) for i in range(100)), step=0.1)
    assert lines == ["[1/2] clip1.mp3: started"]


def test_quiet_says_nothing() -> None:
    warning = LogLine(NOON, Level.WARNING, "careful")
    events = (*STARTED, _working(50), warning, JobChanged(job(1, completed())))
    assert told(*events, quiet=True, step=60) == []


def test_log_lines_by_level() -> None:
    logs = [LogLine(NOON, level, f"a {level}\x07") for level in Level]
    assert told(*logs) == ["warning: a warning\\x07", "error: a error\\x07"]
    assert told(*logs, verbose=True)[0] == "info: a info\\x07"


def test_segments_are_shown_when_verbose() -> None:
    event = SegmentsFound(1, (SEGMENT,), "en")
    assert told(event) == []
    assert told(event, verbose=True) == ["[00:00.000 --> 01:01:01.500]  One\\x1b two."]


@pytest.mark.parametrize("width", [0, 1, 10, 30, 50, 80, 200])
@pytest.mark.parametrize("name", ["a.mp3", "講演" * 60 + ".mp4", "x" * 300])
def test_the_live_line_fits(width: int, name: str) -> None:
    record = RunRecord()
    record(snapshot(job(1, processing(), name)))
    line = ProgressDisplay(Console(io.StringIO()), record).live_line(
        record.view.jobs[1], _working(42), width
    )
    assert cells(line) <= max(0, width - 1)
    if width >= 50:
        assert " 42%  12.3x real time  ETA 1:01" in line
        assert line.startswith("[1/1] ")


def test_on_a_terminal_one_line_is_drawn_over() -> None:
    ours, theirs = pty.openpty()
    stream = io.TextIOWrapper(io.FileIO(theirs, "w"), encoding="utf-8", write_through=True)
    console, record = Console(stream), RunRecord()
    progress = ProgressDisplay(console, record)
    for event in (*STARTED, _working(50), JobChanged(job(1, completed())), finished()):
        record(event)
        progress(event)
    stream.close()
    shown = _read_all(ours)
    os.close(ours)
    assert "started" not in shown
    assert "50%" in shown
    assert "█" in shown
    assert "12.3× real time" in shown
    assert "\r\x1b[Kdone: clip1.mp3" in shown
    assert shown.endswith("\r\x1b[K")


def test_a_terminal_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with io.TextIOWrapper(io.FileIO(writing, "w"), write_through=True) as stream:
        console = Console(stream)
        console.always("one")
        console.error(FwtuiError("two", "three"))


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "dumb")
    with io.TextIOWrapper(io.FileIO(theirs, "w"), encoding="utf-8") as stream:
        assert not Console(stream).is_live
    os.close(ours)


def test_bars_are_ascii_where_nothing_else_can_be_written(tmp_path: Path) -> None:
    record = RunRecord()
    record(snapshot(job(1, processing())))
    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        line = ProgressDisplay(Console(stream), record).live_line(
            record.view.jobs[1], _working(50), 80
        )
    assert "##########.........." in line
    assert line.isascii()


def _read_all(descriptor: int) -> str:
    data = b""
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not piece:
            break
        data += piece
    return data.decode()
