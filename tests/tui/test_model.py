from datetime import timedelta

from fwtui.core.events import (
    BatchSnapshot,
    JobChanged,
    JobProgress,
    JobsAdded,
    JobsRemoved,
    JobsReordered,
    Level,
    LogLine,
    Phase,
    PhaseChanged,
    SegmentsFound,
    SegmentsReset,
)
from fwtui.core.job import Job, Pending, Processing
from fwtui.core.segment import Transcript
from fwtui.tui.model import KEPT_TRANSCRIPTS, LOG_LINES, BatchModel
from fwtui.tui.sort_filter import matching
from tests.tui.fakes import NOW, SETTINGS, busy_events, completed, failed, gallery, job, segment

WORKING = Processing(NOW, preparing=False)


def model_of(*jobs: Job) -> BatchModel:
    model = BatchModel()
    model.fold(BatchSnapshot("s", NOW, SETTINGS, Phase.IDLE, jobs))
    model.take_changes()
    return model


def test_counts_follow_every_change() -> None:
    model = model_of(*gallery())
    assert (model.counts.completed, model.counts.failed, model.counts.unfinished) == (4, 2, 11)
    assert model.counts.total == 19
    model.fold(JobChanged(job(12, state=completed())))
    model.fold(JobChanged(job(13, state=failed())))
    model.fold(JobsRemoved((1, 4)))
    model.fold(JobsAdded((job(20), job(21))))
    assert (model.counts.completed, model.counts.failed, model.counts.unfinished) == (4, 2, 11)
    assert model.counts.total == 19


def test_order_and_unknown_jobs() -> None:
    model = model_of(job(1), job(2), job(3))
    model.fold(JobsReordered((3, 1, 2)))
    assert model.order == [3, 1, 2]
    model.fold(JobChanged(job(9, state=completed())))
    model.fold(JobProgress(9, 1, 2, 1, None))
    model.fold(SegmentsFound(9, (segment(1, 0, "x"),), "en"))
    model.fold(JobsRemoved((9,)))
    assert model.counts.total == 3
    model.fold(JobsAdded((job(3),)))
    assert model.order == [3, 1, 2]


def test_live_is_the_file_in_the_model_not_the_one_being_prepared() -> None:
    model = model_of(job(1, state=Processing(NOW)), job(2, state=WORKING))
    assert model.live == 2
    model.fold(JobChanged(job(2, state=completed())))
    assert model.live == 1
    model.fold(JobChanged(job(1)))
    assert model.live is None


def test_progress_ends_with_the_work() -> None:
    model = model_of(job(1, state=WORKING))
    model.fold(JobProgress(1, 5, 10, 2, 2.5))
    assert model.progress[1].done == 5
    model.fold(JobChanged(job(1, state=completed())))
    model.fold(JobProgress(1, 6, 10, 2, 2.0))
    assert not model.progress


def test_changes_say_what_to_draw() -> None:
    model = model_of(job(1), job(2))
    model.fold(JobChanged(job(2, state=WORKING)))
    changes = model.take_changes()
    assert changes.jobs == {2}
    assert not changes.order
    assert not changes.everything
    assert not changes.only_progress, "its state is in titles and counts"
    model.fold(PhaseChanged(Phase.RUNNING))
    assert model.take_changes().header
    assert model.take_changes().jobs == set()
    model.fold(JobProgress(2, 5, 10, 2, 2.5))
    assert model.take_changes().only_progress


def test_segments_seen_from_the_start_are_whole() -> None:
    model = model_of(job(1), job(2, state=Pending(30.0)))
    model.fold(JobChanged(job(1, state=WORKING)))
    model.fold(JobChanged(job(2, state=WORKING)))
    model.fold(SegmentsFound(1, (segment(1, 0, "a"), segment(2, 3, "b")), "en"))
    model.fold(SegmentsFound(2, (segment(4, 30, "d"),), "en"))
    assert model.transcript(1).whole
    assert not model.transcript(2).whole


def test_stored_segments_go_before_those_seen_and_none_is_twice() -> None:
    model = model_of(job(1, state=WORKING))
    for number in (3, 4):
        model.fold(SegmentsFound(1, (segment(number, number, str(number)),), "en"))
    transcript = model.transcript(1)
    transcript.complete(Transcript("en", tuple(segment(n, n, str(n)) for n in (1, 2, 3))))
    assert [one.id for one in transcript.segments] == [1, 2, 3, 4]
    model.fold(SegmentsReset(1))
    assert transcript.segments == []
    model.fold(SegmentsFound(1, (segment(1, 0, "again"),), "en"))
    assert [one.text for one in transcript.segments] == ["again"]


def test_only_some_finished_files_keep_their_words_here() -> None:
    jobs = tuple(job(n, state=completed()) for n in range(1, 41))
    model = model_of(*jobs, job(99, state=WORKING))
    model.fold(SegmentsFound(99, (segment(1, 0, "x"),), "en"))
    for number in range(1, 41):
        model.transcript(number)
    assert len(model.transcripts) == KEPT_TRANSCRIPTS + 1
    assert 99 in model.transcripts
    assert 40 in model.transcripts


def test_the_log_is_bounded() -> None:
    model = model_of()
    for number in range(LOG_LINES + 10):
        model.fold(LogLine(NOW + timedelta(seconds=number), Level.INFO, str(number)))
    assert len(model.log) == LOG_LINES
    assert model.log_count == LOG_LINES + 10


def test_filter_by_name_and_by_state() -> None:
    model = model_of(*gallery())
    assert matching(model, "SIDE-A") == [7]
    assert matching(model, "is:failed") == [4, 6]
    assert matching(model, "会議") == [14]
    model.fold(JobsAdded((job(50, "late-side-a.mp3"),)))
    assert matching(model, "side-a") == [7, 50]
    assert matching(model, "nothing like it") == []
    assert matching(model, "side-a", [50, 4]) == [50]
    model.fold(JobChanged(job(50, "renamed.mp3")))
    model.fold(JobsRemoved((14,)))
    model.fold(JobsReordered((50, *(i for i in model.order if i != 50))))
    assert matching(model, "side-a") == [7]
    assert matching(model, "renamed") == [50]


def test_a_new_snapshot_replaces_everything() -> None:
    model = model_of(*gallery())
    for event in busy_events():
        model.fold(event)
    model.fold(BatchSnapshot("t", NOW, SETTINGS, Phase.IDLE, (job(1),)))
    assert model.take_changes().everything
    assert model.order == [1]
    assert not model.progress
    assert not model.transcripts
    assert model.counts.total == 1
