"""The bottom line: keys that can be pressed now, as many as fit."""

from collections.abc import Callable, Mapping

from textual import events
from textual.message import Message
from textual.strip import Strip

from fwtui.tui.formatting import width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import sign_of
from fwtui.tui.keys import Key, footer_keys
from fwtui.tui.widgets.paint import InkWidget, Piece


class Footer(InkWidget):
    """Keys and labels; a click calls the action.

    `labels` gives other words for some keys by their id, or None to hide one.
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
        """Draw if other keys make sense now."""
        labels = self._labels()
        said = [(key, labels.get(key.id, key.label)) for key in footer_keys()]
        hints = [(key, text) for key, text in said if text is not None]
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        """The hints that fit: the last ones stay, the others go from the back."""
        kept = self._fitting()
        pieces: list[Piece] = []
        for key, text in kept:
            pieces.append((" " + self._sign(key), "key"))
            pieces.append((" " + text + " ", "dim"))
        return self.strip(pieces, self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Call what is under the mouse."""
        x = 0
        for key, text in self._fitting():
            x += self._cells(key, text)
            if event.x < x:
                self.post_message(self.Pressed(key.action))
                return

    def _sign(self, key: Key) -> str:
        return sign_of(self, key.id)

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
