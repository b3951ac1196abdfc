"""The batch in figures: totals, memory over time, slowest files, failures."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Button

from fwtui.core.events import Phase
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.report.render import REPORT_FORMATS, export_report
from fwtui.report.report import BatchReport, make_report
from fwtui.tui.formatting import clean
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.model import BatchModel
from fwtui.tui.opening import open_folder
from fwtui.tui.report_layout import figures
from fwtui.tui.screens.dialog import Dialog, frame
from fwtui.tui.screens.export import Exportable, ExportDialog
from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.paint import Piece, clip

LOOK_EVERY = 1.0
NARROW_WIDTH = 100


class ReportView(LineView):
    """A report, laid out for the width there is."""

    def __init__(self, report: BatchReport, glyphs: Glyphs) -> None:
        super().__init__(glyphs, id="report-view")
        self._report = report
        self._lines: list[list[Piece]] = []

    def show(self, report: BatchReport) -> None:
        """Show another, or the same with other figures."""
        self._report = report
        self._lay_out()

    def on_resize(self) -> None:
        """Lay it out again."""
        self._lay_out()

    def _lay_out(self) -> None:
        if self.size.width > 1:
            self._lines = figures(self._report, self.size.width - 1, self.glyphs)
        self.changed()

    def count(self) -> int:
        """Lines."""
        return len(self._lines)

    def line(self, index: int, cells: int) -> Strip:
        """A line."""
        return self.strip(clip(self._lines[index], cells, self.glyphs.ellipsis), cells)


class ReportDialog(Dialog[None]):
    """Follows the batch while it is at work."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("report"),
        Binding("q", "leave", "Close", show=False),
    ]
    escape_result = None

    def __init__(self, model: BatchModel, glyphs: Glyphs) -> None:
        super().__init__()
        self._model = model
        self._glyphs = glyphs
        self._view = ReportView(report_of(model), glyphs)

    def compose(self) -> ComposeResult:
        """Figures, buttons."""
        yield frame(
            "Report",
            self._view,
            buttons=(
                Button("Close", id="close"),
                Button("Open folder", id="folder"),
                Button("Export", id="export", variant="primary"),
            ),
            id="report-dialog",
        )

    def on_mount(self) -> None:
        """Begin in the figures."""
        self.set_class(self._glyphs.ascii, "plain-ascii")
        self._view.focus()
        self._show()
        self.set_interval(LOOK_EVERY, self._follow)

    def on_resize(self, event: events.Resize) -> None:
        """The keys that fit."""
        super().on_resize(event)
        self.set_class(event.size.width < NARROW_WIDTH, "narrow")
        self.call_after_refresh(self.show_hints, "report")

    def _follow(self) -> None:
        if self._model.phase is not Phase.IDLE:
            self._show()

    def _show(self) -> None:
        report = report_of(self._model)
        self._view.show(report)
        box = self.query_one("#report-dialog")
        so_far = " so far" if self._model.phase is not Phase.IDLE else ""
        name = f"session {clean(report.session_id)}"
        box.border_title = Content(f"Report{so_far} {self._glyphs.dot} {name}")

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_export(self) -> None:
        """Write it as a file."""
        report = report_of(self._model)

        def data(form: str) -> bytes:
            return export_report(report, form)

        folder = _folder(self._model)
        stem = (folder if folder.is_dir() else Path.cwd()) / f"fwtui-report-{report.session_id}"
        what = Exportable("the report", stem, REPORT_FORMATS, data)
        said = await self.app.push_screen_wait(ExportDialog(what))
        if said:
            self.notify(clean(said), markup=False)

    @work(exclusive=True, group="folder", exit_on_error=False)
    async def action_folder(self) -> None:
        """Open the folder of the transcripts."""
        await open_folder(self.app, _folder(self._model))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same by the mouse."""
        actions: dict[str | None, Callable[[], object]] = {
            "export": self.action_export,
            "folder": self.action_folder,
        }
        actions.get(event.button.id, lambda: self.dismiss(None))()


def report_of(model: BatchModel) -> BatchReport:
    """The batch as it is now, or as it was at its end."""
    history = model.history
    now = history.now()
    began = history.began or now
    return make_report(
        (model.jobs[job_id] for job_id in model.order),
        model.settings,
        model.session_id,
        began,
        history.ended or now,
        history.peak,
        memory=history.points,
    )


def _folder(model: BatchModel) -> Path:
    return text_to_path(path_to_text(model.settings.output.output_dir)).expanduser()
