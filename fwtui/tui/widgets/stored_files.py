"""The files of a stored session, each with its attempts below it."""

from collections.abc import Sequence

from textual.strip import Strip

from fwtui.core.events import Phase
from fwtui.core.job import Attempt, Job
from fwtui.tui import format as fmt
from fwtui.tui import rows
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.text import clean
from fwtui.tui.widgets.listing import Listing
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
            (f"      stopped at {fmt.clock(attempt.at_seconds)}: ", "dim"),
            (clean(attempt.failure.title), "bad"),
            (f" {self.glyphs.dot} then {clean(attempt.remedy)}" if attempt.remedy else "", "warn"),
        ]
