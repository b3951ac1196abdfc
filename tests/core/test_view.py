"""The fold of a batch's durable events: jobs, their order, their counts."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fwtui.core.events import (
    AddingChanged,
    BatchSnapshot,
    FoldersChanged,
    JobChanged,
    JobsAdded,
    JobsRemoved,
    JobsReordered,
    Phase,
    PhaseChanged,
    SettingsChanged,
)
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
from fwtui.core.settings import DecodingSettings, Settings
from fwtui.core.view import BatchView, JobCounts
from fwtui.core.watched_folder import FolderStatus, WatchedFolder

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
IDS = st.integers(0, 9)


def make_job(number: int, state: State, duration: float | None) -> Job:
    media = None if duration is None else MediaInfo(duration)
    return Job(number, f"/{number}", state=state, media=media)


JOBS = st.builds(
    make_job, IDS, st.sampled_from(STATES), st.one_of(st.none(), st.integers(0, 1000).map(float))
)


def test_counts_of_a_batch() -> None:
    counts = JobCounts()
    for number, state in enumerate(STATES):
        counts.add(make_job(number, state, 60.0))
    assert (counts.completed, counts.failed, counts.cancelled, counts.skipped) == (1, 1, 1, 1)
    assert (counts.waiting, counts.running, counts.unfinished) == (2, 1, 3)
    assert (counts.finished, counts.total) == (4, 7)
    assert counts.done_seconds == 90.0
    assert counts.total_seconds == 240.0


def test_files_of_unknown_length_count_as_of_mean_length() -> None:
    counts = JobCounts()
    for number, duration in enumerate((60.0, 120.0, None)):
        counts.add(make_job(number, Pending(), duration))
    assert counts.total_seconds == 270.0


@given(st.lists(JOBS, max_size=30))
def test_removing_is_the_opposite_of_adding(jobs: list[Job]) -> None:
    counts, at_once = JobCounts(), JobCounts()
    for job in jobs:
        counts.add(job)
    at_once.add_all(jobs)
    assert counts == at_once
    assert counts.total == len(jobs)
    for job in reversed(jobs):
        counts.remove(job)
    assert counts == JobCounts()


class ViewMachine(RuleBasedStateMachine):
    """The view against a list of jobs that is searched and counted again at each step."""

    def __init__(self) -> None:
        super().__init__()
        self.view = BatchView()
        self.jobs: list[Job] = []

    @rule(jobs=st.lists(JOBS, max_size=4, unique_by=lambda job: job.id))
    def add(self, jobs: list[Job]) -> None:
        self.view.apply(JobsAdded(tuple(jobs)))
        there = {job.id for job in self.jobs}
        self.replace([job for job in jobs if job.id in there])
        self.jobs += [job for job in jobs if job.id not in there]

    @rule(job=JOBS)
    def change(self, job: Job) -> None:
        self.view.apply(JobChanged(job))
        self.replace([job])

    def replace(self, jobs: list[Job]) -> None:
        by_id = {job.id: job for job in jobs}
        self.jobs = [by_id.get(job.id, job) for job in self.jobs]

    @rule(ids=st.lists(IDS))
    def remove(self, ids: list[int]) -> None:
        self.view.apply(JobsRemoved(tuple(ids)))
        self.jobs = [job for job in self.jobs if job.id not in ids]

    @rule(order=st.lists(IDS))
    def reorder(self, order: list[int]) -> None:
        self.view.apply(JobsReordered(tuple(order)))
        self.jobs.sort(key=lambda job: order.index(job.id) if job.id in order else len(order))

    @invariant()
    def same(self) -> None:
        assert list(self.view.jobs.values()) == self.jobs
        assert self.view.order == tuple(job.id for job in self.jobs)
        counts = JobCounts()
        counts.add_all(self.jobs)
        assert self.view.counts == counts


TestView = ViewMachine.TestCase
TestView.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_what_a_change_replaces_and_removes_is_returned() -> None:
    first, second = Job(1, "/a.mp3"), Job(2, "/b.mp3")
    view = BatchView([first, second])
    newer = make_job(1, Processing(NOON), None)
    assert view.put(newer) is first
    assert view.put(Job(3, "/c.mp3")) is None
    assert view.remove([2, 3, 1]) == (second, newer)
    assert view.order == ()


def test_a_snapshot_replaces_everything() -> None:
    view = BatchView([Job(1, "/a.mp3")], Settings())
    german = Settings(decoding=DecodingSettings(language="de"))
    folder = FolderStatus(folder=WatchedFolder(path="/in"))
    adding = AddingChanged(adding=True)
    jobs = (Job(2, "/b.mp3"),)
    view.apply(BatchSnapshot("s", NOON, german, Phase.PAUSED, jobs, (), None, (folder,), adding))
    assert (view.session_id, view.settings, view.phase) == ("s", german, Phase.PAUSED)
    assert (view.order, view.counts.total) == ((2,), 1)
    assert (view.folders, view.adding) == ((folder,), adding)


@pytest.mark.parametrize("phase", Phase)
def test_settings_phase_and_folders_are_the_last_that_came(phase: Phase) -> None:
    view = BatchView()
    english = Settings(decoding=DecodingSettings(language="en"))
    folder = FolderStatus(folder=WatchedFolder(path="/in"))
    adding = AddingChanged(adding=True)
    for event in (PhaseChanged(phase), SettingsChanged(english), FoldersChanged((folder,)), adding):
        view.apply(event)
    assert (view.phase, view.settings, view.folders) == (phase, english, (folder,))
    assert view.adding == adding
