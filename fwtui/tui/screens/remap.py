"""Before a session of another machine goes on: where its folders are here."""

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Button, Input, Static

from fwtui.tui.screens.dialog import Dialog, frame, text
from fwtui.tui.text import clean

QUESTION = (
    "The session was made on another machine, or its files have moved. Where is this folder now? "
    "The answer is remembered."
)


class Remap(Dialog[str | None]):
    """Asks for the folder here that stands for `folder`; None: not now."""

    escape_result = None

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def compose(self) -> ComposeResult:
        """Question, the folder there, the folder here."""
        yield frame(
            "Files of another machine",
            VerticalScroll(
                text(f"{QUESTION}\n\n{clean(self._folder)}\n"), classes="body", can_focus=False
            ),
            Input(placeholder="folder on this machine", id="here"),
            text("", id="remap-wrong"),
            buttons=(
                Button("Cancel", id="no"),
                Button("Remember", id="yes", variant="primary"),
            ),
        )

    def on_mount(self) -> None:
        """The answer is typed at once."""
        self.query_one(Input).focus()

    def on_input_submitted(self) -> None:
        """Enter is enough."""
        self._answer()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer, or not."""
        if event.button.id == "yes":
            self._answer()
        else:
            self.dismiss(None)

    def _answer(self) -> None:
        words = self.query_one(Input).value.strip()
        folder = Path(words).expanduser()
        if words and folder.is_dir():
            self.dismiss(str(folder.absolute()))
        else:
            self.query_one("#remap-wrong", Static).update(f"There is no folder {clean(words)}")
