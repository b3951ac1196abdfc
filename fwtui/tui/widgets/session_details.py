"""One stored session: its fields, and its files with their attempts."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Static

from fwtui.core.events import Phase
from fwtui.core.job import Attempt, Job
from fwtui.sessions.catalog import StoredSession
from fwtui.tui import rows
from fwtui.tui.error_boundary import Sturdy
from fwtui.tui.formatting import base_name, clean, clock, outputs_location, shown_path
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece


class FilesView(Listing):
    """Rows like the queue's, and a line for each start of the engine that failed."""

    head = 1

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id)
        self._lines: list[tuple[Job, Attempt | None]] = []
        self._columns = rows.columns(0)

    def show(self, jobs: Sequence[Job]) -> None:
        """Show these."""
        self._lines = [(job, attempt) for job in jobs for attempt in (None, *job.attempts)]
        self.cursor = self.top = 0
        self.relist()

    @property
    def current(self) -> Job | None:
        """The file under the cursor."""
        return self._lines[self.cursor][0] if self._lines else None

    def count(self) -> int:
        """Files and attempts."""
        return len(self._lines)

    def on_resize(self) -> None:
        """Share out the new width."""
        self._columns = rows.columns(self.size.width - 1)
        super().on_resize()

    def head_line(self, y: int, cells: int) -> Strip:  # noqa: ARG002
        """The names of the columns."""
        return self.strip(rows.heading(self._columns, self.glyphs), cells)

    def pieces(self, index: int) -> Sequence[Piece]:
        """A file, or one attempt at it."""
        job, attempt = self._lines[index]
        if attempt is None:
            return rows.row(job, None, Phase.IDLE, self._columns, self.glyphs, selected=False)
        return [
            (f"      stopped at {clock(attempt.at_seconds)}: ", "dim"),
            (clean(attempt.failure.title), "bad"),
            (f" {self.glyphs.dot} then {clean(attempt.remedy)}" if attempt.remedy else "", "warn"),
        ]


LABEL = 10

Part = tuple[str, str]


class SessionView(Sturdy, Vertical):
    """Fields above, files below."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.glyphs = glyphs
        self.fields = Static("", markup=False, classes="session-facts")
        self.files = FilesView(glyphs, id="session-files")

    def compose(self) -> ComposeResult:
        """Fields, files."""
        yield self.fields
        yield self.files

    def show(self, stored: StoredSession | None, *, own: bool = False) -> None:
        """Show this session; `own`: it is the batch of this program."""
        if stored is None:
            self.fields.update(Content(""))
            self.files.show(())
            return
        self.fields.update(fields(stored, self.glyphs, own=own))
        self.files.show(stored.session.jobs)

    @property
    def current(self) -> Job | None:
        """The file under the cursor."""
        return self.files.current


def fields(stored: StoredSession, glyphs: Glyphs, *, own: bool) -> Content:
    """What there is to know about a session as a whole."""
    session, settings = stored.session, stored.session.settings
    dot = f" {glyphs.dot} "
    others = len(session.jobs) - sum(map(len, (session.completed, session.failed, session.pending)))
    inside = sum(resume.seconds for resume in session.resumable.values())
    model = clean(base_name(settings.model.model.rstrip("/\\")))
    parts: list[Part] = []
    if own:
        parts.append(("This is the batch on the main screen\n", "$accent"))
    elif stored.in_use is not None:
        parts.append((f"In use by {clean(str(stored.in_use))}\n", "$warning"))
    if stored.foreign is not None:
        parts.append((f"Left by the earlier program: {shown_path(str(stored.foreign))}\n", ""))
    counts = (
        (f"{glyphs.completed} {len(session.completed):,} done", "$success"),
        (f"   {glyphs.failed} {len(session.failed):,} failed", "$error"),
        (f"   {glyphs.pending} {len(session.pending):,} pending", ""),
        (f"   {glyphs.skipped} {others:,} left out" if others else "", "$ink-dim"),
    )
    rows: list[tuple[str, list[Part]]] = [
        ("Created", [(f"{session.created_at:%Y-%m-%d %H:%M:%S}", "")]),
        ("Changed", [(f"{stored.modified:%Y-%m-%d %H:%M:%S}", "")]),
        ("Model", [(dot.join((model, settings.model.compute_type, settings.model.device)), "")]),
        ("Output", [(outputs_location(settings.output), "")]),
        ("Files", list(counts)),
    ]
    rows += [("Watches", [(shown_path(folder.path), "")]) for folder in session.folders]
    if inside > 0:
        rows.append(("Kept", [(f"{clock(inside)} inside unfinished files", "")]))
    for label, values in rows:
        parts += [(f"{label:<{LABEL}}", "$ink-dim"), *values, ("\n", "")]
    return Content.assemble(*parts).rstrip()
