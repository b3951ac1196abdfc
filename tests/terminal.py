"""Programs on a real terminal, driven through tmux."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.tools import require_tool

PATIENCE = 240.0  # a busy machine is no failure


class Terminal:
    """A tmux server of its own with one window that runs a shell command."""

    def __init__(self, socket: Path, command: str, size: tuple[int, int] = (100, 30)) -> None:
        self._tmux = [require_tool("tmux"), "-S", str(socket), "-f", "/dev/null"]
        cells, lines = map(str, size)
        self._do("new-session", "-d", "-x", cells, "-y", lines, command)

    def _do(self, *arguments: str) -> str:
        result = subprocess.run(
            [*self._tmux, *arguments], capture_output=True, encoding="utf-8", check=True
        )
        return result.stdout

    def press(self, *keys: str) -> None:
        """Press keys, by their names in tmux; `-l` before texts types them."""
        self._do("send-keys", *keys)

    @property
    def process(self) -> int:
        """The process, and process group, of the shell in the window."""
        return int(self._do("list-panes", "-F", "#{pane_pid}"))

    @property
    def clipboard(self) -> str:
        """What programs in the window have copied."""
        return self._do("show-buffer") if self._do("list-buffers") else ""

    def set_option(self, name: str, value: str) -> None:
        """Set an option of the server."""
        self._do("set-option", "-s", name, value)

    def resize(self, cells: int, lines: int) -> None:
        """Give the window another size."""
        self._do("resize-window", "-x", str(cells), "-y", str(lines))

    @property
    def screen(self) -> str:
        """What is on the terminal now."""
        return self._do("capture-pane", "-p")

    @property
    def painted(self) -> str:
        """The same with its colours, as escape sequences, and the blanks at the ends of lines."""
        return self._do("capture-pane", "-p", "-e", "-N")

    def wait_for(self, is_there: Callable[[str], bool]) -> str:
        """The screen as soon as it shows what is waited for."""
        deadline = time.monotonic() + PATIENCE
        while not is_there(screen := self.screen):
            assert time.monotonic() < deadline, screen
            time.sleep(0.05)  # tmux tells nobody that its screen has changed
        return screen

    def close(self) -> None:
        """End everything in it."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)
