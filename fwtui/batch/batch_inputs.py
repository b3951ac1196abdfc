"""The recordings of a batch as files on the disk: no output may take the place of one."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from fwtui.batch.queue import Queue
from fwtui.core.job import JobId
from fwtui.core.paths import text_to_path


class BatchInputs:
    """Recognises recordings by path and by file: links, other spellings and mounts count.

    The files are looked up once, when an output that exists is about to be written over.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._files: set[tuple[int, int]] = set()
        self._known_up_to: JobId = -1

    async def among(self, paths: Sequence[Path]) -> frozenset[Path]:
        """Those paths that are recordings of the batch, or lead to one."""
        named = {path for path in paths if self._queue.has_path(path)}
        there = await asyncio.to_thread(_files_of, paths)
        if any(found is not None for found in there):
            await self._look_up()
        pairs = zip(paths, there, strict=True)
        return frozenset(named | {path for path, found in pairs if found in self._files})

    async def _look_up(self) -> None:
        """Look up the recordings that were added since the last time."""
        new = [job for job in self._queue if job.id > self._known_up_to]
        if new:
            self._known_up_to = max(job.id for job in new)
            found = await asyncio.to_thread(_files_of, (text_to_path(job.path) for job in new))
            self._files.update(one for one in found if one is not None)


def _files_of(paths: Iterable[Path]) -> list[tuple[int, int] | None]:
    """Device and inode of each file; None if there is none."""
    return [_file_of(path) for path in paths]


def _file_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
