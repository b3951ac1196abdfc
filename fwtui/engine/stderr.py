"""Standard error of an engine: keeps the last lines and passes lines on at a limited rate."""

import time
from collections import deque
from collections.abc import Callable
from typing import IO

TAIL_LINES = 40
LINE_BYTES = 4096  # longer lines are passed on in pieces
# A library that complains once per token must not drown everything else, but the stacks of all
# threads of a stalled engine, some hundred lines at once, must get through.
LINES_PER_SECOND = 100
BURST_LINES = 1000


class StderrTail:
    """Drains an engine's stderr; `on_line` is called in the draining thread."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._credit = float(BURST_LINES)
        self._seen = time.monotonic()
        self._dropped = 0
        self.lines = 0

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines, including those that were not passed on."""
        return tuple(self._tail)

    def drain(self, stream: IO[bytes]) -> None:
        """Read to the end, until the engine and all that inherited its stderr have exited."""
        while raw := stream.readline(LINE_BYTES):
            line = raw.decode(errors="replace").rstrip()
            self.lines += 1
            self._tail.append(line)
            self._pass_on(line)
        self._report_dropped()

    def _pass_on(self, line: str) -> None:
        now = time.monotonic()
        earned = (now - self._seen) * LINES_PER_SECOND
        self._seen, self._credit = now, min(BURST_LINES, self._credit + earned)
        if self._credit < (LINES_PER_SECOND if self._dropped else 1):
            self._dropped += 1
            return
        self._credit -= 1
        self._report_dropped()
        self._on_line(line)

    def _report_dropped(self) -> None:
        if self._dropped:
            self._on_line(f"... and {self._dropped} more lines")
            self._dropped = 0
