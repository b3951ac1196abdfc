"""The bottom line: the keys that do something now, as many as fit."""

from collections.abc import Callable, Mapping

from textual import events
from textual.message import Message
from textual.strip import Strip

from fwtui.tui.formatting import width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import key_for
from fwtui.tui.keys import Key, footer_keys
from fwtui.tui.widgets.paint import InkWidget, Piece


class Footer(InkWidget):
    """Keys and labels; a click runs the action.

    `labels` gives other labels for some keys by id, or None to hide a key.
    """

    class Pressed(Message):
        """A hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(
        self,
        glyphs: Glyphs,
        labels: Callable[[], Mapping[str, str | None]],
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(glyphs, id=id)
        self._labels = labels
        self._hints: list[tuple[Key, str]] = []

    def update(self) -> None:
        """Redraw if other keys do something now."""
        labels = self._labels()
        labelled = [(key, labels.get(key.id, key.label)) for key in footer_keys()]
        hints = [(key, text) for key, text in labelled if text is not None]
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        kept = self._fitting()
        pieces: list[Piece] = []
        for key, text in kept:
            pieces.append((" " + self._sign(key), "key"))
            pieces.append((" " + text + " ", "dim"))
        return self.strip(pieces, self.size.width)

    def on_click(self, event: events.Click) -> None:
        x = 0
        for key, text in self._fitting():
            x += self._cells(key, text)
            if event.x < x:
                self.post_message(self.Pressed(key.action))
                return

    def _sign(self, key: Key) -> str:
        return key_for(self, key.id)

    def _cells(self, key: Key, text: str) -> int:
        return width(self._sign(key)) + width(text) + 3

    def _fitting(self) -> list[tuple[Key, str]]:
        room = self.size.width
        always = [hint for hint in self._hints if hint[0].pinned]
        room -= sum(self._cells(*hint) for hint in always)
        kept: list[tuple[Key, str]] = []
        for hint in self._hints:
            if hint[0].pinned:
                continue
            room -= self._cells(*hint)
            if room < 0:
                break
            kept.append(hint)
        return kept + always
