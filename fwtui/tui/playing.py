"""Plays a passage of a recording with a player of the user's."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from fwtui.core.child_process import CHILD_FOLDER

PLAYERS = ("mpv", "ffplay")
MISSING = f"Playing needs one of these programs: {', '.join(PLAYERS)}"
"""macOS has `afplay`, but that plays files only from their beginning."""


def player(
    file: Path, start: float, seconds: float, find: Callable[[str], str | None] = shutil.which
) -> list[str] | None:
    """The command that plays so many seconds of a file from `start` on; None without a player."""
    begin, length = f"{max(0.0, start):.2f}", f"{max(0.5, seconds):.2f}"
    path = os.path.abspath(file)  # noqa: PTH100 - so that no name is taken for an option
    if program := find("mpv"):
        options = ["--no-config", "--no-video", "--no-terminal", "--force-window=no"]
        return [program, *options, f"--start={begin}", f"--length={length}", "--", path]
    if program := find("ffplay"):
        options = ["-nodisp", "-autoexit", "-loglevel", "quiet", "-ss", begin, "-t", length]
        return [program, *options, "-i", path]
    return None


class Playback:
    """At most one passage at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def play(self, command: Sequence[str]) -> bool:
        """Play, in the place of what plays now; False if the player cannot be started."""
        self.stop()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=CHILD_FOLDER,
            )
        except OSError:
            return False
        # Its exit must be waited for, or it stays as a zombie.
        threading.Thread(target=self._process.wait, name="player", daemon=True).start()
        return True

    def stop(self) -> None:
        """End what plays."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        self._process = None
