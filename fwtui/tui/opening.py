"""Opens folders in the desktop's file manager, where there is a desktop."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from textual.app import App

from fwtui.core.child_process import CHILD_FOLDER
from fwtui.core.paths import path_to_text
from fwtui.core.text import valid_unicode
from fwtui.tui.formatting import shown_path


def opener(platform: str, environment: Mapping[str, str]) -> str | None:
    """The program that opens a folder; None without a desktop."""
    match platform:
        case "darwin":
            return "open"
        case "win32":
            return "explorer"
        case _ if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
            return "xdg-open"
        case _:
            return None


async def open_folder(app: App[object], folder: Path) -> None:
    """Open a folder; without a desktop (over SSH) copy its path instead."""
    shown = shown_path(path_to_text(folder))
    if not await asyncio.to_thread(folder.is_dir):
        app.notify(f"Folder {shown} does not exist yet", severity="warning", markup=False)
        return
    program = opener(sys.platform, os.environ)
    if program is not None and await asyncio.to_thread(_started, program, folder):
        app.notify(f"Opening {shown}", timeout=2, markup=False)
        return
    app.copy_to_clipboard(valid_unicode(str(folder)))
    app.notify(f"No desktop to open {shown}: its path is copied", markup=False)


def _started(program: str, folder: Path) -> bool:
    try:
        process = subprocess.Popen(
            [program, os.fspath(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=CHILD_FOLDER,
        )
    except OSError:
        return False
    # Its exit must be waited for, or it stays as a zombie.
    threading.Thread(target=process.wait, name=program, daemon=True).start()
    return True
