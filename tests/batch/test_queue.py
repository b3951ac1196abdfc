"""The queue in memory: order, names of outputs, what is next."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fwtui.batch.queue import Queue, moved, unused_stem
from fwtui.core.job import Processing

NOON = datetime(2025, 12, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("chosen", "offset", "order"),
    [
        ({3}, -1, [1, 3, 2, 4, 5]),
        ({3}, -9, [3, 1, 2, 4, 5]),
        ({3}, 1, [1, 2, 4, 3, 5]),
        ({1, 2}, -1, [1, 2, 3, 4, 5]),
        ({1, 3}, -1, [1, 3, 2, 4, 5]),
        ({4, 5}, 1, [1, 2, 3, 4, 5]),
        ({1, 2}, 2, [3, 4, 1, 2, 5]),
        (set(), 1, [1, 2, 3, 4, 5]),
    ],
)
def test_moving(chosen: set[int], offset: int, order: list[int]) -> None:
    assert moved([1, 2, 3, 4, 5], chosen, offset) == order


@given(st.sets(st.integers(0, 9)), st.integers(-12, 12))
def test_moving_loses_nothing_and_keeps_the_others_in_order(chosen: set[int], offset: int) -> None:
    order = moved(range(10), chosen, offset)
    assert sorted(order) == list(range(10))
    assert [job for job in order if job not in chosen] == sorted(set(range(10)) - chosen)
    assert [job for job in order if job in chosen] == sorted(chosen)


@pytest.mark.parametrize(
    ("path", "taken", "stem"),
    [
        ("a.mp3", set(), "a"),
        ("a.mp3", {"a"}, "a.mp3"),
        ("A.mp3", {"a"}, "A.mp3"),
        ("a.mp3", {"a", "a.mp3"}, "a (2)"),
        ("a.mp3", {"a", "a.mp3", "a (2)"}, "a (3)"),
    ],
)
def test_names_of_outputs_do_not_clash(path: str, taken: set[str], stem: str) -> None:
    assert unused_stem(Path(path), taken) == stem


def test_ids_are_never_used_twice_and_removed_files_can_come_back() -> None:
    queue = Queue()
    first, second = queue.make(Path("/a.mp3")), queue.make(Path("/b.mp3"))
    assert (first.id, second.id) == (1, 2)
    assert queue.has_path(Path("/a.mp3"))
    assert queue.remove([1, 99]) == (1,)
    assert not queue.has_path(Path("/a.mp3"))
    assert queue.make(Path("/a.mp3")).id == 3
    assert queue.order == (2, 3)


def test_the_next_job_is_the_first_that_waits() -> None:
    queue = Queue()
    jobs = [queue.make(Path(f"/{name}.mp3")) for name in "abc"]
    queue.put(replace(jobs[0], state=Processing(NOON)))
    assert queue.next_pending() == jobs[1]
    queue.put(replace(jobs[1], state=Processing(NOON)))
    queue.put(replace(jobs[2], state=Processing(NOON)))
    assert queue.next_pending() is None


def test_undecodable_names_are_kept() -> None:
    queue = Queue()
    path = Path("/\udcff.mp3")
    job = queue.make(path)
    assert job.file == path
    assert job.path.isprintable() is False  # marked with a NUL, so it cannot be a real name
    assert queue.has_path(path)
