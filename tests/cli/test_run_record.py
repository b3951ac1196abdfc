"""What events add up to."""

import pytest

from fwtui.cli.progress import RunRecord, failures, summary
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
    record = RunRecord()
    record(snapshot(*(job(number, state) for number, state in enumerate(states))))
    record(finished())
    assert record.exit_code is code


def test_a_batch_that_could_not_go_on_cannot_start() -> None:
    record = RunRecord()
    record(snapshot(job(1, Pending())))
    record(finished(failure=Failure(FailureKind.MODEL_MISSING, "no model")))
    assert record.exit_code is ExitCode.CANNOT_START


def test_jobs_come_change_and_go() -> None:
    record = RunRecord()
    record(snapshot(job(1, Pending())))
    record(JobsAdded((job(2, Pending()), job(3, Pending()))))
    record(JobsRemoved((3, 99)))
    record(JobProgress(2, 1.0, 2.0, 1.0, None))
    assert 2 in record.progress
    record(JobChanged(job(2, completed())))
    assert not record.progress
    assert list(record.view.jobs) == [1, 2]
    assert (record.view.counts.completed, record.view.counts.unfinished) == (1, 1)


def test_the_speed_counts_only_what_this_run_did() -> None:
    record = RunRecord()
    record(snapshot(job(1, completed(audio=1000)), job(2, Pending(done_seconds=40.0))))
    record(JobChanged(job(2, completed(audio=140))))
    record(finished(seconds=10))
    lines = list(summary(record, "/out"))
    assert lines == [
        "2 of 2 files done",
        "1:40 of audio in 0:10 (10.0× real time)",
        "transcripts are in /out",
    ]


def test_failures_have_path_title_and_hint_and_no_escapes() -> None:
    record = RunRecord()
    record(snapshot(job(1, failed(), "a\x1b[31mb\n.mp3"), job(2, completed())))
    assert list(failures(record)) == [
        "failed: /media/a\\x1b[31mb\\x0a.mp3: It is not a media file",
        "  look at it",
    ]
    assert next(summary(record, "/out")) == "1 of 2 files done, 1 failed"
