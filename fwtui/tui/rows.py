"""One row of the queue as pieces of text: what to say about a job, in how many cells."""

from msgspec import Struct

from fwtui.core.events import JobProgress, Phase
from fwtui.core.failure import FailureKind
from fwtui.core.finding import findings_text
from fwtui.core.job import (
    Cancelled,
    Completed,
    Failed,
    Job,
    Pending,
    Processing,
    Skipped,
)
from fwtui.core.text import clock
from fwtui.tui.formatting import (
    base_name,
    clean,
    elapsed,
    fit,
    fit_middle,
    fit_right,
    fraction,
    percent,
    speed_factor,
    width,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.sort_filter import Sort
from fwtui.tui.widgets.paint import Piece, bar

LONG_WAIT = 10  # s

STATE_INK = {
    Pending: "dim",
    Processing: "primary",
    Completed: "good",
    Failed: "bad",
    Cancelled: "warn",
    Skipped: "dim",
}


class Columns(Struct, frozen=True):
    """Cells for each column, the gap of one cell in front of each included; 0: not shown."""

    name: int
    length: int
    progress: int
    speed: int
    left: int

    @property
    def result(self) -> int:
        """Cells for what needs no columns: an error, a reason."""
        return self.progress + self.speed + self.left


def columns(cells: int) -> Columns:
    """Share out a row: marks take 4 cells, the name takes what is left over."""
    length = 9 if cells >= 50 else 0
    speed = 7 if cells >= 64 else 0
    left = 10 if cells >= 56 else 0
    progress = max(6, min(40, cells // 4)) if cells >= 24 else 0
    return Columns(
        max(0, cells - 5 - length - speed - left - progress), length, progress, speed, left
    )


def heading(cols: Columns, glyphs: Glyphs, sort: Sort = "queue") -> list[Piece]:
    """The line above the rows; the column that they are sorted by is marked."""
    marks = {"name": "File", "shortest": "Length", "longest": "Length", "state": "Progress"}
    marked = marks.get(sort, "")

    def titled(title: str) -> str:
        if title != marked:
            return title
        return title + (glyphs.descending if sort == "longest" else glyphs.ascending)

    text = "    " + fit(titled("File"), cols.name)
    if cols.length:
        text += fit_right(titled("Length"), cols.length)
    if cols.progress:
        text += "  " + fit(titled("Progress"), cols.progress - 2)
    if cols.speed:
        text += fit_right("Speed", cols.speed)
    if cols.left:
        text += fit_right("Left", cols.left)
    return [(fit(text, 5 + cols.name + cols.length + cols.result, glyphs.ellipsis), "dim")]


def sort_at(cell: int, cols: Columns) -> tuple[Sort, ...]:
    """The orders that the heading in this cell stands for."""
    if cell < 4 + cols.name:
        return ("name", "queue")
    if cell < 4 + cols.name + cols.length:
        return ("shortest", "longest", "queue")
    return ("state", "queue")


def row(
    job: Job,
    progress: JobProgress | None,
    phase: Phase,
    cols: Columns,
    glyphs: Glyphs,
    *,
    selected: bool,
    waited: int = 0,
) -> list[Piece]:
    """The row of a job; its pieces are as wide as the columns together, and one more.

    `waited`: seconds in the model without a first window; they are a sign of life.
    """
    ink = STATE_INK[type(job.state)]
    sign = glyphs.of(job.state)
    if isinstance(job.state, Completed) and job.state.findings:
        ink = "warn"
    if isinstance(job.state, Processing) and phase is Phase.PAUSED:
        sign, ink = glyphs.paused, "warn"
    name_ink = "dim" if isinstance(job.state, Pending | Skipped) else "plain"
    pieces = [
        (glyphs.selected if selected else " ", "accent"),
        (" " + sign + " ", ink),
        (
            fit_middle(_name(job), cols.name, glyphs.ellipsis),
            "strong" if ink == "primary" else name_ink,
        ),
    ]
    if cols.length:
        duration = clock(job.duration) if job.duration else ""
        pieces.append((fit_right(duration, cols.length), "dim"))
    if cols.progress:
        pieces.append(("  ", "plain"))
        pieces.extend(_result(job, progress, phase, cols, glyphs, waited))
    return pieces


def _without_name(title: str, job: Job) -> str:
    """The row has the name already."""
    return clean(title.removeprefix(base_name(job.path)).lstrip(": ") or title)


def _name(job: Job) -> str:
    return clean(base_name(job.path)) or "?"


def _result(
    job: Job,
    progress: JobProgress | None,
    phase: Phase,
    cols: Columns,
    glyphs: Glyphs,
    waited: int,
) -> list[Piece]:
    room = cols.progress - 2
    match job.state:
        case Pending(done_seconds=done):
            return _pending(job, done, cols, glyphs)
        case Processing(downloading=True):
            words = f"downloading {_percent(progress)}".rstrip()
            return [(fit(words, cols.result - 2, glyphs.ellipsis), "dim")]
        case Processing(preparing=preparing):
            if preparing or progress is None or progress.preparing:
                return _preparing(progress, cols, glyphs)
            return _processing(progress, cols, glyphs, phase, waited)
        case Completed() as state:
            words = f"done {glyphs.dot} {state.language}" if state.language else "done"
            ink = "good"
            if doubts := _doubts(state):
                return [(fit(f"done, {doubts}", cols.result - 2, glyphs.ellipsis), "warn")]
            pace = state.audio_seconds / state.work_seconds if state.work_seconds > 0 else 0.0
            took = f"in {elapsed(state.work_seconds)}"
            return [(fit(words, room), ink), *_numbers(pace, took, cols, glyphs)]
        case Failed(failure=failure):
            memory = failure.kind is FailureKind.OUT_OF_MEMORY
            word = "Failed (Memory Error)" if memory else "failed"
            said = "" if memory and cols.result < 50 else "  " + _without_name(failure.title, job)
            return _spanning(word, "bad", said, cols, glyphs)
        case Cancelled():
            return _spanning("cancelled", "warn", "", cols, glyphs)
        case Skipped(reason=reason):
            said = clean(reason)
            if said.startswith("skipped"):
                return _spanning(said, "dim", "", cols, glyphs)
            return _spanning("skipped", "dim", "  " + said, cols, glyphs)


def _doubts(state: Completed) -> str:
    """What the user must know of a file that is done; empty if there is nothing."""
    said = [f"but: {clean(state.warnings[0])}"] if state.warnings else []
    if state.findings:
        said.append(f"check: {findings_text(state.findings)}")
    return "; ".join(said)


def _spanning(word: str, ink: str, said: str, cols: Columns, glyphs: Glyphs) -> list[Piece]:
    room = cols.result - 2
    if width(word) >= room:
        return [(fit(word, room, glyphs.ellipsis), ink)]
    return [(word, ink), (fit(said.rstrip(), room - width(word), glyphs.ellipsis), "plain")]


def _pending(job: Job, done: float, cols: Columns, glyphs: Glyphs) -> list[Piece]:
    words = f"waiting, from {clock(done)}" if done > 0 else "waiting"
    if job.attempts:
        words = f"retry {len(job.attempts)}: {clean(job.attempts[-1].remedy)}"
        return [(fit(words, cols.result - 2, glyphs.ellipsis), "warn")]
    return [(fit(words, cols.result - 2, glyphs.ellipsis), "dim")]


def _preparing(progress: JobProgress | None, cols: Columns, glyphs: Glyphs) -> list[Piece]:
    share = fraction(progress.done, progress.total) if progress is not None else 0.0
    words = f"preparing {_percent(progress)}".rstrip() if share < 1 else "next"
    return [(fit(words, cols.result - 2, glyphs.ellipsis), "dim")]


def _processing(
    progress: JobProgress, cols: Columns, glyphs: Glyphs, phase: Phase, waited: int
) -> list[Piece]:
    room = cols.progress - 2
    share = fraction(progress.done, progress.total)
    ink = "warn" if phase is Phase.PAUSED else "primary"
    text = fit_right(percent(share), 5 if room > 8 else min(4, room))
    left = ""
    if phase is Phase.PAUSED:
        left = "paused"
    elif progress.eta is not None:
        left = clock(progress.eta)
    elif waited >= LONG_WAIT:
        left = f"for {clock(waited)}"
    return [
        *bar(share, room - width(text), glyphs, ink),
        (text, "plain"),
        *_numbers(progress.speed, left, cols, glyphs),
    ]


def _percent(progress: JobProgress | None) -> str:
    share = fraction(progress.done, progress.total) if progress is not None else 0.0
    return percent(share) if share else ""


def _numbers(pace: float, left: str, cols: Columns, glyphs: Glyphs) -> list[Piece]:
    pieces: list[Piece] = []
    if cols.speed:
        text = speed_factor(pace)
        pieces.append((fit_right(text + glyphs.times if text else "", cols.speed), "dim"))
    if cols.left:
        pieces.append((fit_right(left, cols.left), "dim"))
    return pieces
