"""The store against a model that is nothing but dicts, with reopenings, kills and torn tails."""

import tempfile
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fwtui.core.events import (
    JobChanged,
    JobsAdded,
    JobsRemoved,
    JobsReordered,
    SegmentsReset,
    SettingsChanged,
)
from fwtui.core.job import Completed, Job, Pending, Processing, State
from fwtui.core.segment import Segment
from fwtui.core.settings import DecodingSettings, Settings
from fwtui.sessions.catalog import list_sessions
from fwtui.sessions.store import SessionStore
from tests.disk.dying import DyingFiles
from tests.sessions import samples

IDS = st.integers(1, 3)
STATES: st.SearchStrategy[State] = st.sampled_from(
    [Pending(), samples.running(), samples.completed(), samples.failed()]
)
TEXT = st.text(max_size=8)


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = tempfile.TemporaryDirectory()
        self.files = DyingFiles()
        folder = Path(self.root.name)
        self.store = SessionStore.create(folder, Settings(), samples.NOW, files=self.files)
        self.jobs: dict[int, Job] = {}
        self.windows: dict[int, list[Segment]] = {}
        self.seconds: dict[int, float] = {}
        self.settings = Settings()
        self.counter = 0

    def teardown(self) -> None:
        self.store.close()
        self.root.cleanup()

    @rule(number=IDS, name=TEXT, stem=TEXT)
    def add(self, number: int, name: str, stem: str) -> None:
        if number not in self.jobs:
            self.add_model(number, name, stem)

    def add_model(self, number: int, name: str, stem: str = "") -> None:
        self.jobs[number] = Job(number, "/" + name).with_stem(stem)
        self.store.commit(JobsAdded((self.jobs[number],)))

    @rule(number=IDS, state=STATES)
    def set_state(self, number: int, state: State) -> None:
        if number in self.jobs:
            self.jobs[number] = msgspec.structs.replace(self.jobs[number], state=state)
            self.store.commit(JobChanged(self.jobs[number]))

    @rule(number=IDS)
    def remove(self, number: int) -> None:
        self.store.commit(JobsRemoved((number,)))
        self.jobs.pop(number, None)
        self.forget_model(number)

    @rule(order=st.lists(IDS, unique=True))
    def reorder(self, order: list[int]) -> None:
        self.store.commit(JobsReordered(tuple(order)))
        order = [n for n in order if n in self.jobs]
        order += [n for n in self.jobs if n not in order]
        self.jobs = {number: self.jobs[number] for number in order}

    @rule(beam=st.integers(1, 9))
    def set_settings(self, beam: int) -> None:
        self.settings = Settings(decoding=DecodingSettings(beam_size=beam))
        self.store.commit(SettingsChanged(self.settings))

    @rule(number=IDS)
    def begin(self, number: int) -> None:
        if number not in self.jobs:
            self.add_model(number, "")
        self.store.begin_file(number, samples.plan(str(number)))
        self.windows[number], self.seconds[number] = [], 0.0

    @rule(number=IDS, text=TEXT, more=st.integers(0, 2))
    def window(self, number: int, text: str, more: int) -> None:
        if number not in self.windows:
            self.begin(number)
        self.counter += 1
        segments = tuple(samples.segment(self.counter, text or "x") for _ in range(more))
        result = msgspec.structs.replace(samples.window(self.counter), segments=segments)
        self.store.add_window(number, result)
        self.windows[number] += segments
        self.seconds[number] = result.seconds

    @rule(number=IDS)
    def forget(self, number: int) -> None:
        self.store.commit(SegmentsReset(number))
        self.forget_model(number)

    @rule(numbers=st.sets(IDS), restart=st.booleans())
    def set_many(self, numbers: set[int], restart: bool) -> None:
        jobs = [
            msgspec.structs.replace(self.jobs[number], state=samples.failed())
            for number in sorted(numbers & self.jobs.keys())
        ]
        gone = [job.id for job in jobs] if restart else []
        self.store.commit(*map(SegmentsReset, gone), *map(JobChanged, jobs))
        self.jobs |= {job.id: job for job in jobs}
        for number in gone:
            self.forget_model(number)

    def forget_model(self, number: int) -> None:
        self.windows.pop(number, None)
        self.seconds.pop(number, None)

    @rule()
    def compact(self) -> None:
        self.store.compact()
        self.drop_completed()

    def drop_completed(self) -> None:
        for number, job in self.jobs.items():
            if isinstance(job.state, Completed):
                self.forget_model(number)

    @precondition(lambda self: self.jobs)
    @rule(kill=st.booleans(), torn=st.binary(max_size=20).filter(lambda b: b"\n" not in b))
    def reopen(self, kill: bool, torn: bytes) -> None:
        if kill:
            self.files.bury()
        else:
            self.store.close()
        with (self.store.directory / f"{self.store.session_id}.journal").open("ab") as file:
            file.write(torn)
        (listed,) = list_sessions(self.store.directory, temp=self.store.directory).sessions
        self.files = DyingFiles()
        self.store = SessionStore.open(
            self.store.directory, self.store.session_id, files=self.files
        )
        assert self.store.problems == ()
        assert listed.session == self.store.session
        self.drop_completed()
        for number, job in self.jobs.items():
            if isinstance(job.state, Pending | Processing):
                waiting = Pending(self.seconds.get(number, 0.0))
                self.jobs[number] = msgspec.structs.replace(job, state=waiting)

    @invariant()
    def same(self) -> None:
        session = self.store.session
        assert session.jobs == tuple(self.jobs.values())
        assert session.settings == self.settings
        for number in range(1, 4):
            assert self.store.segments(number) == tuple(self.windows.get(number, ()))
            point = self.store.resume_point(number)
            assert (point.seconds if point else None) == self.seconds.get(number)


StoreMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestStore = StoreMachine.TestCase
