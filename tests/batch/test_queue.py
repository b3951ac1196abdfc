"""The queue in memory: order, names of outputs, what is next."""

import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fwtui.batch.queue import MOST_PASSED, Queue, moved
from fwtui.core.events import JobChanged, JobsRemoved, JobsReordered
from fwtui.core.job import Completed, Pending, Processing
from fwtui.core.view import BatchView
from fwtui.outputs.naming import plain_names, unused_stem
from tests.batch.queues import add

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
    assert unused_stem(plain_names(path), taken.__contains__, {}) == stem


def test_thousands_of_files_of_one_name_cost_no_search() -> None:
    queue = Queue()
    began = time.process_time()
    stems = {add(queue, Path(f"/{number}/recording.mp3")).stem for number in range(20_000)}
    assert len(stems) == 20_000
    assert time.process_time() - began < 20  # searching from 2 on takes many minutes


def test_moving_to_the_top_of_a_long_queue_costs_one_walk() -> None:
    began = time.process_time()
    order = moved(range(100_000), {99_000, 99_999}, -1_000_000)
    assert order[:3] == [99_000, 99_999, 0]
    assert time.process_time() - began < 10


def test_the_names_of_finished_outputs_are_not_given_to_others() -> None:
    queue = Queue()
    first = add(queue, Path("/a/talk.mp3"))
    done = Completed(NOON, NOON, ("/out/talk.txt",), 1.0, 1.0, "en", 1)
    queue.apply(JobChanged(replace(first, state=done)))
    queue.apply(JobsRemoved((first.id,)))
    assert add(queue, Path("/b/talk.mp3")).stem == "talk.mp3"
    assert add(queue, Path("/a/talk.mp3")).stem == "talk"


def test_ids_are_never_used_twice_and_removed_files_can_come_back() -> None:
    queue = Queue()
    first, second = add(queue, Path("/a.mp3")), add(queue, Path("/b.mp3"))
    assert (first.id, second.id) == (1, 2)
    assert queue.has_path(Path("/a.mp3"))
    queue.apply(JobsRemoved((1, 99)))
    assert [job.id for job in queue] == [2]
    assert not queue.has_path(Path("/a.mp3"))
    assert add(queue, Path("/a.mp3")).id == 3
    assert queue.order == (2, 3)


def test_the_next_job_is_the_first_that_waits() -> None:
    queue = Queue()
    jobs = [add(queue, Path(f"/{name}.mp3")) for name in "abc"]
    queue.apply(JobChanged(replace(jobs[0], state=Processing(NOON))))
    assert queue.next_pending() == jobs[1]
    queue.apply(JobChanged(replace(jobs[1], state=Processing(NOON))))
    queue.apply(JobChanged(replace(jobs[2], state=Processing(NOON))))
    assert queue.next_pending() is None


@given(
    st.lists(st.tuples(st.sampled_from(["done", "wait", "add", "remove", "up"]), st.integers(0, 9)))
)
def test_the_next_job_is_always_what_a_walk_would_find(steps: list[tuple[str, int]]) -> None:
    queue = Queue()
    for step, number in steps:
        chosen = [job for job in queue if job.id % 10 == number]
        match step:
            case "add":
                add(queue, Path(f"/{len(queue)}.mp3"))
            case "remove":
                queue.apply(JobsRemoved(tuple([job.id for job in chosen])))
            case "up":
                queue.apply(
                    JobsReordered(tuple(moved(queue.order, {job.id for job in chosen}, -1)))
                )
            case _:
                state = Pending() if step == "wait" else Processing(NOON)
                for job in chosen:
                    queue.apply(JobChanged(replace(job, state=state)))
        waiting = [job for job in queue if isinstance(job.state, Pending)]
        assert queue.next_pending() == (waiting[0] if waiting else None)


def test_undecodable_names_are_kept() -> None:
    queue = Queue()
    path = Path("/\udcff.mp3")
    job = add(queue, path)
    assert job.file == path
    assert job.path.isprintable() is False  # marked with a NUL, so it cannot be a real name
    assert queue.has_path(path)


def test_a_name_follows_its_job() -> None:
    queue = Queue()
    job = add(queue, "/a/talk.mp3")
    queue.apply(JobChanged(job.with_path("/b/other.mp3")))
    assert add(queue, "/c/talk.mp3").stem == "talk.mp3"
    assert add(queue, "/c/other.mp3").stem == "other"
    assert queue.at("/a/talk.mp3") is None
    queue.apply(JobsRemoved((job.id,)))
    assert add(queue, "/d/talk.ogg").stem == "talk"


def test_a_job_that_is_renamed_to_its_own_name_holds_it() -> None:
    queue = Queue()
    job = add(queue, "/a/talk.mp3")
    queue.free_name(job)
    queue.apply(JobChanged(queue.renamed(job)))
    assert queue[job.id].stem == "talk"
    assert add(queue, "/b/talk.mp3").stem == "talk.mp3"
    queue.apply(JobsRemoved((job.id,)))
    assert add(queue, "/c/talk.ogg").stem == "talk"


def test_names_stay_unique_when_the_index_of_stems_is_dropped() -> None:
    queue = Queue()
    first = add(queue, "/a/talk.mp3")
    queue.drop_stem_index()
    assert add(queue, "/b/Talk.mp3").stem == "Talk.mp3"
    queue.drop_stem_index()
    queue.apply(JobChanged(first.with_stem("speech")))
    assert add(queue, "/c/speech.mp3").stem == "speech.mp3"
    queue.drop_stem_index()
    queue.apply(JobsRemoved((first.id,)))
    assert [add(queue, f"/d/{name}.ogg").stem for name in ("speech", "talk")] == ["speech", "talk"]


def test_names_of_others_are_given_to_nobody() -> None:
    queue = Queue()
    queue.avoid(["talk"])
    assert add(queue, "/a/Talk.mp3").stem == "Talk.mp3"


def test_the_next_one_is_found_behind_thousands_that_are_done() -> None:
    queue = Queue()
    link = add(queue, "/a/link.mp3", source="https://a/b")
    jobs = [add(queue, f"/{number}.mp3") for number in range(3 * MOST_PASSED)]
    began = time.process_time()
    for job in jobs:
        assert queue.next_pending() == job
        queue.apply(JobChanged(replace(job, state=Completed(NOON, NOON, (), 1.0, 1.0, "en", 1))))
    assert time.process_time() - began < 20
    assert queue.next_pending() is None
    queue.set_fetched(link.id)
    assert queue.next_pending() == link


def test_a_file_of_a_long_queue_takes_little_memory() -> None:
    files = 20_000
    tracemalloc.start()
    try:
        queue = Queue()
        for number in range(files):
            add(queue, f"/media/part-{number:07}.mp3", root="/media")
        screen = BatchView(queue)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(screen.jobs) == files
    # The job 96, its path 76, its number 32, its case-folded name 65, four dicts 45 to 90 each.
    assert taken / files < 650
