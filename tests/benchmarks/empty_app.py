"""An empty Textual application as anybody writes it, to compare the start with."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Empty(App[None]):
    """Nothing but a text that a key changes."""

    def compose(self) -> ComposeResult:
        yield Static("an empty app", id="words")

    def on_key(self) -> None:
        self.query_one("#words", Static).update("a key was pressed")


if __name__ == "__main__":
    Empty().run()
