"""Download of one link to one file by yt-dlp, which runs in a child process."""

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Thread

import msgspec

from fwtui.core.child_process import CHILD_FOLDER, child_environment
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.paths import path_to_text
from fwtui.core.text import valid_unicode
from fwtui.engine.classify import describe_exit

COMMAND = (sys.executable, "-P", "-m", "fwtui.batch.ytdlp")
NEEDED = Failure(
    FailureKind.LIBRARY_MISSING,
    "Links need yt-dlp, which is not installed",
    "pip install 'fwtui[links]'",
)
_PROGRESS, _FILE = "fwtui-progress", "fwtui-file"
_FIGURES = "downloaded_bytes", "total_bytes", "total_bytes_estimate", "eta"
_LAST_LINES = 40
_LONGEST_LINE = 1 << 20
# What yt-dlp puts before the reason (the site, the id of the page) and behind it.
_BEFORE = re.compile(r"^ERROR: (?:\[[^\]]*\] (?:\S+: )?)?")
_BEHIND = re.compile(r" \(caused by .*|; please report this issue .*", re.DOTALL)


class LinkProgress(msgspec.Struct, frozen=True):
    """Progress of a download in bytes (`total` 0: unknown), and seconds left (None: unknown)."""

    done: float
    total: float
    eta: float | None


def is_installed() -> bool:
    """Whether yt-dlp is installed; it is not imported."""
    return importlib.util.find_spec("yt_dlp") is not None


def arguments(url: str, folder: Path) -> list[str]:
    """yt-dlp's arguments: audio only where the site has it, and a partial download is continued."""
    figures = " ".join(f"%(progress.{name})s" for name in _FIGURES)
    return [
        "--ignore-config",
        "--no-cache-dir",
        "--color=never",
        "--newline",
        "--progress",
        f"--progress-template=download:{_PROGRESS} {figures}",
        f"--print=after_move:{_FILE} %(filepath)j",
        "--no-playlist",
        "--match-filters=n_entries<?2",  # one row is one recording, not a playlist
        "--format=bestaudio/best",
        "--fixup=never",  # would need ffmpeg
        "--continue",
        f"--paths={_literal(str(folder))}",
        "--output=%(title).150B.%(ext)s",
        "--",
        url,
    ]


async def fetch(
    url: str,
    folder: Path,
    on_progress: Callable[[LinkProgress], None],
    command: tuple[str, ...] = COMMAND,
) -> Path | Failure:
    """Download a link into a folder, which is created. Stops at once when cancelled.

    A partial download is kept, and continued the next time.
    """
    if command is COMMAND and not is_installed():
        return NEEDED
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        child = await create_subprocess_exec(
            *command,
            *arguments(url, folder),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=_LONGEST_LINE,
            cwd=CHILD_FOLDER,
            env={**child_environment(), "PYTHONIOENCODING": "utf-8:backslashreplace"},
        )
    except OSError as error:
        reason = error.strerror or str(error)
        return Failure(
            FailureKind.DOWNLOAD, f"The download could not start: {reason}", _hint(folder)
        )
    try:
        return await _follow(child, url, on_progress)
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _follow(
    child: Process, url: str, on_progress: Callable[[LinkProgress], None]
) -> Path | Failure:
    assert child.stdout is not None
    assert child.stderr is not None
    errors: deque[str] = deque(maxlen=_LAST_LINES)
    reading = asyncio.create_task(_keep(child.stderr, errors))
    try:
        file: Path | None = None
        async for line in child.stdout:
            match parse_line(line.decode(errors="replace")):
                case LinkProgress() as progress:
                    on_progress(progress)
                case Path() as file:
                    pass
        await reading
    finally:
        reading.cancel()
    code = await child.wait()
    return file if code == 0 and file is not None else failure_of(url, code, errors)


async def _keep(stream: asyncio.StreamReader, lines: deque[str]) -> None:
    async for line in stream:
        lines.append(line.decode(errors="replace").rstrip())


def parse_line(line: str) -> LinkProgress | Path | None:
    """Parse a line of yt-dlp's output: progress, the finished file, or nothing of interest."""
    word, _, rest = line.strip().partition(" ")
    if word == _FILE:
        return Path(json.loads(rest))
    values = rest.split()
    if word != _PROGRESS or len(values) != len(_FIGURES):
        return None
    done, total, estimate, eta = (_number(value) for value in values)
    return LinkProgress(done or 0.0, total or estimate or 0.0, eta)


def failure_of(url: str, code: int, lines: Iterable[str]) -> Failure:
    """Why a download failed, from the exit code and the last lines of stderr.

    The link is not part of it: it may contain a key, and logs are shared.
    """
    kept = [line.replace(url, "the link") for line in lines]
    detail = valid_unicode("\n".join(kept))
    errors = [line for line in kept if line.startswith("ERROR:")]
    if not errors and code == 0:
        return Failure(
            FailureKind.DOWNLOAD,
            "The link does not lead to a single recording",
            "add the entries of a playlist one by one",
            detail,
        )
    last = errors[-1] if errors else f"yt-dlp ended with {describe_exit(code)}"
    reason = valid_unicode(_BEHIND.sub("", _BEFORE.sub("", last)).strip())
    has_room = "No space left on device" not in reason
    kind = FailureKind.DOWNLOAD if has_room else FailureKind.DISK_FULL
    hint = (
        "open it in a browser; if it works there: pip install -U yt-dlp, then retry"
        if has_room
        else "free some space in the cache folder, then retry"
    )
    return Failure(kind, f"Download failed: {reason}", hint, detail)


def _hint(folder: Path) -> str:
    return f"check the folder {path_to_text(folder)}"


def _literal(text: str) -> str:
    """Escape a text for yt-dlp's templates."""
    return text.replace("%", "%%")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


_STDIN = 0


def main() -> None:
    """Run yt-dlp with the arguments of this process."""
    Thread(target=_end_with_parent, daemon=True).start()
    from yt_dlp import main as yt_dlp

    yt_dlp()


def _end_with_parent() -> None:
    while os.read(_STDIN, 1):  # not sys.stdin: its lock would hold up an orderly end
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
