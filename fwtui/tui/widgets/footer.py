"""The bottom line: the keys that do something now, as many as fit."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from textual import events
from textual.message import Message
from textual.strip import Strip

from fwtui.tui.formatting import width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import active_key
from fwtui.tui.keys import Key, footer_keys
from fwtui.tui.widgets.paint import InkWidget, Piece


class _Hint(NamedTuple):
    key: Key
    sign: str
    text: str

    @property
    def cells(self) -> int:
        return width(self.sign) + width(self.text) + 3


class Footer(InkWidget):
    """Keys and labels, those of the focused pane first; a click runs the action.

    `pane` gives the pane that has the focus; `labels` other labels for some keys by id, or None to
    hide a key.
    """

    class Pressed(Message):
        """A hint was clicked."""

        def __init__(self, key: Key) -> None:
            super().__init__()
            self.key = key

    def __init__(
        self,
        glyphs: Glyphs,
        pane: Callable[[], str],
        labels: Callable[[], Mapping[str, str | None]],
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(glyphs, id=id)
        self._pane = pane
        self._labels = labels
        self._signs: list[tuple[Key, str]] | None = None
        self._hints: list[_Hint] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, _: object) -> None:
        self._signs = None
        self.update()

    def update(self) -> None:
        """Redraw if other keys do something now."""
        if self._signs is None:
            active = self.screen.active_bindings
            found = [(key, active_key(self, key, active)) for key in footer_keys(self._pane())]
            self._signs = [(key, sign) for key, sign in found if sign is not None]
        labels = self._labels()
        labelled = [(key, sign, labels.get(key.id, key.label)) for key, sign in self._signs]
        hints = [_Hint(key, sign, text) for key, sign, text in labelled if text is not None]
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        pieces: list[Piece] = []
        for hint in self._fitting():
            pieces.append((f" {hint.sign}", "key"))
            pieces.append((f" {hint.text} ", "dim"))
        return self.strip(pieces, self.size.width)

    def on_click(self, event: events.Click) -> None:
        x = 0
        for hint in self._fitting():
            x += hint.cells
            if event.x < x:
                self.post_message(self.Pressed(hint.key))
                return

    def _fitting(self) -> list[_Hint]:
        always = [hint for hint in self._hints if hint.key.pinned]
        room = self.size.width - sum(hint.cells for hint in always)
        kept: list[_Hint] = []
        for hint in self._hints:
            if hint.key.pinned:
                continue
            room -= hint.cells
            if room < 0:
                break
            kept.append(hint)
        return kept + always
