"""A bundle for a bug report: everything that would be in it, and a place to write it to."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button, Input, Static

from fwtui.errors import FwtuiError
from fwtui.report.bug_report import Part, shown, write_bundle
from fwtui.tui.formatting import clean, shown_path
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.screens.dialog import Dialog, frame
from fwtui.tui.widgets.lines import TextLines

NARROW_WIDTH = 100
WORDS = (
    "Names, paths and secrets are taken out. Look through it: this, and nothing else, is written. "
    "Nothing is sent anywhere."
)


class ReportBugDialog(Dialog[str]):
    """Writes the bundle itself; gives what to tell the user, empty when nothing was written."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("bug")
    escape_result = ""

    def __init__(self, parts: Sequence[Part], glyphs: Glyphs, file: Path) -> None:
        super().__init__()
        self._parts = tuple(parts)
        self._glyphs = glyphs
        self._file = file

    def compose(self) -> ComposeResult:
        """What it is, all of it, where it goes, buttons."""
        yield frame(
            "Report a bug",
            Static(WORDS, markup=False, classes="text"),
            TextLines(list(shown(self._parts)), self._glyphs, id="bug-lines"),
            Input(str(self._file), id="export-path", select_on_focus=False),
            Static("", markup=False, id="export-note"),
            buttons=(
                Button("Cancel", id="cancel"),
                Button("Write", id="write", variant="primary"),
            ),
            id="bug-dialog",
        )

    def on_mount(self) -> None:
        """Begin in the text."""
        self.set_class(self._glyphs.ascii, "plain-ascii")
        self.query_one(TextLines).focus()

    def on_resize(self, event: events.Resize) -> None:
        """Say the keys in the lower edge."""
        super().on_resize(event)
        self.set_class(event.size.width < NARROW_WIDTH, "narrow")
        self.call_after_refresh(self.show_hints, "bug")

    def action_place(self) -> None:
        """Type another path."""
        self.query_one(Input).focus()

    def on_input_submitted(self) -> None:
        """Enter writes."""
        self.action_write()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """One of the ends."""
        if event.button.id == "write":
            self.action_write()
        else:
            self.dismiss("")

    @work(exclusive=True, group="write", exit_on_error=False)
    async def action_write(self) -> None:
        """Write the bundle, and close."""
        file = Path(self.query_one(Input).value).expanduser()
        try:
            await asyncio.to_thread(write_bundle, file, self._parts)
        except FwtuiError as error:
            words = f"{error.title}. {error.hint}" if error.hint else error.title
            self.query_one("#export-note", Static).update(clean(words))
            return
        self.dismiss(f"Written to {shown_path(str(file))}: add it to your report")
