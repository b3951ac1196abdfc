"""The screen's speed on a pseudo terminal: `python -m tests.benchmarks.ui_speed`.

`start` and `whole` measure the program itself, on folders of files and without a session. All else
is measured of the real application on a scripted batch (`ui_program.py`). Both run in a process of
their own, beside an empty Textual application in the same run, since machines are noisy: a ratio is
the median of those of each round, and in brackets that of the quickest tenths. Keys are written to
the terminal, and the time until the first byte that they cause is painted is taken; medians count.
"""

import argparse
import fcntl
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from fwtui.tui.controller import PROGRESS_TICK

MB = 2**20
QUIET = 0.03
PATIENCE = 40.0
FRAME = b"Transcript"
FIRST = b"part-0000001"
SCRIPTED = "tests.benchmarks.ui_program"
# An installed program has its modules compiled.
LEFT_OUT = {"COLUMNS", "LINES", "PYTHONDONTWRITEBYTECODE"}


class Terminal:
    """A program on a terminal of 120 x 40; notes when each piece of output came."""

    def __init__(self, module: str, *arguments: str, home: Path | None = None) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        kept = {name: text for name, text in os.environ.items() if name not in LEFT_OUT}
        if home is not None:
            places = ("STATE", "CACHE", "CONFIG")
            kept |= {f"FWTUI_{place}_DIR": str(home / place) for place in places}
        self.master = master
        self.pieces: list[tuple[float, bytes]] = []
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=kept | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_FPS": "120"},
            start_new_session=True,
        )
        os.close(slave)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.pieces.append((time.perf_counter(), data))

    def bytes_since(self, mark: int) -> int:
        return sum(len(data) for _, data in self.pieces[mark:])

    def wait_for(self, words: bytes) -> float:
        """When these words were painted, in seconds from the start."""
        ends = time.perf_counter() + PATIENCE
        while time.perf_counter() < ends:
            if (at := self._painted(0, words)) is not None:
                return at - self.began
            time.sleep(0.002)
        raise SystemExit(f"{words!r} was never painted")

    def pause(self, seconds: float = 0.01) -> None:
        """Let the program go on."""
        time.sleep(seconds)

    def settle(self, seconds: float = 0.5) -> None:
        """Until nothing was painted for a while."""
        while not self.pieces or time.perf_counter() - self.pieces[-1][0] < seconds:
            time.sleep(0.01)

    def key(self, key: bytes, paints: bytes = b"") -> float:
        """Milliseconds from a key to the first piece that it paints, in which these bytes are."""
        mark, began = len(self.pieces), time.perf_counter()
        os.write(self.master, key)
        while (first := self._painted(mark, paints)) is None:
            if time.perf_counter() - began > PATIENCE:
                raise SystemExit(f"the key {key!r} paints nothing")
            time.sleep(0.0002)
        while time.perf_counter() - self.pieces[-1][0] < QUIET:
            time.sleep(0.002)
        return (first - began) * 1000

    def _painted(self, mark: int, words: bytes) -> float | None:
        seen = b""
        for at, data in tuple(self.pieces)[mark:]:
            seen = seen[-200:] + data
            if words in seen:
                return at
        return None

    @property
    def processor(self) -> float:
        """Processor seconds used so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def memory(self) -> float:
        """Resident MB."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / MB

    def over(self, seconds: float) -> tuple[float, float]:
        """Percent of a core, and bytes a second, over some time in which nothing is pressed."""
        mark, used, began = len(self.pieces), self.processor, time.perf_counter()
        time.sleep(seconds)
        took = time.perf_counter() - began
        return 100 * (self.processor - used) / took, self.bytes_since(mark) / took

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@contextmanager
def program(*arguments: str, words: bytes = FIRST) -> Iterator[Terminal]:
    terminal = Terminal(SCRIPTED, *arguments)
    try:
        terminal.wait_for(words)
        if arguments[0] in {"rows", "empty"}:
            terminal.settle()
        else:  # it never is quiet
            terminal.pause(2)
        yield terminal
    finally:
        terminal.close()


def row(name: str, value: str, target: str = "") -> None:
    print(f"| {name} | {value} | {target} |", flush=True)


def spread(values: list[float]) -> str:
    ordered = sorted(values)
    worst = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"p50 {statistics.median(ordered):.1f} ms, p95 {worst:.1f} ms"


def tenth(values: list[float]) -> float:
    """The value that a tenth is below: a machine that others use too has slow moments."""
    return sorted(values)[len(values) // 10]


def folder_of(files: int, parent: Path) -> str:
    """A folder with so many files, empty ones: nothing looks into them before the first row."""
    folder = parent / f"{files}"
    folder.mkdir()
    for number in range(1, files + 1):
        (folder / f"part-{number:07}.mp3").touch()
    return str(folder)


def starts(rounds: int, many: int = 100_000) -> None:
    with tempfile.TemporaryDirectory() as made:
        parent = Path(made)
        kinds: dict[str, tuple[tuple[str, ...], tuple[bytes, ...]]] = {
            "an empty app": (("tests.benchmarks.empty_app",), (b"empty app",)),
            "the same without the collector": ((SCRIPTED, "empty"), (b"empty app",)),
            "fwtui alone": (("fwtui",), (FRAME,)),
            "10 files": (("fwtui", folder_of(10, parent)), (FRAME, FIRST)),
            f"{many:,} files": (("fwtui", folder_of(many, parent)), (FRAME, FIRST)),
        }
        times: dict[tuple[str, bytes], list[float]] = {}
        pressed: dict[str, list[float]] = {}
        for number in range(rounds):
            for name, (arguments, words) in kinds.items():
                terminal = Terminal(*arguments, home=parent / f"{name} {number}")
                # Bare Textual spins for ever when its terminal goes away.
                try:
                    for word in words:
                        times.setdefault((name, word), []).append(terminal.wait_for(word))
                    # The files come meanwhile: of all that is painted only this is the key's.
                    other = (b"\t", FRAME) if FRAME in words else (b"j", b"")
                    pressed.setdefault(name, []).append(terminal.key(*other))
                finally:
                    terminal.close()
    bases = times["an empty app", b"empty app"]
    for (name, word), values in times.items():
        ratio = statistics.median(value / base for value, base in zip(values, bases, strict=True))
        what = "to the first row" if word == FIRST else "to the first frame"
        quickest = tenth(values) / tenth(bases)
        said = f"{statistics.median(values) * 1000:.0f} ms = {ratio:.2f} x ({quickest:.2f} x)"
        row(f"start {what}, {name}", said, "1.2 x")
    for name, values in pressed.items():
        row(f"first key at that moment, painted, {name}", spread(values))


def whole(files: int, presses: int, seconds: float) -> None:
    """The program itself, its batch in the same process, on a folder of files."""
    name = f"the program with {files:,} files"
    counted = f"{files:,} files".encode()
    with tempfile.TemporaryDirectory() as made:
        parent = Path(made)
        terminal = Terminal("fwtui", folder_of(files, parent), home=parent / "home")
        try:
            row(f"{name}: all in the queue", f"{terminal.wait_for(counted):.1f} s")
            terminal.settle()
            down = [terminal.key(b"j" if n % 2 else b"k") for n in range(1, presses)]
            row(f"{name}: key", spread(down[1:]), "4 / 10 ms")
            row(f"{name}: memory", f"{terminal.memory:.0f} MB", "80 MB")
            terminal.settle()
            share, data = terminal.over(3 * seconds)
            said = f"{share:.1f} % of a core, {data:.0f} bytes/s"
            row(f"{name}: idle", said, "0.5 %, 250 bytes/s")
            for key in (b"/", b"9", b"8", b"\x1b"):
                terminal.key(key)
            terminal.settle()  # after an escape Textual waits for the rest of a sequence
            terminal.key(b"o")
            row(f"{name}: memory after a filter and a sort", f"{terminal.memory:.0f} MB")
            terminal.process.terminate()  # the session is saved
            terminal.process.wait()
        finally:
            terminal.close()
        terminal = Terminal("fwtui", home=parent / "home")
        try:
            terminal.wait_for(b"Resume")
            terminal.settle()
            terminal.key(b"\r")
            terminal.wait_for(b"files left")
            terminal.settle(2)
            row(f"{name}: memory after a resume", f"{terminal.memory:.0f} MB")
        finally:
            terminal.close()


def keys(rows: int, presses: int, base: float) -> None:
    with program("rows", str(rows)) as terminal:
        down = [terminal.key(b"j" if n % 2 else b"k") for n in range(1, presses)]
        ratio = f" = {statistics.median(down[1:]) / base:.2f} x"
        row(f"{rows:,} rows: key", spread(down[1:]) + ratio, "4 / 10 ms")
        pages = [terminal.key(b"\x1b[6~") for _ in range(presses // 2)]
        pages += [terminal.key(end) for _ in range(presses // 4) for end in (b"G", b"g")]
        ratio = f" = {statistics.median(pages) / base:.2f} x"
        row(f"{rows:,} rows: page, home, end", spread(pages) + ratio, "8 / 15 ms")
        wanted = "80 MB" if rows <= 100_000 else ""
        row(f"{rows:,} rows: memory", f"{terminal.memory:.0f} MB", wanted)
        terminal.key(b"/")
        typed = [terminal.key(letter) for letter in (b"9", b"8", b"7", b"\x7f", b"6", b"\x7f")]
        row(f"{rows:,} rows: filter keystroke", spread(typed), "50 ms")
        terminal.key(b"\x1b")
        terminal.settle(0.5)  # after an escape Textual waits for the rest of a sequence
        sorts = [terminal.key(b"o") for _ in range(10)]
        row(f"{rows:,} rows: sort", spread(sorts), "100 ms")


def empty_keys(presses: int) -> float:
    """Milliseconds of a key, to compare with."""
    with program("empty", words=b"empty app") as terminal:
        pressed = [terminal.key(b"j") for _ in range(presses)]
        row("empty app: key", spread(pressed))
        row("empty app: memory", f"{terminal.memory:.0f} MB")
        share, data = terminal.over(5)
        row("empty app: idle", f"{share:.1f} % of a core, {data:.0f} bytes/s")
    return statistics.median(pressed)


def loads(seconds: float) -> None:
    with program("empty", "10", words=b"empty app") as terminal:
        time.sleep(1)
        base, data = terminal.over(seconds)
        row("empty app: another text at 10 Hz", f"{base:.1f} % of a core, {data:.0f} bytes/s")
    with program("rows", "100000") as terminal:
        share, data = terminal.over(seconds)
        row("idle", f"{share:.1f} % of a core, {data:.0f} bytes/s", "0.5 %, 250 bytes/s")
    with program("running", "100000") as terminal:
        share, data = terminal.over(seconds)
        said = f"{share:.1f} % of a core = {share / base:.2f} x, {data:.0f} bytes/s"
        row("two rows told at 10 Hz", said, "2 %, 4 kB/s")
        row("one row's update", f"{data * PROGRESS_TICK / 2:.0f} bytes", "250 bytes")
    with program("flood", "100000") as terminal:
        share, _ = terminal.over(seconds)
        row("10,000 events/s: processor", f"{share:.0f} % of a core", "25 %")
        down = [terminal.key(b"j" if n % 2 else b"k") for n in range(1, 60)]
        row("10,000 events/s: key", spread(down), "p95 20 ms")
    with program("log", "10", words=b"lines a second") as terminal:
        terminal.settle(0.2)
        text = b"".join(data for _, data in terminal.pieces).decode(errors="replace")
        told = text[: text.rindex("lines a second")].rpartition("<")[2]
        row("log", told + "lines/s", "100,000 lines/s, 50 ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--presses", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("parts", nargs="*", default=["start", "whole", "keys", "loads"])
    arguments = parser.parse_args()
    print("| what | measured | target |\n|---|---|---|")
    if "start" in arguments.parts:
        starts(arguments.rounds)
    if "whole" in arguments.parts:
        whole(10, arguments.presses, arguments.seconds)
        whole(100_000, arguments.presses, arguments.seconds)
    if "keys" in arguments.parts:
        base = empty_keys(arguments.presses)
        keys(100_000, arguments.presses, base)
        keys(1_000_000, arguments.presses // 2, base)
    if "loads" in arguments.parts:
        loads(arguments.seconds)


if __name__ == "__main__":
    main()
