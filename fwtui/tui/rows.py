"""One row of the queue as pieces of text: a job in so many cells."""

import re

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
    needs_check,
)
from fwtui.core.text import clock, percent, without_name
from fwtui.core.view import length_of
from fwtui.tui.formatting import (
    base_name,
    clean,
    elapsed,
    fit,
    fit_middle,
    fit_right,
    fraction,
    shown_name,
    speed_factor,
    width,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.sort_filter import ORDERS, Column, Sort
from fwtui.tui.widgets.paint import Piece, bar

LONG_WAIT = 10  # s
# Not an acronym or the name of a class, which keep their capitals.
_PLAIN_WORD = re.compile(r"[A-Z][a-z]*\b")

STATE_INK = {
    Pending: "dim",
    Processing: "primary",
    Completed: "good",
    Failed: "bad",
    Cancelled: "warn",
    Skipped: "dim",
}


class Columns(Struct, frozen=True):
    """Cells of each column, including the gap of one cell in front; 0: not shown."""

    name: int
    length: int
    progress: int
    speed: int
    time: int

    @property
    def result(self) -> int:
        """Cells of the three last columns, for what needs no columns: an error, a reason."""
        return self.progress + self.speed + self.time


def columns(cells: int) -> Columns:
    """Divide a row: marks have 4 cells, the name has what is left over, always the most."""
    length = 8 if cells >= 50 else 0
    speed = 7 if cells >= 64 else 0
    time = 9 if cells >= 56 else 0
    progress = max(6, min(40, cells // 5 + max(0, cells - 80) // 10)) if cells >= 24 else 0
    return Columns(
        max(0, cells - 5 - length - speed - time - progress), length, progress, speed, time
    )


def heading(cols: Columns, glyphs: Glyphs, sort: Sort = "queue") -> list[Piece]:
    """The line above the rows; the column that sorts them is marked."""
    order = ORDERS[sort]
    mark = glyphs.ascending if order.ascending else glyphs.descending

    def titled(title: str, column: Column) -> str:
        return title + mark if column == order.column else title

    text = "    " + fit(titled("File", "name"), cols.name)
    if cols.length:
        text += fit_right(titled("Length", "length"), cols.length)
    if cols.progress:
        text += "  " + fit(titled("Progress", "progress"), cols.progress - 2)
    if cols.speed:
        text += fit_right(titled("Speed", "speed"), cols.speed)
    if cols.time:
        text += fit_right(titled("Time", "time"), cols.time)
    return [(fit(text, 5 + cols.name + cols.length + cols.result, glyphs.ellipsis), "dim")]


def sort_at(cell: int, cols: Columns) -> tuple[Sort, ...]:
    """The orders that a click on this cell of the heading goes through: there, back, none."""
    edge = 4
    columns_of: tuple[tuple[int, Sort], ...] = (
        (cols.name, "name"),
        (cols.length, "shortest"),
        (cols.progress, "state"),
        (cols.speed, "slowest"),
    )
    for cells, first in columns_of:
        edge += cells
        if cell < edge:
            return _both_ways(first)
    return _both_ways("quickest" if cols.time else "state")


def _both_ways(first: Sort) -> tuple[Sort, ...]:
    return first, ORDERS[first].opposite, "queue"


def row(
    job: Job,
    progress: JobProgress | None,
    phase: Phase,
    cols: Columns,
    glyphs: Glyphs,
    *,
    selected: bool,
    waited: int = 0,
    requested: str = "",
    checked: bool = False,
) -> list[Piece]:
    """The row of a job; its pieces are as wide as the columns together, and one more.

    `waited`: seconds in the model without any progress, shown as a sign of life. `requested`: what
    the user has asked for, shown until it happens. `checked`: the user has marked the transcript
    as checked.
    """
    ink = STATE_INK[type(job.state)]
    sign = glyphs.of(job.state)
    if needs_check(job.state):
        sign, ink = (glyphs.completed, ink) if checked else (sign, "warn")
    if isinstance(job.state, Processing) and phase is Phase.PAUSED:
        sign, ink = glyphs.paused, "warn"
    name_ink = "dim" if isinstance(job.state, Pending | Skipped) else "plain"
    pieces = [
        (glyphs.selected if selected else " ", "accent"),
        (" " + sign + " ", ink),
        (
            fit_middle(shown_name(job.path), cols.name, glyphs.ellipsis),
            "strong" if ink == "primary" else name_ink,
        ),
    ]
    if cols.length:
        length = length_of(job)
        duration = clock(length) if length else ""
        pieces.append((fit_right(duration, cols.length), "dim"))
    if cols.progress:
        pieces.append(("  ", "plain"))
        if requested:
            text = f"{requested}{glyphs.ellipsis}"
            pieces.append((fit(text, cols.result - 2, glyphs.ellipsis), "warn"))
        elif checked and isinstance(job.state, Completed):
            pieces.extend(_completed(job.state, cols, glyphs, checked=True))
        else:
            pieces.extend(_result(job, progress, phase, cols, glyphs, waited))
    return pieces


def _reason(title: str, job: Job) -> str:
    """An error's title after the state: without the file's name, which the row has already."""
    text = clean(without_name(title, base_name(job.path)))
    return text[:1].lower() + text[1:] if _PLAIN_WORD.match(text) else text


def _result(
    job: Job,
    progress: JobProgress | None,
    phase: Phase,
    cols: Columns,
    glyphs: Glyphs,
    waited: int,
) -> list[Piece]:
    match job.state:
        case Pending(done_seconds=done):
            return _pending(job, done, cols, glyphs)
        case Processing(downloading=True):
            text = f"downloading {_percent(progress)}".rstrip()
            return [(fit(text, cols.result - 2, glyphs.ellipsis), "dim")]
        case Processing(preparing=preparing):
            if preparing or progress is None or progress.preparing:
                return _preparing(progress, cols, glyphs)
            return _processing(progress, cols, glyphs, phase, waited)
        case Completed() as state:
            return _completed(state, cols, glyphs)
        case Failed(failure=failure):
            memory = failure.kind is FailureKind.OUT_OF_MEMORY
            reason = "out of memory" if memory else _reason(failure.title, job)
            return _spanning("failed", "bad", reason, cols, glyphs)
        case Cancelled():
            return _spanning("cancelled", "warn", "", cols, glyphs)
        case Skipped(reason=reason):
            reason = clean(reason)
            if reason.startswith("skipped"):
                return _spanning(reason, "dim", "", cols, glyphs)
            return _spanning("skipped", "dim", reason, cols, glyphs)


def _completed(
    state: Completed, cols: Columns, glyphs: Glyphs, *, checked: bool = False
) -> list[Piece]:
    notes = [clean(warning) for warning in state.warnings[:1]]
    if more := len(state.warnings) - 1 if notes else 0:
        notes.append(f"{more} more")
    if state.findings:
        notes.append(f"check ({findings_text(state.findings)})")
    if notes and not checked:
        text = f" {glyphs.dot} ".join(["done", *notes])
        return [(fit(text, cols.result - 2, glyphs.ellipsis), "warn")]
    note = "checked" if checked else state.language
    text = f"done {glyphs.dot} {note}" if note else "done"
    if checked and width(text) > cols.progress - 2:
        text = note
    factor = state.speed or 0.0
    took = elapsed(state.work_seconds)
    took = took if width(took) > cols.time - 4 else f"in {took}"
    return [(fit(text, cols.progress - 2), "good"), *_numbers(factor, took, cols, glyphs)]


def _spanning(word: str, ink: str, reason: str, cols: Columns, glyphs: Glyphs) -> list[Piece]:
    """A state and its reason, across the last columns."""
    room = cols.result - 2
    if width(word) >= room:
        return [(fit(word, room, glyphs.ellipsis), ink)]
    text = f" {glyphs.dot} {reason.rstrip()}" if reason else ""
    return [(word, ink), (fit(text, room - width(word), glyphs.ellipsis), "plain")]


def _pending(job: Job, done: float, cols: Columns, glyphs: Glyphs) -> list[Piece]:
    text, ink = "waiting", "dim"
    if job.attempts:
        remedy = clean(job.attempts[-1].remedy)
        text, ink = f"retry {len(job.attempts)} {glyphs.dot} {remedy}", "warn"
    elif done > 0:
        text = f"waiting {glyphs.dot} resumes at {clock(done)}"
    return [(fit(text, cols.result - 2, glyphs.ellipsis), ink)]


def _preparing(progress: JobProgress | None, cols: Columns, glyphs: Glyphs) -> list[Piece]:
    share = fraction(progress.done, progress.total) if progress is not None else 0.0
    text = f"preparing {_percent(progress)}".rstrip() if share < 1 else "next"
    return [(fit(text, cols.result - 2, glyphs.ellipsis), "dim")]


def _processing(
    progress: JobProgress, cols: Columns, glyphs: Glyphs, phase: Phase, waited: int
) -> list[Piece]:
    if progress.listening:
        text = f"telling speakers apart{glyphs.ellipsis}"
        return [(fit(text, cols.result - 2, glyphs.ellipsis), "primary")]
    room = cols.progress - 2
    share = fraction(progress.done, progress.total)
    ink = "warn" if phase is Phase.PAUSED else "primary"
    text = fit_right(percent(share), 5 if room > 8 else min(4, room))
    time = ""
    if phase is Phase.PAUSED:
        time = "paused"
    elif progress.eta is not None:
        time = clock(progress.eta)
    elif waited >= LONG_WAIT:
        time = f"for {clock(waited)}"
    return [
        *bar(share, room - width(text), glyphs, ink),
        (text, "plain"),
        *_numbers(progress.speed, time, cols, glyphs),
    ]


def _percent(progress: JobProgress | None) -> str:
    share = fraction(progress.done, progress.total) if progress is not None else 0.0
    return percent(share) if share else ""


def _numbers(factor: float, time: str, cols: Columns, glyphs: Glyphs) -> list[Piece]:
    pieces: list[Piece] = []
    if cols.speed:
        text = speed_factor(factor)
        pieces.append((fit_right(text + glyphs.times if text else "", cols.speed), "dim"))
    if cols.time:
        pieces.append((fit_right(time, cols.time), "dim"))
    return pieces
