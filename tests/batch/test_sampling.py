"""How often the memory is read."""

import pytest

from fwtui.batch.memory_sampling import is_sample_due


@pytest.mark.parametrize(
    ("idle", "read"),
    [
        ([False] * 7, [0, 1, 2, 3, 4, 5, 6]),
        ([True] * 7, [0, 3, 6]),
        ([True, True, False, True, False, False, True], [0, 2, 3, 4, 5, 6]),
    ],
)
def test_less_is_read_when_nothing_runs(idle: list[bool], read: list[int]) -> None:
    due = [second for second, rests in enumerate(idle) if is_sample_due(second, idle=rests)]
    assert due == read
