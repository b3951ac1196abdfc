"""What the screen says is so: orders, filters, the log of a finished file, the empty queue."""

import random

import pytest

from fwtui.batch.file_recorder import done_line, warning_lines
from fwtui.core.events import JobChanged, JobsAdded
from fwtui.core.job import Cancelled, Job, MediaInfo, Pending, Processing, Skipped, has_state
from fwtui.tui.model import BatchModel
from fwtui.tui.queue_filter import FILTER_STATES
from fwtui.tui.sort_filter import SORTS, Sort, VisibleJobs
from tests.tui.driving import NARROW, running
from tests.tui.fakes import NOW, ScriptedLink, ScriptedWorkspace, completed, failed, gallery, job

STATES = (
    Pending(),
    Processing(NOW, preparing=False),
    completed(),
    completed(warnings=("check me",)),
    failed(),
    Cancelled(NOW),
    Skipped(NOW, "by you"),
)


def with_length(number: int, seconds: float, state: object) -> Job:
    media = MediaInfo(seconds) if seconds else None
    return job(number, media=media, state=state)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("seed", range(5))
def test_equal_files_keep_the_order_of_the_queue(sort: Sort, seed: int) -> None:
    chance = random.Random(seed)
    model = BatchModel(lambda: NOW)
    jobs = [
        with_length(n, chance.choice((0.0, 60.0, 90.0)), chance.choice(STATES))
        for n in range(1, 30)
    ]
    model.fold(JobsAdded(tuple(jobs)))
    shown = VisibleJobs(model, sort=sort)
    shown.rebuild()
    for _ in range(60):
        number = chance.randrange(1, 30)
        length = chance.choice((0.0, 60.0, 90.0))
        model.fold(JobChanged(with_length(number, length, chance.choice(STATES))))
        shown.follow([number])
        moved = list(shown.ids)
        shown.rebuild()
        assert moved == shown.ids


def test_files_to_check_come_before_what_is_done() -> None:
    model = BatchModel(lambda: NOW)
    model.fold(JobsAdded(tuple(job(n, state=state) for n, state in enumerate(STATES))))
    shown = VisibleJobs(model, sort="state")
    shown.rebuild()
    assert shown.ids == [1, 4, 3, 0, 5, 6, 2]


def test_every_state_that_the_filter_names_finds_files() -> None:
    for name in FILTER_STATES:
        assert any(has_state(job(1, state=state), name) for state in STATES), name
    for state in STATES:
        assert any(has_state(job(1, state=state), name) for name in FILTER_STATES)


def test_the_log_says_where_a_transcript_is() -> None:
    done = completed(work=240.0, language="de", warnings=("talk.mp3: 3 s are damaged",))
    assert done_line("talk.mp3", done) == (
        "talk.mp3: done in 4:00, German, written to /data/transcripts (txt, srt)"
    )
    assert done_line("a", completed(work=1.0, language="", outputs=())) == "a: done in 0:01"
    assert [line.count("talk.mp3") for line in warning_lines("talk.mp3", done)] == [1]


@pytest.mark.parametrize(
    ("name", "outputs", "where"),
    [
        ("talk.mp3", ("talk.txt",), "/out (txt)"),
        ("talk.mp3", ("talk.mp3.txt", "talk.mp3.srt"), "/out (mp3.txt, mp3.srt)"),
        ("talk.mp3", ("talk (2).txt", "talk (2).srt"), "/out: talk (2).txt, .srt"),
        ("talk.mp3", ("2026 talk de.vtt",), "/out: 2026 talk de.vtt"),
        ("talk.mp3", ("a.txt", "b.srt"), "/out: a.txt, b.srt"),
        ("talk", ("talk.txt", "talk.json"), "/out (txt, json)"),
        ("tal.mp3", ("talk.txt",), "/out: talk.txt"),
        ("a.b.mp3", ("a.b.txt", "a.b.srt"), "/out (txt, srt)"),
    ],
)
@pytest.mark.parametrize("language", ["", "de", "xx"])
def test_a_name_is_said_once(
    name: str, outputs: tuple[str, ...], where: str, language: str
) -> None:
    state = completed(language=language, outputs=tuple(f"/out/{output}" for output in outputs))
    line = done_line(name, state)
    assert line.startswith(f"{name}: done in ")
    assert line.endswith(f"written to {where}")
    assert ("German" in line) is (language == "de")
    assert line.count(name) == 1 or name == "talk"


async def test_the_empty_screen_says_what_to_do() -> None:
    workspace = ScriptedWorkspace(ScriptedLink())
    async with running(workspace, size=NARROW) as driver:
        await driver.until_text("large-v3  (downloaded)")
        await driver.until_text("a adds files", "s then starts", "/data/transcripts", "fwtui demo")
        workspace.link.emit(JobsAdded(gallery()))
        await driver.until_text("keynote-opening.mp4")
        await driver.until_gone("fwtui demo")
