"""A value over time in bounded memory, and how a batch went: no clock of its own, no Textual."""

from collections.abc import Callable
from datetime import datetime
from itertools import zip_longest

from fwtui.core.events import MemoryPoint, MemoryReading, Phase

MOST_POINTS = 512


class Curve:
    """The highest value of each of at most `most` equal spans of time, however long it takes."""

    def __init__(self, most: int = MOST_POINTS) -> None:
        self.step = 1.0
        self.values: list[float] = []
        self._most = most

    def add(self, seconds: float, value: float) -> None:
        """A value at `seconds` after the start; times do not go back."""
        index = self._index(seconds)
        while index >= self._most:
            pairs = zip_longest(self.values[::2], self.values[1::2], fillvalue=0.0)
            self.values = [max(pair) for pair in pairs]
            self.step *= 2
            index = self._index(seconds)
        missing = index + 1 - len(self.values)
        if missing > 0:
            # Nobody measured in between: it was what it was before.
            before = self.values[-1] if self.values else value
            self.values += [*[before] * (missing - 1), value]
        else:
            self.values[-1] = max(self.values[-1], value)

    def _index(self, seconds: float) -> int:
        return max(0, len(self.values) - 1, int(seconds / self.step))

    @property
    def seconds(self) -> float:
        """The time it covers."""
        return len(self.values) * self.step


class BatchHistory:
    """When the batch began and ended, and its memory meanwhile; `now` is the clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.began: datetime | None = None
        self._forget()

    def _forget(self) -> None:
        self.ended: datetime | None = None
        self.peak = 0.0
        self.memory = Curve()

    def changed(self, before: Phase, phase: Phase) -> None:
        """The batch goes from one phase to another."""
        if before is Phase.IDLE and phase is not Phase.IDLE:
            self._forget()
            self.began = self.now()
        elif phase is Phase.IDLE and self.began is not None:
            self.ended = self.now()

    def sample(self, reading: MemoryReading) -> None:
        """Keep a reading, while the batch is at work."""
        if self.began is not None and self.ended is None:
            self.memory.add((self.now() - self.began).total_seconds(), reading.rss)
            self.peak = max(self.peak, reading.peak_rss)

    @property
    def points(self) -> tuple[MemoryPoint, ...]:
        """The curve of the memory."""
        step = self.memory.step
        return tuple(MemoryPoint(at * step, rss) for at, rss in enumerate(self.memory.values))
