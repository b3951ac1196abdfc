"""The report: its figures, and its text to the character."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from fwtui.config.fields import apply
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.finding import Finding, FindingKind
from fwtui.core.job import (
    Attempt,
    Cancelled,
    Completed,
    Failed,
    Job,
    MediaInfo,
    Pending,
    Processing,
    Skipped,
    State,
)
from fwtui.core.paths import path_to_text
from fwtui.core.settings import Settings
from fwtui.report.render import render_report
from fwtui.report.report import BatchReport, file_record, make_report, to_csv

START = datetime(2025, 12, 14, 12, 34, 56)
END = START + timedelta(hours=1, minutes=5, seconds=5)
OOM = Failure(FailureKind.OUT_OF_MEMORY, "Failed (Memory Error)", "use a smaller model")


def completed(audio: float, work: float, *warnings: str, language: str = "en") -> Completed:
    return Completed(START, END, ("out.txt",), audio, work, language, 12, warnings)


def report(*jobs: Job, settings: Settings | None = None, peak: float = 1450.4) -> BatchReport:
    return make_report(jobs, settings or Settings(), "20251214_123456", START, END, peak)


def test_the_figures_count_completed_files() -> None:
    found = report(
        Job(1, "/a/1.mp3", state=completed(600, 60)),
        Job(2, "/a/2.mp3", state=completed(300, 30)),
        Job(3, "/a/3.mp3", state=Failed(END, OOM), attempts=(Attempt(START, OOM, 5, "x"),)),
        Job(4, "/a/4.mp3"),
    )
    assert (found.audio_seconds, found.work_seconds, found.speed) == (900, 90, 10)
    assert found.counts == {"completed": 2, "failed": 1, "pending": 1}
    assert [(job.id, state.failure.title) for job, state in found.failures] == [(3, OOM.title)]
    assert [job.id for job in found.retried] == [3]


def test_the_whole_text() -> None:
    settings = apply(
        Settings(),
        {
            "model.model": "tiny",
            "decoding.vad_filter": True,
            "decoding.temperature_increment_on_fallback": None,
        },
    )
    found = report(
        Job(1, "/talks/会議.mp3", state=completed(3723, 310.25, "10 s are damaged")),
        Job(
            2,
            "/talks/old/b.wav",
            state=Failed(END, OOM),
            media=MediaInfo(65.4),
            attempts=(Attempt(START, OOM, 30, "beam size 1"),),
        ),
        Job(3, "/talks/c.wav", state=Pending(done_seconds=61)),
        settings=settings,
    )
    assert (
        render_report(found)
        == """\
fwtui batch report
==================
Session          20251214_123456
Started          2025-12-14 12:34:56
Finished         2025-12-14 13:40:01 (after 1:05:05)
Model            tiny (auto)
Files            3 (1 done, 1 failed, 1 waiting)
Progress         66%
Folder           /talks
Output folder    .
Audio            1:02:03
Processing time  5:10
Speed            12.0× real time
Peak memory      1450 MB

Files
-----
State     Length  Time  Speed  Language  Segments  File
done     1:02:03  5:10  12.0×  en              12  会議.mp3
failed      1:05     -      -  -                -  old/b.wav
waiting        -     -      -  -                -  c.wav

Failures
--------
/talks/old/b.wav
  Failed (Memory Error)
  use a smaller model

Attempts
--------
/talks/old/b.wav
  2025-12-14 12:34:56 at 0:30: Failed (Memory Error); retried with beam size 1

Warnings
--------
/talks/会議.mp3
  10 s are damaged

Not done
--------
/talks/c.wav
  interrupted at 1:01; resume to continue from there

Settings that differ from the defaults
--------------------------------------
model.model                                 tiny
decoding.temperature_increment_on_fallback  none
decoding.vad_filter                         true
"""
    )


def test_an_empty_batch() -> None:
    found = report(peak=0)
    assert found.speed is None
    text = render_report(found)
    assert "Files            0 " not in text
    assert "Files            0\n" in text
    assert "memory" not in text


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (Pending(), "not started; resume to transcribe it"),
        (Processing(START), "not started; resume to transcribe it"),
        (Cancelled(END), "cancelled"),
        (Skipped(END, "not wanted"), "skipped: not wanted"),
    ],
)
def test_what_was_not_done_is_said(state: State, line: str) -> None:
    assert f"Not done\n--------\n/a/b\n  {line}\n" in render_report(
        report(Job(1, "/a/b", state=state))
    )


def test_text_from_outside_stays_in_its_line() -> None:
    evil = "\x1b[2Ja\nFailures\u202e\udcff"
    failure = Failure(FailureKind.INTERNAL, evil, evil)
    text = render_report(
        report(
            Job(1, path_to_text(f"/a/{evil}"), state=Failed(END, failure)),
            Job(2, "/b/c", state=completed(1, 0, evil)),
        )
    )
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.splitlines().count("Failures") == 1
    assert text.encode()


def test_times_with_a_zone_are_shown_on_the_local_clock() -> None:
    start = datetime(2025, 12, 14, 12, tzinfo=UTC)
    text = render_report(make_report([], Settings(), "id", start, start, 0))
    shown = text.split("Started")[1].split("\n")[0].strip()
    assert datetime.fromisoformat(shown) == start
    assert datetime.fromisoformat(shown).utcoffset() == start.astimezone().utcoffset()


def test_passages_to_check_are_listed_with_their_times_and_exported() -> None:
    doubts = (
        Finding(FindingKind.REPETITION, 3662.0, 3690.0, "5 x “no”"),
        Finding(FindingKind.LANGUAGE, 3700.0, 3730.0, "Ger\nman\x1b[31m"),
    )
    job = Job(1, "/a/1.mp3", state=replace(completed(3723, 310), findings=doubts))
    text = render_report(report(job))
    assert "Please check\n------------\n/a/1.mp3\n" in text
    assert "  1:01:02 to 1:01:30  repetition: 5 x “no”\n" in text
    assert "\x1b" not in text
    (_, row) = to_csv([file_record(job)]).splitlines()
    assert "3662-3690 s repetition: 5 x “no”; 3700-3730 s other language: Ger" in row
    assert "\x1b" not in row
    (known,) = msgspec.to_builtins([file_record(job)])
    assert known["findings"][0]["kind"] == "repetition"
