"""Opens folders in the desktop's file manager, and transcripts in an editor or a pager."""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from textual.app import App, SuspendNotSupported

from fwtui.core.child_process import CHILD_FOLDER
from fwtui.core.job import Completed, Job
from fwtui.core.paths import path_to_text, text_to_path
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


def has_desktop() -> bool:
    """Whether folders can be opened in a file manager."""
    return opener(sys.platform, os.environ) is not None


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


def editor(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The user's editor, as git and others choose it."""
    default = "notepad" if sys.platform == "win32" else "vi"
    return _words(environment.get("VISUAL") or environment.get("EDITOR") or default)


def pager(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The user's pager."""
    return _words(environment.get("PAGER") or ("more" if sys.platform == "win32" else "less"))


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, posix=sys.platform != "win32")
    except ValueError:  # an open quote
        return [command]


async def edit_transcript(app: App[object], job: Job | None) -> None:
    """Open the file's transcript in the user's editor, which has the terminal until it ends."""
    await edit_outputs(app, _outputs_of(job))


async def page_transcript(app: App[object], job: Job | None) -> None:
    """Show the file's transcript in the user's pager, which has the terminal until it ends."""
    await page_outputs(app, _outputs_of(job))


def _outputs_of(job: Job | None) -> Sequence[str]:
    return job.state.outputs if job is not None and isinstance(job.state, Completed) else ()


async def edit_outputs(app: App[object], outputs: Sequence[str]) -> None:
    """As `edit_transcript`, with the transcript's files (as by `path_to_text`)."""
    await _with_transcript(app, outputs, editor())


async def page_outputs(app: App[object], outputs: Sequence[str]) -> None:
    """As `page_transcript`, with the transcript's files (as by `path_to_text`)."""
    await _with_transcript(app, outputs, pager())


async def _with_transcript(
    app: App[object], outputs: Sequence[str], command: Sequence[str]
) -> None:
    file = await asyncio.to_thread(_text_output, outputs)
    if file is not None:
        await run_in_terminal(app, command, file)
    elif outputs:
        where = shown_path(path_to_text(text_to_path(outputs[0]).parent))
        app.notify(
            f"The transcript is missing: it is no longer in {where}",
            severity="warning",
            markup=False,
        )
    else:
        app.notify("No transcript of this file is on the disk", severity="warning")


def _text_output(outputs: Sequence[str]) -> Path | None:
    """The transcript that is best for reading, if there is one on the disk."""
    paths = [path for path in map(text_to_path, outputs) if path.suffix != ".docx"]
    paths.sort(key=lambda path: path.suffix not in {".txt", ".md"})
    return next((path for path in paths if path.is_file()), None)


async def run_in_terminal(app: App[object], command: Sequence[str], file: Path) -> None:
    """Lend the terminal to a program that shows a file; the batch goes on meanwhile.

    The keys for an interrupt are the program's while it runs.
    """
    program = command[0]
    try:
        with app.suspend(), _interrupts_ignored():
            code = await asyncio.to_thread(_run, [*command, os.fspath(file)], file.parent)
    except SuspendNotSupported:
        app.notify("This terminal cannot be lent to another program", severity="warning")
        return
    if code is None:
        app.notify(
            f"{program} cannot be started: set EDITOR or PAGER", severity="warning", markup=False
        )


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Not by SIG_IGN, which the program would inherit."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _run(command: Sequence[str], folder: Path) -> int | None:
    """The exit code of a program that has the terminal; None if it cannot be started."""
    try:
        return subprocess.run(command, check=False, cwd=folder).returncode
    except OSError:
        return None


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
