"""The progress of a batch is the same number wherever it is shown, and the bar fits to it."""

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Size

from fwtui.batch.estimate import BatchEstimate, PerformanceHistory
from fwtui.batch.remote.batch_status import BatchDetails, BatchStatus
from fwtui.batch.remote.endpoints import Endpoint
from fwtui.cli.progress import counts_text
from fwtui.cli.status import Status, status_lines
from fwtui.core.events import (
    BatchFinished,
    BatchProgress,
    BatchSnapshot,
    JobProgress,
    Phase,
)
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.finding import Finding, FindingKind
from fwtui.core.job import (
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
from fwtui.core.notification import end_text
from fwtui.core.session import Session
from fwtui.core.settings import Settings
from fwtui.core.text import percent
from fwtui.core.view import JobCounts
from fwtui.report.render import export_report
from fwtui.report.report import summary
from fwtui.sessions.catalog import StoredSession
from fwtui.tui.glyphs import ASCII, UNCOLORED, UNICODE, Glyphs
from fwtui.tui.model import BatchModel
from fwtui.tui.report_layout import report_lines
from fwtui.tui.screens.batch_report import report_of
from fwtui.tui.screens.resume import describe_unfinished
from fwtui.tui.screens.running import describe_batch
from fwtui.tui.widgets.header import Header
from fwtui.tui.widgets.paint import apportion, parts_bar

NOON = datetime(2026, 3, 14, 12)
FAILURE = Failure(FailureKind.BAD_MEDIA, "x")
CHECK = (Finding(FindingKind.LOW_CONFIDENCE, 1.0, 2.0, ""),)


def done(*, check: bool = False, seconds: float = 60.0) -> Completed:
    findings = CHECK if check else ()
    return Completed(NOON, NOON, (), seconds, 6.0, "en", 3, findings=findings)


STATES: Sequence[State] = (
    Pending(),
    Pending(20.0),
    Processing(NOON, preparing=False),
    done(),
    done(check=True),
    Failed(NOON, FAILURE),
    Failed(NOON, FAILURE, done_seconds=15.0),
    Cancelled(NOON),
    Cancelled(NOON, done_seconds=15.0),
    Skipped(NOON, "by you"),
)
MIXES = st.lists(
    st.tuples(st.sampled_from(STATES), st.sampled_from((None, 0.0, 10.0, 60.0, 3600.5))),
    max_size=12,
)


def jobs_of(mix: Sequence[tuple[State, float | None]]) -> tuple[Job, ...]:
    return tuple(
        Job(n, f"/{n}", state=state, media=None if length is None else MediaInfo(length))
        for n, (state, length) in enumerate(mix, 1)
    )


def counts_of(jobs: Sequence[Job]) -> JobCounts:
    counts = JobCounts()
    counts.add_all(jobs)
    return counts


def model_of(jobs: Sequence[Job], at: float) -> BatchModel:
    """A batch that is idle, with its running files at so many seconds."""
    model = BatchModel(lambda: NOON)
    model.fold(BatchSnapshot("20260314_120000", NOON, Settings(), Phase.IDLE, tuple(jobs)))
    for job in jobs:
        if isinstance(job.state, Processing):
            model.fold(JobProgress(job.id, at, job.duration, 5.0, None))
    return model


def progress_of(model: BatchModel) -> BatchProgress:
    """What the batch sends, with the same running files."""
    running = sum(min(one.done, model.jobs[one.id].duration) for one in model.progress.values())
    estimate = BatchEstimate(Settings, PerformanceHistory(None))
    return estimate.progress(model.counts, running, 0.0)


class SizedHeader(Header):
    """A header that is on no screen."""

    size = Size(120, 2)

    def _ending(self) -> str:
        return ""  # it has no percentage


def header_text(model: BatchModel) -> str:
    sides = SizedHeader(model, UNICODE, lambda: NOON)._second()
    return "".join(text for side in sides for text, _ in side)


def percentages(text: str) -> list[str]:
    return re.findall(r"\d+%", text)


@given(MIXES, st.sampled_from((0.0, 5.0, 60.0, 1e6)))
def test_all_places_show_the_same_percentage(
    mix: list[tuple[State, float | None]], at: float
) -> None:
    jobs = jobs_of(mix)
    model = model_of(jobs, at)
    if not jobs:
        return
    event = progress_of(model)
    assert event.share is not None
    expected = percent(event.share)
    assert percentages(header_text(model)) == [expected]
    if event.total_seconds:  # those who work it out themselves get the same
        assert event.done_seconds / event.total_seconds == pytest.approx(event.share)
    report = report_of(model)
    lines = report_lines(report, UNICODE, 100)
    assert percentages("".join(text for text, _ in lines[1])) == [expected]
    assert dict(summary(report, None))["Progress"] == expected
    exported = msgspec.json.decode(export_report(report, "json"))
    assert percent(exported["share"]) == expected
    details = details_of(model, event)
    status = BatchStatus(PLACE, details)
    assert percentages("\n".join(status_lines(Status((status,), None)))) == [expected]
    assert percentages(describe_batch(status).plain) == [expected]
    sent = msgspec.json.decode(msgspec.json.encode(event))
    assert percent(sent["share"]) == expected
    ended = BatchFinished(1, 0, 0, stopped=True, seconds=1, share=event.share)
    assert percentages(end_text(ended)) == ([] if expected == "100%" else [expected])


PLACE = Endpoint("20260314_120000", "box", 4711, NOON)


def details_of(model: BatchModel, progress: BatchProgress) -> BatchDetails:
    counts = model.counts
    return BatchDetails(
        where="run",
        phase=model.phase,
        completed=counts.completed,
        failed=counts.failed,
        unfinished=counts.unfinished,
        total=counts.total,
        progress=progress,
        current=(),
        engine=None,
        memory=None,
        output_dir="/out",
        log="",
        to_check=counts.to_check,
        cancelled=counts.cancelled,
        skipped=counts.skipped,
    )


@given(MIXES, st.sampled_from((0.0, 5.0, 60.0)))
def test_a_session_shows_what_its_batch_showed(
    mix: list[tuple[State, float | None]], at: float
) -> None:
    """Running files wait again, with the progress inside them."""
    jobs = jobs_of(mix)
    model = model_of(jobs, at)
    kept = tuple(
        msgspec.structs.replace(job, state=Pending(min(at, job.duration)))
        if isinstance(job.state, Processing)
        else job
        for job in jobs
    )
    session = Session("20260314_120000", NOON, Settings(), kept)
    assert percent(session.shares.finished) == percent(model.shares.finished)
    shown = describe_unfinished(StoredSession(session, None, NOON), UNICODE).plain
    assert percentages(shown) == [percent(session.shares.finished)]


@given(MIXES)
def test_it_is_all_only_when_nothing_is_left_to_do(
    mix: list[tuple[State, float | None]],
) -> None:
    jobs = jobs_of(mix)
    shares = counts_of(jobs).shares()
    whole = all(job.is_finished for job in jobs) and bool(jobs)
    assert (percent(shares.finished) == "100%") is whole
    values = msgspec.structs.astuple(shares)
    assert all(value >= 0 for value in values)
    assert sum(values) == pytest.approx(1.0 if jobs else 0.0)


@given(MIXES, st.integers(1, 200), st.sampled_from((UNICODE, UNCOLORED, ASCII)))
def test_the_bar_is_as_wide_as_asked_and_hides_nothing(
    mix: list[tuple[State, float | None]], cells: int, glyphs: Glyphs
) -> None:
    shares = counts_of(jobs_of(mix)).shares()
    bar = parts_bar(shares, cells, glyphs)
    assert sum(len(text) for text, _ in bar) == cells
    if cells >= 7:
        inks = {ink for _, ink in bar}
        assert ("bad" in inks) is (shares.failed > 0)
        assert (not mix or "faint" in inks) is (not mix or shares.left > 0)
        if glyphs is not UNICODE:  # without colours
            signs = [text[0] for text, ink in bar if ink != "primary"]
            assert len(set(signs)) == len(signs)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7), st.integers(0, 100))
def test_cells_are_apportioned_to_the_last(parts: list[float], cells: int) -> None:
    whole = sum(parts)
    shares = [part / whole for part in parts] if whole else parts
    counts = apportion(shares, cells)
    assert sum(counts) == (cells if any(shares) else 0)
    for share, count in zip(shares, counts, strict=True):
        assert count >= 0
        assert abs(count - share * cells) <= len(parts)
        assert share or not count


@pytest.mark.parametrize(
    ("states", "text"),
    [
        ((done(), done(check=True)), "2 of 2 files done"),
        (
            STATES,
            "2 of 10 files done, 2 failed, 2 cancelled, 1 skipped, 3 remaining",
        ),
    ],
)
def test_totals_count_every_file(states: Sequence[State], text: str) -> None:
    counts = counts_of(jobs_of([(state, 60.0) for state in states]))
    assert counts_text(counts) == text
    numbers = list(map(int, re.findall(r"\d+", text)))
    assert numbers[0] + sum(numbers[2:]) == numbers[1] == counts.total


def test_the_end_says_what_became_of_all_files() -> None:
    ended = BatchFinished(5, 1, 3, stopped=False, seconds=9, to_check=2, skipped=2, share=0.7)
    assert end_text(ended) == "5 files done, 2 to check, 1 failed, 1 cancelled, 2 skipped (70%)"
