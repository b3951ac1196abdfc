"""What events add up to."""

import pytest

from fwtui.cli.progress import Tally, failures, summary
from fwtui.core.events import JobChanged, JobProgress, JobsAdded, JobsRemoved
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Cancelled, Pending, Skipped, State
from fwtui.errors import ExitCode
from tests.cli.batches import NOON, completed, failed, finished, job, processing, snapshot

MODEL_MISSING = failed(FailureKind.MODEL_MISSING)


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([], ExitCode.DONE),
        ([completed()], ExitCode.DONE),
        ([completed(), Skipped(NOON, "by you"), Cancelled(NOON)], ExitCode.DONE),
        ([completed(), failed()], ExitCode.SOME_FAILED),
        ([failed()], ExitCode.SOME_FAILED),
        ([completed(), failed(), Pending()], ExitCode.STOPPED),
        ([processing()], ExitCode.STOPPED),
        ([MODEL_MISSING, MODEL_MISSING], ExitCode.CANNOT_START),
        ([MODEL_MISSING, failed()], ExitCode.SOME_FAILED),
        ([MODEL_MISSING, completed()], ExitCode.SOME_FAILED),
    ],
)
def test_the_exit_code_says_what_happened(states: list[State], code: ExitCode) -> None:
    tally = Tally()
    tally(snapshot(*(job(number, state) for number, state in enumerate(states))))
    tally(finished())
    assert tally.exit_code is code


def test_a_batch_that_could_not_go_on_cannot_start() -> None:
    tally = Tally()
    tally(snapshot(job(1, Pending())))
    tally(finished(failure=Failure(FailureKind.MODEL_MISSING, "no model")))
    assert tally.exit_code is ExitCode.CANNOT_START


def test_jobs_come_change_and_go() -> None:
    tally = Tally()
    tally(snapshot(job(1, Pending())))
    tally(JobsAdded((job(2, Pending()), job(3, Pending()))))
    tally(JobsRemoved((3, 99)))
    tally(JobProgress(2, 1.0, 2.0, 1.0, None))
    assert 2 in tally.progress
    tally(JobChanged(job(2, completed())))
    assert not tally.progress
    assert [found.id for found in tally.completed] == [2]
    assert [found.id for found in tally.unfinished] == [1]


def test_the_speed_counts_only_what_this_run_did() -> None:
    tally = Tally()
    tally(snapshot(job(1, completed(audio=1000)), job(2, Pending(done_seconds=40.0))))
    tally(JobChanged(job(2, completed(audio=140))))
    tally(finished(seconds=10))
    lines = list(summary(tally, "/out"))
    assert lines == [
        "2 of 2 files done",
        "1:40 of audio in 0:10 (10.0x real time)",
        "transcripts are in /out",
    ]


def test_failures_have_path_title_and_hint_and_no_escapes() -> None:
    tally = Tally()
    tally(snapshot(job(1, failed(), "a\x1b[31mb\n.mp3"), job(2, completed())))
    assert list(failures(tally)) == [
        "failed: /media/a\\x1b[31mb\\x0a.mp3: It is not a media file",
        "  look at it",
    ]
    assert next(summary(tally, "/out")) == "1 of 2 files done, 1 failed"
