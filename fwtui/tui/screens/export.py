"""Where to write an export, and in which form."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Static

from fwtui.errors import FwtuiError
from fwtui.report.render import write_export
from fwtui.tui.formatting import clean, shown_path
from fwtui.tui.screens.dialog import Dialog, frame

NAMES = {"json": "JSON", "toml": "TOML", "csv": "CSV", "md": "Markdown"}


@dataclass(frozen=True)
class Exportable:
    """Something with a `title` that `data` gives the bytes of, in one of `forms`."""

    title: str
    stem: Path
    forms: Sequence[str]
    data: Callable[[str], bytes]


class ExportDialog(Dialog[str]):
    """Writes the file itself; gives what to tell the user, empty when nothing was written."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "form(-1)", show=False),
        Binding("down", "form(1)", show=False),
    ]
    escape_result = ""

    def __init__(self, what: Exportable) -> None:
        super().__init__()
        self._what = what
        self._form = what.forms[0]

    def compose(self) -> ComposeResult:
        """Forms, path, what is wrong with it, buttons."""
        forms = [Button(NAMES[form], id=f"form-{form}") for form in self._what.forms]
        yield frame(
            f"Export {clean(self._what.title)}",
            Horizontal(*forms, classes="choices"),
            Input(f"{self._what.stem}.{self._form}", id="export-path", select_on_focus=False),
            Static("", markup=False, id="export-note"),
            buttons=(
                Button("Cancel", id="cancel"),
                Button("Export", id="export", variant="primary"),
            ),
            id="export-dialog",
        )

    def on_mount(self) -> None:
        """Begin in the path."""
        self.query_one(Input).focus()
        self._choose(self._form)

    def _choose(self, form: str) -> None:
        path = self.query_one(Input)
        if path.value.endswith(f".{self._form}"):
            path.value = path.value.removesuffix(self._form) + form
            path.cursor_position = len(path.value)
        self._form = form
        for each in self._what.forms:
            self.query_one(f"#form-{each}").set_class(each == form, "on")
        self._look()

    def action_form(self, step: int) -> None:
        """The next form."""
        forms = self._what.forms
        self._choose(forms[(forms.index(self._form) + step) % len(forms)])

    def on_input_changed(self) -> None:
        """Say what is there already."""
        self._look()

    def on_input_submitted(self) -> None:
        """Enter exports."""
        self._write()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A form, or an end."""
        match event.button.id:
            case "export":
                self._write()
            case "cancel":
                self.dismiss("")
            case str(name):
                self._choose(name.removeprefix("form-"))

    @property
    def _path(self) -> Path:
        return Path(self.query_one(Input).value).expanduser()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self) -> None:
        path = self._path
        problem = await asyncio.to_thread(_problem, path)
        there = not problem and await asyncio.to_thread(path.exists)
        self._say(problem or ("This file is there already: it is replaced" if there else ""))
        button = self.query_one("#export", Button)
        button.label = Content("Replace" if there else "Export")
        button.disabled = bool(problem)

    def _say(self, words: str) -> None:
        self.query_one("#export-note", Static).update(Content(clean(words)))

    @work(exclusive=True, group="write", exit_on_error=False)
    async def _write(self) -> None:
        path, form = self._path, self._form

        def write() -> None:
            write_export(path, self._what.data(form))

        problem = await asyncio.to_thread(_problem, path)
        if problem:
            self._say(problem)
            return
        try:
            await asyncio.to_thread(write)
        except FwtuiError as error:
            self._say(f"{error.title}. {error.hint}" if error.hint else error.title)
            return
        self.dismiss(f"Exported to {shown_path(str(path))}")


def _problem(path: Path) -> str:
    """Why nothing can be written there; empty if it seems possible."""
    try:
        if path.is_dir():
            return "This is a folder: name a file"
        return "" if path.parent.is_dir() else "There is no such folder"
    except (OSError, ValueError):
        return "This is no usable path"
