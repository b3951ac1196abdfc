"""Jobs and the names of their outputs."""

from datetime import UTC, datetime

import msgspec
import pytest

from fwtui.core.finding import Finding, FindingKind
from fwtui.core.job import Completed, Job, Pending, Processing, State, has_state

NOON = datetime(2025, 12, 14, 12, 0, tzinfo=UTC)
FINDING = Finding(FindingKind.REPETITION, 1.0, 2.0)
DONE = Completed(NOON, NOON, (), 60.0, 6.0, "en", 3)


def test_the_plain_name_is_not_kept() -> None:
    job = Job(1, "/in/talk.mp3").with_stem("talk")
    assert (job.custom_stem, job.stem) == ("", "talk")
    assert (job.with_stem("other").custom_stem, job.with_stem("other").stem) == ("other", "other")
    assert job.with_stem("other").with_stem("talk") == job


def test_a_file_that_moves_keeps_the_name_of_its_outputs() -> None:
    job = Job(1, "/in/talk.mp3")
    moved = job.with_path("/out/renamed.mp3")
    assert (moved.path, moved.stem) == ("/out/renamed.mp3", "talk")
    assert moved.with_path("/else/talk.wav").custom_stem == ""
    assert job.with_stem("other").with_path("/in/other.mp3").stem == "other"


def test_read_as_json_its_name_is_there() -> None:
    job = Job(1, "/in/talk.mp3")
    assert msgspec.json.decode(msgspec.json.encode(job.with_explicit_stem))["stem"] == "talk"
    assert msgspec.convert({"id": 1, "path": "/in/talk.mp3", "stem": "x"}, Job).stem == "x"


@pytest.mark.parametrize(
    ("state", "texts"),
    [
        (Pending(), ["wait", "waiting", "pend", ""]),
        (Processing(NOON), ["run", "process"]),
        (DONE, ["done", "completed"]),
        (msgspec.structs.replace(DONE, findings=(FINDING,)), ["check", "done"]),
    ],
)
def test_a_state_is_found_by_its_label_and_by_its_name_in_files(
    state: State, texts: list[str]
) -> None:
    job = Job(1, "/in/talk.mp3", state=state)
    assert all(has_state(job, text) for text in texts)
    assert not has_state(job, "failed")
    assert has_state(job, "check") is ("check" in texts)
