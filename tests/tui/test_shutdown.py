"""Signals and a terminal that goes away, with a real process on a real terminal."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fwtui.config.locations import Locations

PATIENCE = 60.0
LEAVES_ALTERNATE_SCREEN = b"\x1b[?1049l"
PROGRAM = "import sys; from fwtui.cli.main import main; sys.exit(main())"


class Terminal:
    """The program on a pseudo-terminal of 80x24."""

    def __init__(self, folder: Path) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
        )
        os.close(slave)
        self.output = b""

    def read_until(self, mark: bytes) -> None:
        deadline = time.monotonic() + PATIENCE
        while mark not in self.output:
            ready, _, _ = select.select([self.master], [], [], deadline - time.monotonic())
            assert ready, self.output[-2000:]
            try:
                self.output += os.read(self.master, 65536)
            except OSError:
                break
        assert mark in self.output

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.master >= 0:
            os.close(self.master)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_restores_the_terminal_and_ends(terminal: Terminal, number: int) -> None:
    terminal.read_until(b"Nothing in the queue yet")
    os.kill(terminal.process.pid, number)
    terminal.read_until(LEAVES_ALTERNATE_SCREEN)
    assert terminal.process.wait(PATIENCE) == 0
    assert not list(Locations.default().sessions.glob("*.json"))


def test_a_terminal_that_goes_away_ends_the_program(terminal: Terminal) -> None:
    terminal.read_until(b"Nothing in the queue yet")
    terminal.hang_up()
    terminal.process.wait(PATIENCE)
    assert not list(Locations.default().sessions.glob("*.json"))
