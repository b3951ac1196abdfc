"""Files that are taken out of the queue come back with their place, state and progress."""

import asyncio
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwtui.batch.queue import Queue, put_back
from fwtui.core.commands import ArrangeJobs, RemoveJobs, Start, UndoRemove
from fwtui.core.events import JobsAdded, JobsRemoved, JobsReordered, LogLine, SegmentsFound
from fwtui.core.job import Completed, JobId, Pending, State
from tests.batch.driver import MINUTE, SHORT, BatchDriver, outputs, settings_for
from tests.batch.queues import add
from tests.patient import WAITING


@pytest.mark.parametrize(
    ("now", "before", "back", "wanted"),
    [
        ([1, 3], [1, 2, 3], {2}, [1, 2, 3]),
        ([2, 3], [1, 2, 3], {1}, [1, 2, 3]),
        ([3, 1], [1, 2, 3], {2}, [3, 1, 2]),  # behind the one it stood behind
        ([4, 1, 5], [1, 2, 3, 4], {2, 3}, [4, 1, 2, 3, 5]),
        ([3], [1, 2, 3], {1, 2}, [1, 2, 3]),
        ([], [1, 2], {1, 2}, [1, 2]),
        ([5], [1, 2], set(), [5]),
    ],
)
def test_a_job_goes_back_behind_its_neighbour(
    now: list[int], before: list[int], back: set[int], wanted: list[int]
) -> None:
    assert put_back(now, before, back) == wanted


@given(st.permutations(range(8)), st.sets(st.integers(0, 7)))
def test_undone_at_once_nothing_has_changed(before: list[int], gone: set[int]) -> None:
    assert put_back([job for job in before if job not in gone], before, gone) == before


def test_a_name_that_was_taken_meanwhile_is_left_to_its_new_owner() -> None:
    queue = Queue()
    first = add(queue, Path("/a/talk.mp3"))
    queue.apply(JobsRemoved((first.id,)))
    assert add(queue, Path("/b/talk.mp3")).stem == "talk"
    back = queue.remake(first)
    assert back is not None
    assert back.stem == "talk.mp3"
    assert queue.remake(first) is None


async def test_a_removed_file_comes_back_with_its_progress(
    tmp_path: Path, whole_minute: dict[str, bytes]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    long = Path(shutil.copy(MINUTE, tmp_path))
    short = Path(shutil.copy(SHORT, tmp_path))
    async with BatchDriver(settings_for(out), [long, short], engine=WAITING) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(RemoveJobs((1, 2)))
        await batch.until(JobsRemoved, lambda _: not list(batch.actor.state.queue))
        since = len(batch.events)
        batch.send(UndoRemove())
        back: dict[JobId, State] = {}

        def all_back(event: JobsAdded) -> bool:
            back.update((job.id, job.state) for job in event.jobs)
            return back.keys() == {1, 2}

        await batch.until(JobsAdded, all_back, since)
        while batch.actor.state.queue.order != (1, 2):
            await asyncio.sleep(0.01)
        state = back[1]  # by now it may be worked on again
        assert isinstance(state, Pending)
        assert state.done_seconds > 0
        batch.send(ArrangeJobs((2,)))
        await batch.until(JobsReordered, lambda event: event.order == (2, 1))
        batch.send(UndoRemove())
        await batch.until(LogLine, lambda event: "Nothing to undo" in event.text)
    async with await BatchDriver.resumed() as batch:
        assert batch.actor.state.queue.order == (2, 1)
        await batch.to_the_end()
        assert all(isinstance(batch.jobs[number].state, Completed) for number in (1, 2))
        words = await batch.until(SegmentsFound, lambda event: event.id == 1)
        assert words.segments[0].start >= state.done_seconds - 1, "it went on inside the file"
    written = outputs(out)
    assert {name: written.pop(name) for name in whole_minute} == whole_minute
    assert len(written) == len(whole_minute), "those of the short file"
