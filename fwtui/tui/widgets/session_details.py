"""One stored session: its fields, and its files with their attempts."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Static

from fwtui.core.events import Phase
from fwtui.core.job import Attempt, Job
from fwtui.core.text import clock
from fwtui.sessions.catalog import StoredSession
from fwtui.tui import rows
from fwtui.tui.error_boundary import ErrorBoundary
from fwtui.tui.formatting import (
    FieldRow,
    StyledText,
    base_name,
    clean,
    fields,
    outputs_location,
    shown_path,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece

FileLine = tuple[Job, int]
"""A file (-1), or one of the attempts at it."""


class FilesView(Listing[FileLine]):
    """Rows like the queue's, and a line for each attempt that failed."""

    head = 1

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id)
        self._columns = rows.columns(0)

    def show(self, jobs: Sequence[Job]) -> None:
        """Show these files."""
        self.items, self.cursor, self.top = (), 0, 0
        self.replace([(job, at) for job in jobs for at in range(-1, len(job.attempts))])

    def key(self, item: FileLine) -> tuple[int, int]:
        job, attempt = item
        return job.id, attempt

    def on_resize(self) -> None:
        self._columns = rows.columns(self.size.width - 1)

    def head_line(self, y: int, cells: int) -> Strip:  # noqa: ARG002
        return self.strip(rows.heading(self._columns, self.glyphs), cells)

    def pieces(self, item: FileLine) -> Sequence[Piece]:
        job, attempt = item
        if attempt < 0:
            return rows.row(job, None, Phase.IDLE, self._columns, self.glyphs, selected=False)
        return _attempt(job.attempts[attempt], self.glyphs)


def _attempt(attempt: Attempt, glyphs: Glyphs) -> Sequence[Piece]:
    return [
        (f"      stopped at {clock(attempt.at_seconds)}: ", "dim"),
        (clean(attempt.failure.title), "bad"),
        (f" {glyphs.dot} retried with {clean(attempt.remedy)}" if attempt.remedy else "", "warn"),
    ]


class SessionView(ErrorBoundary, Vertical):
    """Fields above, files below."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.glyphs = glyphs
        self.fields = Static("", markup=False, classes="session-fields")
        self.files = FilesView(glyphs, id="session-files")

    def compose(self) -> ComposeResult:
        yield self.fields
        yield self.files

    def show(self, stored: StoredSession | None, *, own: bool = False) -> None:
        """Show this session; `own`: it is the batch of this program."""
        if stored is None:
            self.fields.update(Content(""))
            self.files.show(())
            return
        self.fields.update(describe_session(stored, self.glyphs, own=own))
        self.files.show(stored.session.jobs)

    @property
    def job(self) -> Job | None:
        """The file under the cursor."""
        line = self.files.current
        return line[0] if line is not None else None


def describe_session(stored: StoredSession, glyphs: Glyphs, *, own: bool) -> Content:
    """The fields of a session as a whole."""
    session, settings = stored.session, stored.session.settings
    dot = f" {glyphs.dot} "
    inside = sum(resume.seconds for resume in session.resumable.values())
    model = clean(base_name(settings.model.model.rstrip("/\\")))
    notes: list[StyledText] = []
    if own:
        notes.append(("This is the batch on the main screen\n", "$accent"))
    elif stored.in_use is not None:
        notes.append((f"In use by {clean(str(stored.in_use))}\n", "$warning"))
    if stored.legacy_file is not None:
        earlier = f"From the earlier desktop program: {shown_path(str(stored.legacy_file))}\n"
        notes.append((earlier, ""))
    found = [
        FieldRow("Created", f"{session.created_at:%Y-%m-%d %H:%M:%S}"),
        FieldRow("Changed", f"{stored.modified:%Y-%m-%d %H:%M:%S}"),
        FieldRow("Model", dot.join((model, settings.model.compute_type, settings.model.device))),
        FieldRow("Output", outputs_location(settings.output)),
        FieldRow("Files", _counts(stored, glyphs)),
        *(FieldRow("Watching", shown_path(folder.path)) for folder in session.folders),
    ]
    if inside > 0:
        found.append(FieldRow("Partial", f"{clock(inside)} done in unfinished files"))
    return Content.assemble(*notes, fields(found))


def _counts(stored: StoredSession, glyphs: Glyphs) -> Sequence[StyledText]:
    session = stored.session
    done, failed, waiting = map(len, (session.completed, session.failed, session.pending))
    others = len(session.jobs) - done - failed - waiting
    return [
        (f"{glyphs.completed} {done:,} done", "$success"),
        (f"   {glyphs.failed} {failed:,} failed", "$error"),
        (f"   {glyphs.pending} {waiting:,} waiting", ""),
        (f"   {glyphs.skipped} {others:,} cancelled or skipped" if others else "", "$ink-dim"),
    ]
