"""Where to write an export, and in which format."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from fwtui.core.paths import expand_home
from fwtui.errors import FwtuiError
from fwtui.report.render import refuse_recording, write_export
from fwtui.tui.formatting import clean, shown_path
from fwtui.tui.keys import bindings
from fwtui.tui.screens.dialog import ConfirmDialog, Dialog, error_line, frame
from fwtui.tui.widgets.button_row import ButtonRow


@dataclass(frozen=True)
class Exportable:
    """What is exported: `data` gives its bytes in one of `formats`; `stem` is the proposed path.

    `recordings` are files that must not be replaced.
    """

    title: str
    stem: Path
    formats: Sequence[str]
    data: Callable[[str], bytes]
    recordings: Callable[[], Iterable[Path]] = lambda: ()


async def ask_to_write(app: App[Any], path: Path, recordings: Iterable[Path]) -> bool:
    """Whether a file that the user named may be written; asks before one that exists is replaced.

    Raises UsageError if it is one of the recordings.
    """
    await asyncio.to_thread(refuse_recording, path, recordings)
    if not await asyncio.to_thread(path.exists):
        return True
    question = f"{shown_path(str(path))} exists. Its content would be lost."
    ask = ConfirmDialog("Replace this file?", question, "Replace", "Keep it")
    return await app.push_screen_wait(ask)


class ExportDialog(Dialog[str]):
    """Writes the file itself; gives a message for the user, empty when nothing was written.

    It replaces no file without asking, and no recording at all.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("export")
    keys = "export"
    escape_result = ""

    def __init__(self, what: Exportable) -> None:
        super().__init__()
        self._what = what
        self._format = what.formats[0]

    def compose(self) -> ComposeResult:
        formats = [Button(_name(each), id=f"format-{each}") for each in self._what.formats]
        yield frame(
            f"Export {clean(self._what.title)}",
            ButtonRow(*formats, classes="choices"),
            Input(
                short_path(f"{self._what.stem}.{self._format}"),
                id="export-path",
                select_on_focus=False,
            ),
            Static("", markup=False, id="export-note"),
            buttons=(
                Button("Cancel", id="close"),
                Button("Export", id="export", variant="primary"),
            ),
            id="export-dialog",
        )

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._choose(self._format)

    def _choose(self, chosen: str) -> None:
        path = self.query_one(Input)
        if path.value.endswith(f".{self._format}"):
            path.value = path.value.removesuffix(self._format) + chosen
            path.cursor_position = len(path.value)
        self._format = chosen
        for each in self._what.formats:
            self.query_one(f"#format-{each}").set_class(each == chosen, "on")
        self._check()

    def action_format(self, step: int) -> None:
        formats = self._what.formats
        self._choose(formats[(formats.index(self._format) + step) % len(formats)])

    def on_input_changed(self) -> None:
        self._check()

    def on_input_submitted(self) -> None:
        self.action_export()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        name = event.button.id or ""
        if name.startswith("format-"):
            self._choose(name.removeprefix("format-"))

    @property
    def _path(self) -> Path:
        return expand_home(self.query_one(Input).value)

    @work(exclusive=True, group="check", exit_on_error=False)
    async def _check(self) -> None:
        """Say what is wrong with the path, or that the file exists."""
        path = self._path
        problem = await asyncio.to_thread(_problem, path)
        exists = not problem and await asyncio.to_thread(path.exists)
        self._set_note(problem or ("This file exists" if exists else ""))
        self.enable(export=not problem)

    def _set_note(self, note: str) -> None:
        self.query_one("#export-note", Static).update(Content(note))

    @work(exclusive=True, group="write", exit_on_error=False)
    async def action_export(self) -> None:
        path, chosen = self._path, self._format

        recordings = list(self._what.recordings())

        def write() -> None:
            write_export(path, self._what.data(chosen), recordings)

        problem = await asyncio.to_thread(_problem, path)
        if problem:
            self._set_note(problem)
            return
        try:
            if not await ask_to_write(self.app, path, recordings):
                return
            await asyncio.to_thread(write)
        except FwtuiError as error:
            self._set_note(error_line(error))
            return
        self.dismiss(f"Exported to {shown_path(str(path))}")


def short_path(path: str) -> str:
    """A proposed path from the home folder on, if what is read back is the same file."""
    short = shown_path(path)
    return short if str(expand_home(short)) == path else path


def _name(form: str) -> str:
    return "Markdown" if form == "md" else form.upper()


def _problem(path: Path) -> str:
    """Why nothing can be written there; empty if it seems possible."""
    try:
        if path.is_dir():
            return "This is a folder: add a file name"
        return "" if path.parent.is_dir() else "Folder not found"
    except (OSError, ValueError):
        return "Not a valid path"
