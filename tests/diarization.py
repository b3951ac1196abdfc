"""How right turns are: the diarization error rate on a grid of 10 ms, overlap scored."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Span = tuple[float, float, str]
Grid = npt.NDArray[np.bool_]


class Errors(NamedTuple):
    """Seconds of speech (each speaker's counted), missed, false, and given to another speaker."""

    speech: float
    missed: float
    false: float
    confused: float

    @property
    def rate(self) -> float:
        """The diarization error rate."""
        return (self.missed + self.false + self.confused) / self.speech if self.speech else 0.0


def total(errors: Iterable[Errors]) -> Errors:
    """The errors of several recordings together."""
    return Errors(*map(sum, zip(*errors, strict=True)))


def read_rttm(path: Path) -> dict[str, list[Span]]:
    """Begin, end and speaker of each turn, by recording."""
    found: dict[str, list[Span]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, recording, _, start, seconds, _, _, speaker, *_ = line.split()
        if kind == "SPEAKER":
            end = float(start) + float(seconds)
            found.setdefault(recording, []).append((float(start), end, speaker))
    return found


def score(
    truth: Sequence[Span], found: Sequence[Span], seconds: float, collar: float = 0.0
) -> Errors:
    """The errors of `found`, without `collar` seconds on each side of the true borders."""
    frames = round(seconds * 100)
    kept = np.ones(frames, bool)
    if collar:
        for start, end, _ in truth:
            for edge in (start, end):
                kept[max(0, round((edge - collar) * 100)) : round((edge + collar) * 100)] = False
    right, told = _grid(truth, frames)[kept], _grid(found, frames)[kept]
    together = right.T.astype(np.int64) @ told.astype(np.int64)
    spoken, said = right.sum(1), told.sum(1)
    missed = np.maximum(0, spoken - said).sum()
    false = np.maximum(0, said - spoken).sum()
    confused = np.minimum(spoken, said).sum() - _best(together)
    return Errors(*(float(count) / 100 for count in (spoken.sum(), missed, false, confused)))


def _grid(spans: Sequence[Span], frames: int) -> Grid:
    names = sorted({speaker for _, _, speaker in spans})
    grid = np.zeros((frames, len(names)), bool)
    for start, end, speaker in spans:
        grid[round(start * 100) : round(end * 100), names.index(speaker)] = True
    return grid


def _best(together: npt.NDArray[np.int64]) -> int:
    """The most frames that agree, over all ways to give each found speaker one true one."""
    if together.shape[0] > together.shape[1]:
        together = together.T
    rows, columns = together.shape

    @cache
    def best(row: int, taken: int) -> int:
        if row == rows:
            return 0
        free = [column for column in range(columns) if not taken >> column & 1]
        pairs = (int(together[row, c]) + best(row + 1, taken | 1 << c) for c in free)
        return max(pairs, default=0)

    return best(0, 0)
