"""The log: a bounded tail of lines, drawn once a tick however many came."""

from collections import deque
from itertools import islice
from typing import ClassVar

from textual.binding import BindingType
from textual.strip import Strip

from fwtui.core.events import Level, LogLine
from fwtui.tui.formatting import clean
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.model import BatchModel
from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.paint import Piece

LEVELS = (Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR)
SIDE_STEP = 16
_WORDS: dict[Level, Piece] = {
    Level.DEBUG: ("debug ", "dim"),
    Level.INFO: ("", "plain"),
    Level.WARNING: ("warning ", "warn"),
    Level.ERROR: ("ERROR ", "bad"),
}
_INKS = {
    Level.DEBUG: "dim",
    Level.INFO: "plain",
    Level.WARNING: "warn",
    Level.ERROR: "bad",
}


class LogView(LineView):
    """The model's log lines from `level` on."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("log")

    def __init__(self, model: BatchModel, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id, tail=True)
        self.model = model
        self.level = Level.INFO
        self.needle = ""
        self.side = 0
        self._shown: deque[LogLine] = deque(maxlen=model.log.maxlen)
        self._seen = 0

    def update(self) -> None:
        """Take in the lines that are new since the last call."""
        new, self._seen = self.model.log_count - self._seen, self.model.log_count
        lines = self.model.log
        wanted = LEVELS[LEVELS.index(self.level) :]
        fresh = islice(lines, max(0, len(lines) - new), None)
        added = [entry for entry in fresh if entry.level in wanted]
        if self.needle:
            added = [entry for entry in added if self.needle in entry.text.casefold()]
        lost = max(0, len(self._shown) + len(added) - (self._shown.maxlen or 0))
        self._shown.extend(added)
        if not self.tail:
            # The oldest lines fell out: what the user reads must stay where it is.
            self.top = max(0, self.top - lost)
        if added or not lines:
            self.changed()

    def count(self) -> int:
        """The number of lines shown."""
        return len(self._shown)

    def line(self, index: int, cells: int) -> Strip:
        entry = self._shown[index]
        pieces: list[Piece] = [
            (f" {entry.at:%H:%M:%S}  ", "dim"),
            _WORDS[entry.level],
            (clean(entry.text), _INKS[entry.level]),
        ]
        if not self.side:
            return self.strip(pieces, cells)
        return self.strip(pieces, cells + self.side).crop(self.side, cells + self.side)

    def action_side(self, cells: int) -> None:
        self.side = max(0, min(self.side + cells * SIDE_STEP, 4096))
        self.refresh()

    def action_level(self) -> None:
        self.level = LEVELS[(LEVELS.index(self.level) + 1) % len(LEVELS)]
        self._again()

    def set_filter(self, needle: str) -> None:
        """Show only lines that have this text."""
        self.needle = needle.strip().casefold()
        self._again()

    def _again(self) -> None:
        self._shown.clear()
        self._seen = self.model.log_count - len(self.model.log)
        self.tail = True
        self.update()
        self.changed()
        self.post_message(self.TailChanged())

    def text(self) -> str:
        """The lines shown, for the clipboard."""
        return "\n".join(f"{li.at:%H:%M:%S} {li.level:<7} {clean(li.text)}" for li in self._shown)
