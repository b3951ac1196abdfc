"""Memory: the machine's, our processes', each GPU's."""

from textual.geometry import Region
from textual.strip import Strip

from fwtui.core.events import GpuReading, MemoryReading
from fwtui.tui import format as fmt
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.model import BatchModel
from fwtui.tui.text import clean, fit, fit_right
from fwtui.tui.widgets.paint import Painted, Piece, bar

WARN_SHARE = 0.75
BAD_SHARE = 0.90
LABEL = 8
NUMBERS = 19
MOST_GRAPH_ROWS = 4


class MemoryView(Painted, can_focus=True):
    """Bars and the curve of our own memory; only lines that look different are drawn again."""

    def __init__(self, model: BatchModel, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id)
        self.model = model
        self._lines: list[list[Piece]] = []

    def update(self) -> None:
        """Look at the model; draw the lines that changed."""
        before, self._lines = self._lines, self._draw()
        for y in range(max(len(before), len(self._lines))):
            if before[y : y + 1] != self._lines[y : y + 1]:
                self.refresh(Region(0, y, self.size.width, 1))

    def on_resize(self) -> None:
        """Everything has another width."""
        self._lines = self._draw()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of bars or curve."""
        pieces = self._lines[y] if y < len(self._lines) else []
        return self.strip(pieces, self.size.width)

    def _draw(self) -> list[list[Piece]]:
        reading = self.model.memory
        if reading is None:
            return [[(" not measured yet", "dim")]]
        lines = [self._machine(reading), self._ours(reading)]
        lines.extend(self._gpu(gpu) for gpu in reading.gpus)
        room = self.size.height - len(lines)
        if room > 1:
            lines.append([])
            room = min(MOST_GRAPH_ROWS, room - 1)
        if room > 0:
            lines.extend(self._graph(room))
        return lines

    def _bar(self, label: str, share: float, numbers: str, ink: str) -> list[Piece]:
        cells = self.size.width - 3 - LABEL - NUMBERS
        return [
            (" " + fit(label, LABEL), "plain"),
            *bar(share, cells, self.glyphs, ink),
            (fit_right(numbers, NUMBERS + 1), "dim" if ink == "primary" else ink),
        ]

    def _machine(self, reading: MemoryReading) -> list[Piece]:
        share = fmt.share(reading.system_used, reading.system_total)
        return self._bar(
            "System", share, _of(reading.system_used, reading.system_total), _ink(share)
        )

    def _ours(self, reading: MemoryReading) -> list[Piece]:
        share = fmt.share(reading.rss, reading.system_total)
        numbers = f"{fmt.memory(reading.rss)}, peak {fmt.memory(reading.peak_rss)}"
        return self._bar("fwtui", share, numbers.replace(" GB,", ",", 1), _ink(share))

    def _gpu(self, gpu: GpuReading) -> list[Piece]:
        share = fmt.share(gpu.used, gpu.total)
        name = clean(gpu.name)
        numbers = f"{_of(gpu.used, gpu.total)} {gpu.utilisation:3.0f}%"
        return self._bar(f"GPU {gpu.index}" if name else "GPU", share, numbers, _ink(share))

    def _graph(self, rows: int) -> list[list[Piece]]:
        cells = self.size.width - 3 - LABEL
        values = list(self.model.memory_history)[-cells:]
        if cells <= 0 or not values:
            return []
        most, least = max(values), min(values)
        # From somewhat below the least: changes are what the curve is for. The labels say so.
        floor = max(0.0, least - max(most - least, most * 0.05) / 3)
        steps = len(self.glyphs.levels) - 1
        scale = rows * steps / ((most - floor) or 1.0)
        heights = [max(1, round((value - floor) * scale)) for value in values]
        pad = " " * (cells - len(values))
        lines: list[list[Piece]] = []
        for row in range(rows - 1, -1, -1):
            text = "".join(
                self.glyphs.levels[max(0, min(steps, height - row * steps))] for height in heights
            )
            label = fmt.memory(most) if row == rows - 1 else fmt.memory(floor) if row == 0 else ""
            lines.append([(" " + fit(label, LABEL), "dim"), (pad + text, "curve")])
        return lines


def _ink(share: float) -> str:
    if share >= BAD_SHARE:
        return "bad"
    return "warn" if share >= WARN_SHARE else "primary"


def _of(used: float, total: float) -> str:
    return f"{used / 1024:.1f} of {total / 1024:.1f} GB"
