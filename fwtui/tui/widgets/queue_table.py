"""The queue: a table of any length that draws only the rows on the screen."""

from collections.abc import Iterable, Mapping, Sequence

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from fwtui.core.events import JobProgress, Phase
from fwtui.core.job import Job, JobId
from fwtui.core.paths import text_to_path
from fwtui.tui import rows
from fwtui.tui.formatting import clean, fit_middle, outputs_location, wrap
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys
from fwtui.tui.model import BatchModel
from fwtui.tui.sort_filter import Sort, VisibleJobs
from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.paint import changed_cells

CACHED_ROWS = 2_000
EMPTY = (
    "Nothing in the queue yet.",
    "",
    "{add} adds files, folders or patterns; or paste paths here.",
    "{start} then starts. {sessions} lists earlier sessions, {help} all keys.",
)
DEMO = "To try it without a recording: fwtui demo"
SCANNING = ("Scanning for files",)
NONE_SHOWN = ("No file matches the filter. {escape} to clear it.",)
CLEARS = "{escape} to clear the filter."

RowState = tuple[Job, JobProgress | None, Phase, int, bool, str, str, int, bool]
"""All that a drawn row depends on."""


class QueueTable(LineView):
    """Rows of `model`, the cursor and the selection, which stay on their jobs.

    Only the user moves the cursor to another job; if its own is removed or filtered out, it goes to
    the nearest one that is left.
    """

    head = 1

    class CursorMoved(Message):
        """The user moved the cursor to another row."""

    class HeadingClicked(Message):
        """The user clicked a heading, which sorts in these orders in turn."""

        def __init__(self, sorts: tuple[Sort, ...]) -> None:
            super().__init__()
            self.sorts = sorts

    class DatesWanted(Message):
        """The rows are to be sorted by date."""

    class RowDoubleClicked(Message):
        """The user double-clicked a row, which is the cursor's now."""

    def __init__(self, model: BatchModel, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id)
        self.model = model
        self.shown = VisibleJobs(model, ids=model.order)
        self.selected: set[JobId] = set()
        # A range of the selection: the job that it began at, and what was selected before.
        self._range: tuple[JobId, frozenset[JobId]] | None = None
        self._extending = False  # by keys that end it with the next move
        self.cursor = 0
        self._unfiltered: JobId | None = None  # where the cursor was when the filter was opened
        self._cache: dict[JobId, tuple[RowState, Strip]] = {}
        self._columns = rows.columns(0)
        self.presence = ""  # whether the model is on this machine, in words

    def notify_style_update(self) -> None:
        self._cache.clear()
        super().notify_style_update()

    @property
    def ids(self) -> list[JobId]:
        """The files shown, in the order shown."""
        return self.shown.ids

    @property
    def needle(self) -> str:
        """The filter."""
        return self.shown.needle

    def count(self) -> int:
        """The number of rows after filtering."""
        return len(self.ids)

    def render_line(self, y: int) -> Strip:
        hint = self._hint(y - self.head - 1) if not self.ids else ""
        if not hint:
            return super().render_line(y)
        return self.strip([("    " + hint, "dim")], self.size.width)

    def _hint(self, line: int) -> str:
        none = SCANNING if self.model.adding.adding else (*EMPTY, *self._facts)
        problem = self.shown.filter.problem
        plain = problem.replace("{", "(").replace("}", ")")  # not the names of keys
        unreadable = (*wrap(clean(plain), max(8, self.size.width - 6)), CLEARS)
        hints = (unreadable if problem else NONE_SHOWN) if self.model.order else none
        return with_keys(self, hints[line]) if 0 <= line < len(hints) else ""

    @property
    def _facts(self) -> Sequence[str]:
        """What a start would use, for somebody who sees the screen for the first time."""
        settings, room = self.model.settings, max(12, self.size.width - 20)
        presence = f"  ({self.presence})" if self.presence else ""
        name = clean(settings.model.model)
        model = fit_middle(name, max(8, room - len(presence)), self.glyphs.ellipsis).rstrip()
        where = outputs_location(settings.output)
        lines = (
            f"Model        {model}{presence}",
            f"Transcripts  {fit_middle(where, room, self.glyphs.ellipsis).rstrip()}",
        )
        # Braces would be taken for the names of keys.
        return ("", *(line.replace("{", "(").replace("}", ")") for line in lines), DEMO)

    def set_presence(self, text: str) -> None:
        """Say whether the model is on this machine."""
        if text != self.presence:
            self.presence = text
            self.refresh()

    @property
    def current(self) -> Job | None:
        """The job under the cursor."""
        return self.model.jobs.get(self.ids[self.cursor]) if self.ids else None

    @property
    def targets(self) -> tuple[JobId, ...]:
        """The jobs that a command is about: the selection in queue order, else the cursor's."""
        if self.selected:
            return tuple(job_id for job_id in self.model.order if job_id in self.selected)
        return (self.ids[self.cursor],) if self.ids else ()

    def fit(self) -> None:
        columns = rows.columns(self.size.width - 1)
        if columns != self._columns:
            self._columns = columns
            self._cache.clear()
        super().fit()
        if self.rows > 0:
            self.top = min(self.cursor, max(self.top, self.cursor - self.rows + 1))

    def head_line(self, y: int, cells: int) -> Strip:  # noqa: ARG002
        return self.strip(rows.heading(self._columns, self.glyphs, self.shown.sort), cells)

    def line(self, index: int, cells: int) -> Strip:
        job_id = self.ids[index]
        job = self.model.jobs[job_id]
        over = ""
        if index == self.cursor:
            over = "cursor" if self.has_focus else "cursor-away"
        selected = job_id in self.selected
        progress, phase = self.model.progress.get(job_id), self.model.phase
        waited = self.model.waited(job_id) if progress is not None else 0
        requested = self.model.requested.get(job_id, "")
        checked = (job.path, job.track) in self.model.checked
        state = (job, progress, phase, waited, selected, over, requested, cells, checked)
        cached = self._cache.get(job_id)
        if cached is not None and _same(cached[0], state):
            return cached[1]
        pieces = rows.row(
            job,
            progress,
            phase,
            self._columns,
            self.glyphs,
            selected=selected,
            waited=waited,
            requested=requested,
            checked=checked,
        )
        drawn = self.strip(pieces, cells, over)
        if len(self._cache) >= CACHED_ROWS:
            self._cache.clear()
        self._cache[job_id] = (state, drawn)
        return drawn

    def touch(self, changed: set[JobId]) -> None:
        """Redraw the visible rows of these jobs; all rows if one of them moved."""
        before = self._here
        if self.shown.follow(changed):
            self._find(before)
            return
        cells, height = self.size
        end = min(self.count(), self.top + max(0, height - self.head))
        regions = [
            region
            for index in range(self.top, end)
            if self.ids[index] in changed
            for region in self._changed_parts(index, cells - 1)
        ]
        if regions:
            self.refresh(*regions)

    def _changed_parts(self, index: int, cells: int) -> list[Region]:
        """The parts of a row that look different now: few bytes on a slow line."""
        drawn = self._cache.get(self.ids[index])
        if drawn is None or cells <= 0:
            runs = [(0, max(0, cells))]
        else:
            runs = changed_cells(drawn[1], self.line(index, cells))
        y = index - self.top + self.head
        return [Region(start, y, end - start, 1) for start, end in runs]

    @property
    def _here(self) -> JobId | None:
        return self.ids[self.cursor] if self.cursor < len(self.ids) else None

    def reorder(self) -> None:
        """Show other jobs or another order; cursor and selection stay on their jobs."""
        before, shown = self._here, self.ids
        self.selected &= self.model.jobs.keys()
        self.shown.rebuild()
        self._find(before, shown)

    def set_filter(self, needle: str) -> None:
        """Show only the jobs that match.

        The cursor returns to the job that it was on when its filter is cleared, unless the user has
        moved it meanwhile.
        """
        if not self.needle:
            self._unfiltered = self._here
        before, shown = self._unfiltered or self._here, self.ids
        self.shown.narrow(needle)
        self._find(before, shown)
        if not needle:
            self._unfiltered = None

    def set_sort(self, sort: Sort) -> None:
        """Show the jobs in another order."""
        before = self._here
        self.shown.sort = sort
        self.shown.rebuild()
        self._find(before)
        self.end_range()
        if self.paths_without_date():
            self.post_message(self.DatesWanted())
        self.reveal(self.cursor)
        self.refresh()

    def _find(self, job_id: JobId | None, shown: Sequence[JobId] = ()) -> None:
        """Put the cursor on a job, or on the nearest one to it of those that were `shown`."""
        unmoved = self.cursor < len(self.ids) and self.ids[self.cursor] == job_id
        if not unmoved:
            try:
                self.cursor = self.ids.index(job_id) if job_id is not None else 0
            except ValueError:
                self.cursor = self._nearest(shown)
        self.changed()

    def _nearest(self, shown: Sequence[JobId]) -> int:
        """The row of the job that came next to the cursor, or before it."""
        indexes = {job_id: index for index, job_id in enumerate(self.ids)}
        around = (*shown[self.cursor :], *reversed(shown[: self.cursor]))
        kept = next((indexes[job_id] for job_id in around if job_id in indexes), self.cursor)
        return max(0, min(kept, len(self.ids) - 1))

    def move_to(self, index: int) -> bool:
        """Move the cursor to a row; False if it was there."""
        index = max(0, min(index, self.count() - 1))
        before, self.cursor = self.cursor, index
        if before == index:
            return False
        self.refresh_line(before)
        self.refresh_line(index)
        self.reveal(self.cursor)
        return True

    def show(self, job_id: JobId) -> None:
        """Move the cursor to a job, if it is not filtered out."""
        if self.ids and self.ids[self.cursor] == job_id:
            return
        if job_id in self.model.jobs and job_id in self.ids:
            self.move_to(self.ids.index(job_id))

    def paths_without_date(self) -> dict[JobId, str]:
        """The files whose dates are to be looked up, if they are sorted by date."""
        if self.shown.sort not in {"newest", "oldest"}:
            return {}
        known = self.shown.modified
        return {one.id: one.path for one in self.model.jobs.values() if one.id not in known}

    def set_dates(self, dates: Mapping[JobId, float | None]) -> None:
        """Sort by these dates, too."""
        self.shown.modified.update(dates)
        self.reorder()

    def _user_moves(self, index: int, *, extending: bool = False) -> None:
        if self._extending and not extending:
            self.end_range()
        self._unfiltered = None
        self.move_to(index)
        self._select_range()
        self.post_message(self.CursorMoved())

    # A range of the selection.

    @property
    def in_range(self) -> bool:
        """Whether moving the cursor selects."""
        return self._range is not None and not self._extending

    def begin_range(self) -> None:
        """Let the cursor select what it passes, from here on."""
        if self._here is not None:
            self._range, self._extending = (self._here, frozenset(self.selected)), False
            self._select_range()

    def end_range(self) -> None:
        """Let the cursor pass without selecting; what is selected stays."""
        self._range, self._extending = None, False

    def extend(self, step: int) -> bool:
        """Select from the cursor on, and move it; False if that changed nothing."""
        before = self.cursor, frozenset(self.selected)
        if self._range is None:
            self.begin_range()
            self._extending = True
        self._user_moves(self.cursor + step, extending=True)
        return before != (self.cursor, frozenset(self.selected))

    def _select_range(self) -> None:
        if self._range is None:
            return
        begin, before = self._range
        if begin not in self.ids:
            self.end_range()
            return
        first, last = sorted((self.ids.index(begin), self.cursor))
        self.select({*before, *self.ids[first : last + 1]})

    def action_go(self, lines: int) -> None:
        self._user_moves(self.cursor + lines)

    def action_home(self) -> None:
        self._user_moves(0)

    def action_end(self) -> None:
        self._user_moves(self.count() - 1)

    def toggle(self) -> None:
        """Toggle the selection of the cursor's row and move to the next."""
        if not self.ids:
            return
        self.end_range()
        self.selected ^= {self.ids[self.cursor]}
        self.refresh_line(self.cursor)
        self._user_moves(self.cursor + 1)

    def select(self, ids: Iterable[JobId]) -> None:
        """Select exactly these."""
        self.selected = set(ids)
        self.refresh()

    def on_focus(self) -> None:
        self.refresh_line(self.cursor)

    def on_blur(self) -> None:
        self.refresh_line(self.cursor)

    def on_click(self, event: events.Click) -> None:
        if event.y < self.head:
            self.post_message(self.HeadingClicked(rows.sort_at(event.x, self._columns)))
            return
        index = event.y - self.head + self.top
        if index >= self.count():
            return
        if event.shift:
            self.extend(index - self.cursor)
            return
        self._user_moves(index)
        if event.chain == 2:
            self.post_message(self.RowDoubleClicked())


def _same(one: RowState, other: RowState) -> bool:
    return one[0] is other[0] and one[1] is other[1] and one[2:] == other[2:]


def modification_times(paths: Mapping[JobId, str]) -> dict[JobId, float | None]:
    """When these files (`path_to_text`) were changed; None where they are not there. Blocks."""
    found: dict[JobId, float | None] = {}
    for job_id, path in paths.items():
        try:
            found[job_id] = text_to_path(path).stat().st_mtime
        except (OSError, ValueError):
            found[job_id] = None
    return found
