"""Memory of the machine, of fwtui's processes, and of each GPU."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.strip import Strip

from fwtui.core.events import GpuReading, MemoryReading
from fwtui.core.job import Job, Processing
from fwtui.tui.formatting import clean, fit, fit_right, fraction, memory_size, shown_name, width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.model import BatchModel
from fwtui.tui.widgets.paint import LinesPanel, Mark, Piece, bar

WARN_SHARE = 0.75
BAD_SHARE = 0.90
LABEL = 8
NUMBERS = 19
MOST_GRAPH_ROWS = 6
FEWEST_GRAPH_ROWS = 3  # to say where it begins


class MemoryView(LinesPanel, can_focus=True):
    """Bars, and the curve of fwtui's own memory: from near its lowest value, or from 0."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("memory")

    def __init__(self, model: BatchModel, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id)
        self.model = model
        self.from_zero = False

    def action_zero(self) -> None:
        before = self._drawn
        self.from_zero = not self.from_zero
        self.update()
        self.refresh_bindings()
        if self._drawn == before:
            self.notify("The curve begins at 0 already", timeout=2)

    def draw(self) -> list[Strip]:
        return [self.strip(pieces, self.size.width) for pieces in self._pieces()]

    def text(self) -> str:
        """The figures, for the clipboard."""
        reading = self.model.memory
        if reading is None:
            return ""
        gpus = (self._gpu(gpu, with_load=True) for gpu in reading.gpus)
        bars = [self._machine(reading), self._ours(reading), *gpus]
        return "\n".join(f"{bar[0][0].strip()}: {bar[-1][0].strip()}" for bar in bars)

    def _pieces(self) -> list[list[Piece]]:
        reading = self.model.memory
        if reading is None:
            return [[(" not measured yet", "dim")]]
        lines = [self._machine(reading), self._ours(reading)]
        roomy = self.size.height >= len(lines) + 2 * len(reading.gpus) + 3
        for gpu in reading.gpus:
            lines.append(self._gpu(gpu, with_load=not roomy))
            if roomy:
                lines.append(self._load(gpu))
        lines.extend(self._engines()[: max(0, self.size.height - len(lines))])
        room = self.size.height - len(lines)
        if room > 2:
            lines.append([])
            room -= 1
        if room > 0:
            lines.extend(self._graph(min(MOST_GRAPH_ROWS, room)))
        return lines

    def _bar(
        self, label: str, share: float, numbers: str, ink: str, marks: Sequence[Mark] = ()
    ) -> list[Piece]:
        cells = self.size.width - 3 - LABEL - NUMBERS
        return [
            (" " + fit(label, LABEL), "plain"),
            *bar(share, cells, self.glyphs, ink, marks),
            (fit_right(numbers, NUMBERS + 1), "dim" if ink == "primary" else ink),
        ]

    def _machine(self, reading: MemoryReading) -> list[Piece]:
        total = reading.capacity
        used = min(reading.system_used, total)
        if reading.cgroup_limit is not None and reading.available:
            used = max(0.0, total - reading.available)
        share = fraction(used, total)
        label = "System" if reading.cgroup_limit is None else "Limit"
        return self._bar(label, share, _of(used, total), _ink(share))

    def _ours(self, reading: MemoryReading) -> list[Piece]:
        total = reading.capacity
        signs = self.glyphs
        marks: list[Mark] = [(fraction(reading.peak_rss, total), signs.peak, "dim")]
        if reading.warn is not None:
            marks.append((fraction(reading.warn, total), signs.mark, "warn"))
        if reading.limit is not None:
            marks.append((fraction(reading.limit, total), signs.mark, "bad"))
        numbers = f"{memory_size(reading.rss)}, peak {memory_size(reading.peak_rss)}"
        numbers = numbers.replace(" GB,", ",", 1)
        return self._bar("fwtui", fraction(reading.rss, total), numbers, ours_ink(reading), marks)

    def _gpu(self, gpu: GpuReading, *, with_load: bool) -> list[Piece]:
        share = fraction(gpu.used, gpu.total)
        numbers = _of(gpu.used, gpu.total)
        if with_load and width(numbers) + len(" 100%") > NUMBERS + 1:
            numbers = f"{gpu.used / 1024:.0f} of {gpu.total / 1024:.0f} GB"
        if with_load:
            numbers += fit_right(f" {gpu.utilisation:.0f}%", NUMBERS + 1 - width(numbers))
        return self._bar(f"GPU {gpu.index}", share, numbers, _ink(share))

    def _load(self, gpu: GpuReading) -> list[Piece]:
        degrees = "" if gpu.temperature is None else f"{gpu.temperature:.0f} \u00b0C  "
        if self.glyphs.ascii:
            degrees = degrees.replace("\u00b0", "")
        numbers = f"{degrees}load {gpu.utilisation:3.0f}%"
        return self._bar("", fraction(gpu.utilisation, 100.0), numbers, "primary")

    def _engines(self) -> list[list[Piece]]:
        """What each engine does, if there are several."""
        if len(self.model.engines) < 2:
            return []
        work = self._work()
        lines: list[list[Piece]] = []
        for slot, info in sorted(self.model.engines.items()):
            job, speed = work.get(slot, (None, 0.0))
            name = "waiting for a file" if job is None else shown_name(job.path)
            factor = f" {speed:.1f}{self.glyphs.times}" if speed else ""
            cells = self.size.width - 2 - LABEL - len(factor)
            label = f"{clean(info.device)} {slot + 1}"
            ink = "dim" if job is None else "plain"
            lines.append(
                [(" " + fit(label, LABEL), "plain"), (fit(name, cells), ink), (factor, "dim")]
            )
        return lines

    def _work(self) -> dict[int, tuple[Job, float]]:
        """The file that each slot is transcribing, and its speed."""
        found: dict[int, tuple[Job, float]] = {}
        for number in self.model.running:
            job, progress = self.model.jobs[number], self.model.progress.get(number)
            state = job.state
            if isinstance(state, Processing) and not state.preparing and state.slot not in found:
                found[state.slot] = job, progress.speed if progress is not None else 0.0
        return found

    def _graph(self, rows: int) -> list[list[Piece]]:
        cells = self.size.width - 3 - LABEL
        values = list(self.model.memory_history)[-cells:]
        if cells <= 0 or not values:
            return []
        most, least = max(values), min(values)
        # The curve is there to show changes, if there is room to say where it begins.
        whole = self.from_zero or rows < FEWEST_GRAPH_ROWS
        floor = 0.0 if whole else max(0.0, least - max(most - least, most * 0.05) / 3)
        steps = len(self.glyphs.levels) - 1
        scale = rows * steps / ((most - floor) or 1.0)
        heights = [max(1, round((value - floor) * scale)) for value in values]
        pad = " " * (cells - len(values))
        labels = {0: "0" if floor == 0 else _precise(floor), rows - 1: _precise(most)}
        if floor > 0:
            labels[1] = "from"  # the line below: it does not start at 0
        lines: list[list[Piece]] = []
        for row in range(rows - 1, -1, -1):
            text = "".join(
                self.glyphs.levels[max(0, min(steps, height - row * steps))] for height in heights
            )
            label = labels.get(row, "")
            lines.append([(" " + fit(label, LABEL), "dim"), (pad + text, "curve")])
        return lines


def ours_ink(reading: MemoryReading) -> str:
    """The ink by the memory limits if there are any, else by the share of all memory."""
    if reading.limit is not None and reading.rss >= reading.limit:
        return "bad"
    if reading.warn is not None:
        return "warn" if reading.rss >= reading.warn else "primary"
    return _ink(fraction(reading.rss, reading.capacity))


def _ink(share: float) -> str:
    if share >= BAD_SHARE:
        return "bad"
    return "warn" if share >= WARN_SHARE else "primary"


def _precise(megabytes: float) -> str:
    """A value beside the curve, whose ends may be near each other."""
    if megabytes < 9999.5:
        return f"{megabytes:.0f} MB"
    return f"{megabytes / 1024:.2f} GB" if megabytes < 100_000 else memory_size(megabytes)


def _of(used: float, total: float) -> str:
    return f"{used / 1024:.1f} of {total / 1024:.1f} GB"
