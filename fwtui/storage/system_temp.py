"""Decoded sound that other programs left in the system's temporary folder; only if asked for."""

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from fwtui.disk.files import FILES, FileSystem
from fwtui.sessions.scratch import HOUR, Swept


def sweep_system_temp(directory: Path, now: datetime, *, files: FileSystem = FILES) -> Swept:
    """Delete `tmp*.wav` in `directory` (not below it) that nobody needs.

    Only plain files of this user, older than an hour, that no process has open as far as can be
    seen. What cannot be deleted stays.
    """
    before = now.timestamp() - HOUR
    candidates = {path: found for path, found in _ours(directory) if found.st_mtime < before}
    if not candidates:
        return Swept()
    busy = set(_open_files())
    swept = Swept()
    for path, found in candidates.items():
        if (found.st_dev, found.st_ino) in busy:
            continue
        with contextlib.suppress(OSError):
            files.unlink(path)
            swept = Swept((*swept.files, path), swept.bytes + found.st_size)
    return swept


def _ours(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    with contextlib.suppress(OSError):
        for path in sorted(directory.glob("tmp*.wav")):
            with contextlib.suppress(OSError):
                found = path.lstat()
                mine = sys.platform == "win32" or found.st_uid == os.getuid()
                if mine and stat.S_ISREG(found.st_mode):
                    yield path, found


def _open_files() -> Iterator[tuple[int, int]]:
    """Device and inode of every file that a process has open."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            for opened in process.open_files():
                with contextlib.suppress(OSError):
                    found = Path(opened.path).stat()
                    yield found.st_dev, found.st_ino
