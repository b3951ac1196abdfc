"""A bug report: a preview of everything in it, and where to write it."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.cells import chop_cells
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button, Input, Static

from fwtui.core.paths import expand_home
from fwtui.errors import FwtuiError
from fwtui.report.bug_report import BugReportFile, bundle_lines, write_bundle
from fwtui.tui.formatting import clean, shown_path
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.screens.dialog import ListDialog, error_line, frame
from fwtui.tui.screens.export import ask_to_write, short_path
from fwtui.tui.widgets.lines import FlowView
from fwtui.tui.widgets.paint import Piece

EXPLANATION = (
    "Names, paths and secrets are removed. Please review: only what you see here is written. "
    "Nothing is sent anywhere."
)


def preview_lines(lines: Iterable[str], cells: int) -> list[list[Piece]]:
    """The lines, broken after `cells`; those that begin with `==` are titles."""
    room = max(8, cells - 1)
    parts = (part for line in lines for part in chop_cells(line, room) or [""])
    return [[(f" {part}", "key" if part.startswith("==") else "plain")] for part in parts]


class ReportBugDialog(ListDialog[str]):
    """Writes the bundle itself; gives a message for the user, empty when nothing was written.

    It replaces no file without asking, and none of the `recordings`.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("bug")
    keys = "bug"
    escape_result = ""

    def __init__(
        self,
        files: Sequence[BugReportFile],
        glyphs: Glyphs,
        file: Path,
        recordings: Iterable[Path] = (),
    ) -> None:
        preview = partial(preview_lines, [clean(line) for line in bundle_lines(files)])
        super().__init__(FlowView(preview, glyphs, id="bug-lines"))
        self._files = tuple(files)
        self._file = file
        self._recordings = tuple(recordings)

    def compose(self) -> ComposeResult:
        yield frame(
            "Report a bug",
            Static(EXPLANATION, markup=False, classes="text"),
            self.view,
            Input(short_path(str(self._file)), id="export-path", select_on_focus=False),
            Static("", markup=False, id="export-note"),
            buttons=(
                Button("Cancel", id="close"),
                Button("Write", id="write", variant="primary"),
            ),
            id="bug-dialog",
        )

    def action_place(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self) -> None:
        self.action_write()

    @work(exclusive=True, group="write", exit_on_error=False)
    async def action_write(self) -> None:
        file = expand_home(self.query_one(Input).value)
        try:
            if not await ask_to_write(self.app, file, self._recordings):
                return
            await asyncio.to_thread(write_bundle, file, self._files)
        except FwtuiError as error:
            self.query_one("#export-note", Static).update(error_line(error))
            return
        self.dismiss(f"Written to {shown_path(str(file))}. Attach it to your report.")
