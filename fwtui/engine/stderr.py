"""What an engine child writes to stderr: its last lines kept, the rest passed on in moderation."""

import time
from collections import deque
from collections.abc import Callable
from typing import IO

TAIL_LINES = 40
LINE_BYTES = 4096  # longer ones are passed on in pieces
# A library that complains once per token must not drown everything else, but the stacks of all
# threads, some hundred lines at once, are what a stalled engine is judged by.
LINES_PER_SECOND = 100
BURST_LINES = 1000


class LastWords:
    """Drains a child's stderr, whatever comes; `on_line` is called in the draining thread."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._credit = float(BURST_LINES)
        self._seen = time.monotonic()
        self._left_out = 0
        self.lines = 0

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines, also of those that were not passed on."""
        return tuple(self._tail)

    def drain(self, stream: IO[bytes]) -> None:
        """Read to the end; returns when the child and all that inherited its stderr are gone."""
        while raw := stream.readline(LINE_BYTES):
            line = raw.decode(errors="replace").rstrip()
            self.lines += 1
            self._tail.append(line)
            self._pass_on(line)
        self._tell_left_out()

    def _pass_on(self, line: str) -> None:
        now = time.monotonic()
        earned = (now - self._seen) * LINES_PER_SECOND
        self._seen, self._credit = now, min(BURST_LINES, self._credit + earned)
        if self._credit < (LINES_PER_SECOND if self._left_out else 1):
            self._left_out += 1
            return
        self._credit -= 1
        self._tell_left_out()
        self._on_line(line)

    def _tell_left_out(self) -> None:
        if self._left_out:
            self._on_line(f"... and {self._left_out} lines more")
            self._left_out = 0
