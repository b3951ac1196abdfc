"""A person at a terminal: presses keys, waits for what must come, takes pictures."""

import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from fwtui.tui.keys import KEYS
from tests.pictures.camera import svg
from tests.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0  # until a screen must have come
ESCAPE_SECONDS = 0.3  # a key sooner after Escape is one with Alt
KEY_SECONDS = 0.6  # between two keys, while the screen never rests
STILL_SECONDS = 3.0  # until a picture is taken of a screen that never rests
MARK = "the-end-is"
_TMUX_NAMES = {
    "enter": "Enter",
    "escape": "Escape",
    "space": "Space",
    "tab": "Tab",
    "comma": ",",
    "backspace": "BSpace",
    "delete": "DC",
    "pagedown": "NPage",
    "pageup": "PPage",
    **{name: name.capitalize() for name in ("up", "down", "left", "right", "home", "end", "f1")},
}


class ScreenMissing(Exception):
    """A screen did not come."""


class Batch(NamedTuple):
    """What is transcribed in the pictures: options of the model, and recordings."""

    options: Sequence[str]
    recordings: Sequence[Path]


def tmux_key(name: str) -> str:
    """A key by Textual's name, as tmux calls it."""
    for prefix, short in (("ctrl+", "C-"), ("shift+", "S-")):
        if name.startswith(prefix):
            return short + tmux_key(name.removeprefix(prefix))
    return _TMUX_NAMES.get(name, name)


def key_of(action: str) -> str:
    """The first key of an action of the key table, by its id there."""
    return next(key for key in KEYS if key.id == action).keys[0]


class Walk:
    """Programs one after the other in a terminal of `size`; pictures go into `folder`.

    All of them share a home of their own below `place`, in which `recordings` are.
    """

    def __init__(self, place: Path, folder: Path, size: tuple[int, int], batch: Batch) -> None:
        self.size = size
        self.batch = batch
        self.home = place / "home"
        self.recordings = self.home / "recordings"
        self.recordings.mkdir(parents=True)
        for path in batch.recordings:
            shutil.copy(path, self.recordings)
        self._place = place
        self._folder = folder
        self._terminal: Terminal | None = None
        self._started = 0
        self.taken: list[Path] = []

    @property
    def terminal(self) -> Terminal:
        """The one in use."""
        assert self._terminal is not None
        return self._terminal

    def start(self, *arguments: str, patient: bool = False) -> None:
        """Start fwtui in the folder of its home; `patient`: its engine waits inside each file."""
        self.close()
        module = "tests.patient" if patient else "fwtui"
        program = shlex.join([sys.executable, "-m", module, *arguments])
        command = f"{self._environment}; {program}; echo {MARK} $?; exec cat"
        self._started += 1
        self._terminal = Terminal(self._place / f"tmux{self._started}", command, self.size)

    @property
    def options(self) -> Sequence[str]:
        """Options of the batch: model, and where transcripts go."""
        return [*self.batch.options, "-o", "~/transcripts"]

    @property
    def _environment(self) -> str:
        home = shlex.quote(str(self.home))
        names = {f"FWTUI_{name}_DIR": self.home / ".fwtui" / name for name in _FOLDERS}
        names |= {"HF_HUB_CACHE": self.home / "models", "PYTHONPATH": ROOT}
        folders = " ".join(f"{name}={shlex.quote(str(path))}" for name, path in names.items())
        return (
            f"cd {home}; export HOME={home} {folders} COLORTERM=truecolor LC_ALL=C.UTF-8"
            " HF_ENDPOINT=http://127.0.0.1:9 EDITOR=vi; unset NO_COLOR TMUX DISPLAY WAYLAND_DISPLAY"
        )

    def close(self) -> None:
        """End what runs in the terminal; a batch would go on without one."""
        if self._terminal is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._terminal.process, signal.SIGKILL)
            self._terminal.close()

    def press(self, *actions: str) -> None:
        """Press the keys of actions, each when the screen has done what the one before asked."""
        for action in actions:
            self.rest(KEY_SECONDS)
            key = tmux_key(key_of(action))
            self.terminal.press(key)
            if key == "Escape":
                time.sleep(ESCAPE_SECONDS)

    def type(self, text: str) -> None:
        """Type a text into what has the focus by then."""
        self.rest(KEY_SECONDS)
        self.terminal.press("-l", text)

    def wait(self, name: str, *texts: str, gone: str = "", seconds: float = SECONDS) -> None:
        """Wait until the screen shows all these texts. Raises ScreenMissing."""
        ends = time.monotonic() + seconds
        while True:
            screen = self.terminal.screen
            missing = [text for text in texts if text not in screen]
            if not missing and (not gone or gone not in screen):
                return
            if time.monotonic() > ends:
                what = f"{missing[0]!r} is not" if missing else f"{gone!r} is still"
                cells, lines = self.size
                raise ScreenMissing(
                    f"{name} did not come up at {cells}x{lines}: {what} on the screen after"
                    f" {seconds:g} s, which is\n{screen}"
                )
            time.sleep(0.05)  # tmux tells nobody that its screen has changed

    def see(self, name: str, *texts: str, gone: str = "", seconds: float = SECONDS) -> None:
        """Take a picture of a screen as soon as it shows these texts and rests."""
        self.wait(name, *texts, gone=gone, seconds=seconds)
        painted = self.rest()
        path = self._folder / f"{self.size[0]}x{self.size[1]}" / f"{len(self.taken):02}-{name}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(svg(painted, self.size, f"fwtui: {name}"), encoding="utf-8")
        self.taken.append(path)

    def rest(self, seconds: float = STILL_SECONDS) -> str:
        """Wait until nothing changes any more, or for so long; the screen then, with colours."""
        ends = time.monotonic() + seconds
        painted = self.terminal.painted
        while time.monotonic() < ends:
            time.sleep(0.15)
            before, painted = painted, self.terminal.painted
            if before == painted:
                break
        return painted

    def visit(self, name: str, action: str, *texts: str) -> None:
        """Open a dialog from the main screen, take its picture, and close it.

        The last text is only in this dialog.
        """
        self.press(action)
        self.see(name, *texts)
        self.leave(name, texts[-1])

    def leave(self, name: str, text: str) -> None:
        """Close a dialog by Escape, and wait until a text of it is gone."""
        self.press("dialog_close")
        self.wait(f"the screen behind {name}", gone=text)


_FOLDERS = ("STATE", "CACHE", "CONFIG")


def environment_problem() -> str:
    """Why no pictures can be taken here; empty if they can."""
    return "" if shutil.which("tmux") else "tmux is not installed"


def real_batch() -> Batch | None:
    """The model and the recordings that the environment names; None without them."""
    model, media = os.environ.get("FWTUI_REAL", ""), os.environ.get("FWTUI_REAL_MEDIA", "")
    if not model:
        return None
    recordings = sorted(Path(media).glob("*.*")) if media else []
    return Batch(
        ("--model", model, "--device", "cpu", "--compute_type", "int8"),
        [path for path in recordings if path.suffix in {".flac", ".mp3", ".wav", ".m4a", ".mp4"}],
    )
