"""The crash tests' own judgement: what would be wrong is seen to be wrong."""

from datetime import UTC, datetime
from pathlib import Path

from fwtui.core.events import (
    AnyEvent,
    BatchSnapshot,
    JobChanged,
    Phase,
    SegmentsFound,
    SegmentsReset,
)
from fwtui.core.job import Completed, Job, Pending, Processing
from fwtui.core.segment import Segment
from fwtui.core.settings import Settings
from tests.crash.witness import Repeat, Told, read_trace

NOW = datetime(2025, 12, 14, tzinfo=UTC)
DONE = Completed(NOW, NOW, (), 10.0, 1.0, "en", 1)


def found(number: int) -> SegmentsFound:
    segment = Segment(number, 0, 0.0, 1.0, " one", (), 0.0, 1.0, 0.0)
    return SegmentsFound(1, (segment,), "en")


def snapshot(*jobs: Job) -> BatchSnapshot:
    return BatchSnapshot("20251214_000000", NOW, Settings(), Phase.IDLE, jobs)


def problems(*events: AnyEvent) -> list[str]:
    told = Told()
    return [problem for event in events for problem in told.hear(event)]


def test_a_life_that_goes_on_is_fine() -> None:
    again = snapshot(Job(1, "/a", state=Pending(10.0)))
    events = (SegmentsReset(1), found(1), again, found(2), JobChanged(Job(1, "/a", state=DONE)))
    assert problems(*events, snapshot(Job(1, "/a", state=DONE))) == []


def test_work_that_is_done_again_is_seen() -> None:
    assert problems(found(1), found(1)) == ["segment 1 of file 1 is found again"]
    assert problems(found(1), SegmentsReset(1)) == ["file 1 starts over"]
    done = JobChanged(Job(1, "/a", state=DONE))
    assert problems(done, JobChanged(Job(1, "/a", state=Processing(NOW))))
    assert problems(done, snapshot(Job(1, "/a")))


def test_windows_that_are_done_again_are_counted(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text(
        "call 0 open\ncall 1 write\n"
        "begun 7 1 0.0\ndone 7 1 30.0\nbegun 7 1 30.0\ndone 7 1 55.0\nbegun 7 1 55.0\n"
        "call 0 open\n"
        "begun 8 1 30.0\ndone 8 1 55.0\nbegun 8 1 55.0\ndone 8 1 60.0\n"
    )
    read = read_trace(trace)
    assert read.calls == ("open",)
    assert read.repeats == (Repeat(1, 1, 25.0),)
    assert read.interrupted == 1
    assert read_trace(tmp_path / "none").repeats == ()
