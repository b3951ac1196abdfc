"""The batch in figures: totals, memory over time, slowest files, failures."""

from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button

from fwtui.core.child_process import current_folder
from fwtui.core.events import Phase
from fwtui.core.paths import expand_home, path_to_text, text_to_path
from fwtui.report.render import REPORT_FORMATS, export_report
from fwtui.report.report import BatchReport, make_report
from fwtui.tui.formatting import clean
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.model import BatchModel
from fwtui.tui.opening import open_folder
from fwtui.tui.report_layout import report_lines
from fwtui.tui.screens.dialog import DialogBox, ListDialog, frame
from fwtui.tui.screens.export import Exportable, ExportDialog
from fwtui.tui.widgets.lines import FlowView

REFRESH_SECONDS = 1.0


class ReportDialog(ListDialog[None]):
    """The report of the model's batch; follows it while it is running."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("report")
    keys = "report"
    escape_result = None

    def __init__(self, model: BatchModel, glyphs: Glyphs) -> None:
        layout = partial(report_lines, report_of(model), glyphs)
        self._view = FlowView(layout, glyphs, id="report-view")
        super().__init__(self._view)
        self._model = model
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
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
        self._show()
        self.set_interval(REFRESH_SECONDS, self._refresh)

    def _refresh(self) -> None:
        if self._model.phase is not Phase.IDLE:
            self._show()

    def _show(self) -> None:
        report = report_of(self._model)
        self._view.show(partial(report_lines, report, self._glyphs))
        box = self.query_one("#report-dialog", DialogBox)
        so_far = " so far" if self._model.phase is not Phase.IDLE else ""
        name = f"session {report.session_id}"
        box.set_title(f"Report{so_far} {self._glyphs.dot} {name}")

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_export(self) -> None:
        report = report_of(self._model)
        folder = _output_folder(self._model)
        stem = (
            folder if folder.is_dir() else current_folder()
        ) / f"fwtui-report-{report.session_id}"
        what = Exportable(
            "the report",
            stem,
            REPORT_FORMATS,
            partial(export_report, report),
            lambda: (job.file for job in report.jobs),
        )
        if result := await self.app.push_screen_wait(ExportDialog(what)):
            self.notify(clean(result), markup=False)

    @work(exclusive=True, group="folder", exit_on_error=False)
    async def action_folder(self) -> None:
        await open_folder(self.app, _output_folder(self._model))


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
        shares=model.shares,
    )


def _output_folder(model: BatchModel) -> Path:
    return expand_home(text_to_path(path_to_text(model.settings.output.output_dir)))
