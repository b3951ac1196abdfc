"""Notifications of the desktop that fwtui runs on, by the program that is there for them."""

import shutil
import sys
from collections.abc import Callable

_SCRIPT = "display notification (item 2 of argv) with title (item 1 of argv)"


def desktop_notification(
    title: str,
    text: str,
    platform: str = sys.platform,
    which: Callable[[str], str | None] = shutil.which,
) -> list[str] | None:
    """The command that shows it; None where there is none. Texts are arguments, never a script."""
    name = "osascript" if platform == "darwin" else "notify-send"
    program = which(name)
    if program is None:
        return None
    if platform == "darwin":
        return [program, "-e", "on run argv", "-e", _SCRIPT, "-e", "end run", title, text]
    return [program, "--app-name=fwtui", "--", title, text]
