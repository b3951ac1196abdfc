from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from fwtui.core.events import BatchSnapshot, JobChanged, JobProgress, Phase
from fwtui.core.finding import Finding, FindingKind
from fwtui.core.job import Job, Processing
from fwtui.core.settings import Settings
from fwtui.tui.formatting import width
from fwtui.tui.glyphs import ASCII, UNICODE, Glyphs
from fwtui.tui.job_details import describe_job
from fwtui.tui.model import BatchModel
from fwtui.tui.rows import columns, heading, row
from fwtui.tui.sort_filter import matching
from fwtui.tui.widgets.paint import Piece
from tests.tui.fakes import NOW, completed, gallery, job
from tests.tui.test_formatting import HOSTILE

PROGRESS = JobProgress(7, 1257.0, 2875.0, 8.9, 182.0)


def said(pieces: list[Piece]) -> str:
    return "".join(text for text, _ in pieces)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("cells", [5, 12, 20, 24, 40, 50, 56, 64, 80, 120, 200])
def test_rows_of_every_state_fit_in_any_width(cells: int, glyphs: Glyphs) -> None:
    cols = columns(cells)
    jobs = [*gallery(), *(job(100 + n, f"/d/{name}") for n, name in enumerate(HOSTILE))]
    for one in jobs:
        progress = PROGRESS if one.id == 7 else None
        for selected in (False, True):
            pieces = row(one, progress, Phase.RUNNING, cols, glyphs, selected=selected)
            assert width(said(pieces)) <= cells
    assert width(said(heading(cols, glyphs))) <= cells


def line(one: Job, phase: Phase = Phase.RUNNING, cells: int = 100) -> str:
    progress = PROGRESS if one.id == 7 else None
    return said(row(one, progress, phase, columns(cells), UNICODE, selected=False))


def test_a_row_says_its_state_in_words_and_sign() -> None:
    rows = {one.id: line(one) for one in gallery()}
    assert "✓ keynote-opening.mp4" in rows[1]
    assert "done · en" in rows[1]
    assert "9.3" + UNICODE.times in rows[1]
    assert "✗ holiday-photos.mp3" in rows[4]
    assert "failed · this is not a media file" in rows[4]
    assert "done · 3 s are damaged" in rows[5]
    assert "failed · out of memory" in rows[6]
    assert "43%" in rows[7]
    assert "8.9" + UNICODE.times in rows[7]
    assert rows[7].endswith("3:02")
    assert "preparing" in rows[8]
    assert "retry 1 · batch size 4" in rows[9]
    assert "cancelled" in rows[10]
    assert "skipped by you" in rows[11]
    assert "waiting" in rows[12]


DOUBTS = (
    Finding(FindingKind.REPETITION, 62.0, 90.0, "5 x “no”"),
    Finding(FindingKind.MISSING_SPEECH, 100.0, 130.0),
)


def test_a_file_with_passages_to_check_says_so_in_words_and_sign() -> None:
    state = completed(findings=DOUBTS)
    row_of = line(job(1, "talk.mp3", state=state))
    assert "? talk.mp3" in row_of
    assert "done · check (repetition, missing" in row_of
    both = line(job(1, "talk.mp3", state=msgspec.structs.replace(state, warnings=("3 s lost",))))
    assert "done · 3 s lost · check (repetition" in both
    shown = describe_job(
        job(1, state=state),
        UNICODE,
        cells=80,
        progress=None,
        missing=frozenset(),
        settings=Settings(),
        settings_title="Settings of the batch",
    ).plain
    assert "? done · check" in shown
    assert "Check     1:02 to 1:30 repetition: 5 x “no”" in shown
    assert "          1:40 to 2:10 missing text" in shown


def test_the_filter_finds_what_is_to_be_checked() -> None:
    model = BatchModel()
    doubtful, fine = job(1, state=completed(findings=DOUBTS)), job(2, state=completed())
    model.fold(BatchSnapshot("s", NOW, Settings(), Phase.IDLE, (doubtful, fine)))
    assert matching(model, "is:check") == [1]
    assert matching(model, "is:completed") == [1, 2]


def test_a_pause_is_seen_on_the_row() -> None:
    paused = line(gallery()[6], Phase.PAUSED)
    assert "‖" in paused
    assert paused.endswith("paused")


@pytest.mark.parametrize(
    ("waited", "speed", "end"),
    [
        (0, 0.0, "0%"),
        (9, 0.0, "0%"),
        (10, 0.0, "for 0:10"),
        (754, 0.0, "for 12:34"),
        (0, 2, "1:00"),
    ],
)
def test_a_slow_first_window_shows_that_time_passes(waited: int, speed: float, end: str) -> None:
    progress = JobProgress(1, 0.0, 600.0, speed, 60.0 if speed else None)
    one = job(1, state=Processing(NOW, preparing=False))
    cols = columns(100)
    drawn = row(one, progress, Phase.RUNNING, cols, UNICODE, selected=False, waited=waited)
    assert said(drawn).rstrip().endswith(end)


def test_how_long_the_model_has_worked_on_a_file_without_a_window() -> None:
    clock = [NOW]
    model = BatchModel(lambda: clock[0])
    model.fold(BatchSnapshot("s", NOW, Settings(), Phase.RUNNING, (job(1), job(2))))
    model.fold(JobChanged(job(1, state=Processing(NOW, preparing=True))))
    model.fold(JobProgress(1, 3.0, 9.0, 0.0, None, preparing=True))
    clock[0] += timedelta(minutes=1)
    assert (model.waited(1), model.waited(2)) == (0, 0)
    model.fold(JobChanged(job(1, state=Processing(NOW, preparing=False))))
    model.fold(JobProgress(1, 0.0, 600.0, 0.0, None))
    clock[0] += timedelta(minutes=2)
    assert model.waited(1) == 120
    model.fold(JobProgress(1, 30.0, 600.0, 0.2, 2000.0))
    assert model.waited(1) == 0


def test_ascii_rows_are_ascii() -> None:
    for one in gallery():
        if one.path.isascii():
            pieces = row(one, PROGRESS, Phase.RUNNING, columns(90), ASCII, selected=True)
            assert said(pieces).isascii()


def test_a_download_is_seen_on_the_row() -> None:
    one = replace(gallery()[7], state=Processing(NOW, downloading=True), source="https://x.org/a")
    cols = columns(100)
    begun = JobProgress(one.id, 34, 100, 0.0, None, preparing=True)
    assert "downloading 34%" in said(row(one, begun, Phase.RUNNING, cols, UNICODE, selected=False))
    assert "downloading" in said(row(one, None, Phase.RUNNING, cols, UNICODE, selected=False))
