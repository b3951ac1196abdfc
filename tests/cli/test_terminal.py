"""`fwtui demo` on a real terminal, driven through tmux, to the end."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from fwtui import demo
from tests.batch.driver import MINUTE
from tests.cli.test_run import QUICK, Running, Undisturbed, contents
from tests.terminal import Terminal
from tests.tui.test_cell_widths import CLUSTERS, counted

pytestmark = pytest.mark.terminal

MARK = "the-end"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[[str], Terminal]]:
    """Starts commands in terminals; ends them after the test."""
    started: list[Terminal] = []

    def start(command: str, size: tuple[int, int] = (100, 30)) -> Terminal:
        started.append(Terminal(tmp_path / f"tmux{len(started)}", command, size))
        return started[-1]

    yield start
    for one in started:
        one.close()


def program(*arguments: str | Path, module: str = "fwtui") -> str:
    """A shell command line that runs fwtui, then shows its exit code until the window closes."""
    words = shlex.join(str(word) for word in (sys.executable, "-m", module, *arguments))
    return f"{words}; echo {MARK} $?; exec cat"


def has_all(*words_and_text: str) -> bool:
    """Whether the last text has all the words before it."""
    *words, text = words_and_text
    return all(word in text for word in words)


def has_ended(text: str) -> bool:
    """Whether the exit code is there, and the line is whole."""
    return re.search(rf"{MARK} \d+\n", text) is not None


def test_the_demo_runs_to_its_end(terminal: Callable[[str], Terminal], tmp_path: Path) -> None:
    clips = len(demo.clips())
    screen = terminal(program("demo", "--output_dir", tmp_path / "out"))
    screen.wait_for(lambda text: "all done" in text and f"{clips} done" in text)
    screen.press("q")
    last = screen.wait_for(lambda text: f"{MARK} 0" in text)
    assert "word accuracy:" in last
    assert "\x1b" not in last
    for clip in demo.clips():
        assert (tmp_path / "out" / f"{clip.stem}.txt").is_file()


def test_progress_is_one_line_that_is_drawn_over(
    terminal: Callable[[str], Terminal], tmp_path: Path
) -> None:
    screen = terminal(program("demo", "--headless", "--output_dir", tmp_path / "out"))
    last = screen.wait_for(lambda text: f"{MARK} 0" in text)
    assert "started" not in last
    assert "preparing" not in last
    assert "█" not in last


def test_ctrl_c_stops_and_tells_how_to_go_on(
    terminal: Callable[[str], Terminal], tmp_path: Path
) -> None:
    command = program("run", MINUTE, *QUICK, "-o", tmp_path / "out", module="tests.patient")
    screen = terminal(command)
    screen.wait_for(lambda text: "× real time" in text)
    screen.press("C-c")
    last = screen.wait_for(has_ended)
    assert f"{MARK} 3" in last, last
    assert "to resume: fwtui run --resume " in last


def test_a_killed_batch_is_resumed_on_the_screen_with_the_same_files(
    terminal: Callable[[str], Terminal], tmp_path: Path, undisturbed: Undisturbed
) -> None:
    clip, out = demo.clips()[-1], tmp_path / "out"
    running = Running(clip, *QUICK, "-o", out, patient=True)
    running.until_segments()
    os.killpg(running.process.pid, signal.SIGKILL)
    running.end()

    screen = terminal(program("-o", tmp_path / "elsewhere"))
    fields = ("Session ID", "Created", "Model", "Total files", "Done", "Failed", clip.name)
    screen.wait_for(partial(has_all, "Unfinished session found", *fields, "Resume"))
    screen.press("r")
    screen.wait_for(lambda text: "all done" in text)
    screen.press("q")
    screen.wait_for(lambda text: f"{MARK} 0" in text)
    assert contents(out) == undisturbed(clip)


def test_from_a_typed_path_over_pause_and_quit_to_the_end(
    terminal: Callable[[str], Terminal], tmp_path: Path
) -> None:
    media, out = tmp_path / "my talks", tmp_path / "out"
    media.mkdir()
    for name in ("one", "two"):
        shutil.copy(MINUTE, media / f"{name}{MINUTE.suffix}")
    screen = terminal(program(*QUICK, "-o", out, "-f", "txt", module="tests.patient"))
    screen.wait_for(lambda text: "Nothing in the queue yet" in text)
    screen.press("a")
    screen.wait_for(lambda text: "Add files" in text)
    screen.press("-l", str(media).replace(" ", "\\ "))
    screen.wait_for(lambda text: "Add 2 files" in text and "total" in text)
    screen.press("Enter")
    screen.wait_for(lambda text: "2 left" in text)
    # The engine waits inside of each file until it is asked to pause.
    for done in (0, 1):
        screen.press("s")
        screen.wait_for(partial(has_all, f"{done} done", "live"))
        screen.wait_for(lambda text: re.search(r"\d\d:\d\d\.\d  \w", text) is not None)
        screen.press("s")
        screen.wait_for(lambda text: "paused" in text and "s Resume" in text)
    screen.press("q")
    last = screen.wait_for(has_ended)
    assert f"{MARK} 3" in last, last
    assert [path.name for path in out.iterdir()] == ["one.txt"]

    screen = terminal(program())
    screen.wait_for(lambda text: re.search(r"Done +1\b", text) is not None and "Resume" in text)
    screen.press("r")
    screen.wait_for(lambda text: "all done" in text)
    screen.press("q")
    screen.wait_for(lambda text: f"{MARK} 0" in text)
    assert (out / "one.txt").read_bytes() == (out / "two.txt").read_bytes()


@pytest.mark.parametrize("name", ["dumb", "xterm-mono"])
def test_poor_and_tiny_terminals(
    name: str, terminal: Callable[[str], Terminal], tmp_path: Path
) -> None:
    clip = shutil.copy(demo.clips()[0], tmp_path / "[red]a\nb\x1b[31m\u202ec.flac")
    screen = terminal(f"export TERM={name} LC_ALL=C; {program(clip)}")
    text = screen.wait_for(lambda text: "1 left" in text and "[red]a b" in text)
    assert text.replace("\ufffd", "").isascii()  # which stands for the escape in the name
    for cells, lines in ((20, 5), (3, 2), (100, 30)):
        screen.resize(cells, lines)
        screen.press("j", "k", "Tab")
    screen.wait_for(lambda text: "1 left" in text and "[red]a b" in text)
    screen.press("q")
    last = screen.wait_for(has_ended)
    assert f"{MARK} 3" in last, last
    assert "Traceback" not in last


def test_the_terminal_is_lent_to_the_shell_and_to_an_editor(
    terminal: Callable[[str], Terminal], tmp_path: Path
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho editing "$1"\nread line\necho "$line" >> "$1"\n')
    editor.chmod(0o700)
    out = tmp_path / "out"
    clip = demo.clips()[0]
    screen = terminal(f"export EDITOR={shlex.quote(str(editor))} PS1='shell: '; exec bash --norc")
    screen.wait_for(lambda text: "shell:" in text)
    words = shlex.join(map(str, (sys.executable, "-m", "fwtui", clip, *QUICK, "-o", out)))
    screen.press("-l", words)
    screen.press("Enter")
    screen.wait_for(lambda text: "1 left" in text)
    screen.press("s")
    screen.wait_for(lambda text: "1 done" in text and "0 left" in text)
    screen.press("e")
    screen.wait_for(lambda text: "editing" in text and "Queue" not in text)
    screen.press("-l", "corrected")
    screen.press("Enter")
    screen.wait_for(lambda text: "Queue" in text and "1 done" in text)
    screen.press("C-z")
    screen.wait_for(lambda text: "Stopped" in text and "Queue" not in text)
    screen.press("-l", "fg")
    screen.press("Enter")
    screen.wait_for(lambda text: "Queue" in text and "1 done" in text)
    screen.press("q")
    screen.wait_for(partial(has_all, "transcripts are in", "1 of 1 file done"))
    assert (out / f"{clip.stem}.txt").read_text().endswith("corrected\n")


@pytest.mark.parametrize("setting", ["external", "on", "off"])
def test_a_copy_in_tmux_reaches_the_terminal_around_it(
    setting: str, terminal: Callable[[str], Terminal], tmp_path: Path
) -> None:
    """A terminal is played by a tmux that takes what programs copy; fwtui is in another in it."""
    inner = f"tmux -S {shlex.quote(str(tmp_path / 'inner'))} -f /dev/null"
    clip = demo.clips()[0]
    start = f"new-session {shlex.quote(program(clip, '-o', tmp_path))}"
    screen = terminal(
        "unset TMUX DISPLAY WAYLAND_DISPLAY; export TERM=xterm-256color;"
        f" {inner} set-option -s set-clipboard {setting} \\; {start}"
    )
    screen.set_option("set-clipboard", "on")
    try:
        screen.wait_for(lambda text: "1 left" in text)
        screen.press("Enter")
        screen.wait_for(lambda text: "Status" in text and "Open folder" in text)
        screen.press("o")
        screen.wait_for(lambda _: screen.clipboard == str(tmp_path))
    finally:
        subprocess.run([*shlex.split(inner), "kill-server"], capture_output=True, check=False)


@pytest.mark.parametrize("without", [False, True])
def test_no_color_leaves_greys_only(without: bool, terminal: Callable[[str], Terminal]) -> None:
    setting = "NO_COLOR=1" if without else "-u NO_COLOR"
    screen = terminal(f"exec env {setting} COLORTERM=truecolor {program()}")
    screen.wait_for(lambda text: "Nothing in the queue yet" in text and "Quit" in text)
    inks = re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", screen.painted)
    assert inks
    assert all(red == green == blue for red, green, blue in inks) == without


def test_names_of_all_kinds_do_not_shift_a_row(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    """tmux counts characters: the border right of the queue tells where it put them."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number, text in enumerate(CLUSTERS.values()):
        shutil.copy(demo.clips()[0], folder / f"{number:02} {text} {text}x.flac")
    screen = terminal(f"unset COLUMNS LINES; {program(folder)}", (160, 60))
    text = screen.wait_for(
        lambda text: f"{len(CLUSTERS)} left" in text and f"{len(CLUSTERS) - 1:02} " in text
    )
    rows = [line for line in text.splitlines() if ".flac" in line and "││" in line]
    assert len(rows) == len(CLUSTERS)
    assert {counted(row[: row.index("││")]) for row in rows} == {
        counted(rows[0][: rows[0].index("││")])
    }
    assert all(row.endswith("│") for row in rows)
