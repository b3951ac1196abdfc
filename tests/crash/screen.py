"""fwtui on a terminal of its own, with a user who goes on with what there is, starts and leaves."""

import contextlib
import fcntl
import os
import pty
import struct
import termios
import threading
import time
from pathlib import Path

from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    BatchSnapshot,
    JobsAdded,
    Phase,
    PhaseChanged,
)

SIZE = (30, 100)
# A key that had no effect for so long was pressed too early. Keys pressed twice do no harm: a
# batch that was started and paused is started again.
AGAIN_SECONDS = 10.0
LOOK_SECONDS = 0.1


class Screen:
    """A pseudo-terminal; everything shown on it is appended to `shown`."""

    def __init__(self, shown: Path, *, begins: bool) -> None:
        """`begins`: files were named, so jobs will come."""
        self._master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self._shown = shown
        self._begins = begins
        self._wanted = b""
        self._pressed = 0.0
        self._has_batch = self._resumed = False
        self._over = threading.Event()
        self._threads = [threading.Thread(target=t, daemon=True) for t in (self._read, self._press)]

    def open(self) -> None:
        """The program has its end of the terminal."""
        os.close(self.slave)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """The program is gone."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        os.close(self._master)

    def hear(self, event: AnyEvent) -> None:
        """Do what a user would do about it."""
        self._has_batch = True
        match event:
            case BatchSnapshot(jobs=()) if not self._begins:
                self._want(b"q")  # nothing left to do
            case BatchSnapshot(jobs=jobs) if jobs and self._resumed:
                self._wanted = b""  # it starts by itself
            case BatchSnapshot(jobs=jobs) if jobs:
                self._want(b"s")
            case JobsAdded():
                self._want(b"s")
            case PhaseChanged(phase=Phase.RUNNING):
                self._wanted = b""
            case PhaseChanged(phase=Phase.PAUSED):
                self._want(b"s")
            case BatchFinished():
                self._want(b"q")

    def _want(self, key: bytes) -> None:
        self._wanted, self._pressed = key, 0.0

    def _press(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            now = time.monotonic()
            if self._wanted and now - self._pressed > AGAIN_SECONDS:
                self._pressed = now
                with contextlib.suppress(OSError):  # the program is gone
                    os.write(self._master, self._wanted)

    def _read(self) -> None:
        tail = b""
        with self._shown.open("ab") as file, contextlib.suppress(OSError):
            while data := os.read(self._master, 1 << 16):
                file.write(data)
                tail = (tail + data)[-8192:]
                # It is drawn more than once; a second key would be one of the main screen.
                if b"nfinished session" in tail and not (self._has_batch or self._wanted):
                    self._resumed = True
                    self._want(b"r")
