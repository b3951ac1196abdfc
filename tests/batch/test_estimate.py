"""Speed, ETA and running sums."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwtui.batch.estimate import Speed, Tally, job_eta
from fwtui.core.failure import Failure, FailureKind
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

NOON = datetime(2025, 12, 14, 12, 0, tzinfo=UTC)
STATES: list[State] = [
    Pending(),
    Pending(30.0),
    Processing(NOON),
    Completed(NOON, NOON, (), 60.0, 6.0, "en", 3),
    Failed(NOON, Failure(FailureKind.BAD_MEDIA, "x")),
    Cancelled(NOON),
    Skipped(NOON, "x"),
]


@pytest.mark.parametrize(
    ("done", "total", "speed", "eta"),
    [
        (0, 100, 10, 10),
        (50, 100, 10, 5),
        (100, 100, 10, 0),
        (120, 100, 10, 0),
        (0, 0, 10, None),
        (0, 100, 0, None),
    ],
)
def test_job_eta(done: float, total: float, speed: float, eta: float | None) -> None:
    assert job_eta(done, total, speed) == eta


def test_speed_is_of_the_last_windows_and_rests_do_not_count() -> None:
    speed = Speed()
    speed.begin(0.0)
    speed.advance(30.0, 1.0)
    assert speed.value == 30.0
    speed.begin(1000.0)
    speed.advance(30.0, 1001.0)
    assert speed.value == 30.0
    speed.advance(10.0, 1002.0)
    assert 10 < speed.value < 30
    before = speed.value
    speed.advance(0.0, 1003.0)
    speed.advance(5.0, 1003.0)
    assert speed.value == before


def job(number: int, state: State, duration: float | None) -> Job:
    media = None if duration is None else MediaInfo(duration)
    return Job(number, f"/{number}", state=state, media=media)


def test_sums_of_a_batch() -> None:
    tally = Tally()
    for number, state in enumerate(STATES):
        tally.add(job(number, state, 60.0))
    assert (tally.completed, tally.failed, tally.pending, tally.other) == (1, 1, 3, 2)
    assert tally.done_seconds == 90.0
    assert tally.total_seconds == 240.0


def test_files_of_unknown_length_count_as_of_mean_length() -> None:
    tally = Tally()
    for number, duration in enumerate((60.0, 120.0, None)):
        tally.add(job(number, Pending(), duration))
    assert tally.total_seconds == 270.0


@given(
    st.lists(
        st.tuples(st.sampled_from(STATES), st.one_of(st.none(), st.integers(1, 1000))), max_size=30
    )
)
def test_removing_is_the_opposite_of_adding(given_jobs: list[tuple[State, int | None]]) -> None:
    tally = Tally()
    jobs = [job(number, state, length) for number, (state, length) in enumerate(given_jobs)]
    for one in jobs:
        tally.add(one)
    assert tally.total == len(jobs)
    for one in reversed(jobs):
        tally.remove(one)
    assert tally == Tally()
