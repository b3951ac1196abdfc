"""Jobs by id, against a dict."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fwtui.core.job import Job
from fwtui.core.table import JobTable

# Neighbours, on both sides of a page's end, and far away.
IDS = st.sampled_from([0, 1, 2, 254, 255, 256, 257, 600, 2**31 - 1])


class TableMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.table = JobTable()
        self.model: dict[int, Job] = {}

    @rule(job_id=IDS, path=st.text(max_size=3))
    def put(self, job_id: int, path: str) -> None:
        self.table[job_id] = self.model[job_id] = Job(job_id, path)

    @rule(job_id=IDS)
    def remove(self, job_id: int) -> None:
        assert self.table.pop(job_id, None) == self.model.pop(job_id, None)

    @rule(order=st.lists(IDS))
    def arrange(self, order: list[int]) -> None:
        self.table.arrange(order)
        named = dict.fromkeys(job_id for job_id in order if job_id in self.model)
        self.model = {job_id: self.model[job_id] for job_id in (*named, *self.model)}

    @invariant()
    def same(self) -> None:
        assert list(self.table) == list(self.model)
        assert list(self.table.values()) == list(self.model.values())
        assert list(self.table.items()) == list(self.model.items())
        assert len(self.table) == len(self.model)
        for job_id in (0, 1, 255, 256, 3000):
            assert self.table.get(job_id) == self.model.get(job_id)
            assert (job_id in self.table) == (job_id in self.model)


TestTable = TableMachine.TestCase
TestTable.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_job_that_is_not_there_is_a_key_error() -> None:
    table = JobTable([Job(1, "/a.mp3")])
    strange: object = "1"
    assert strange not in table
    assert table.get(2, "none") == "none"
    for job_id in (0, 2, 5000):
        with pytest.raises(KeyError):
            table[job_id]
        with pytest.raises(KeyError):
            del table[job_id]
    assert len(table) == 1
