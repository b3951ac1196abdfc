"""Lengths of waiting files, measured one after another while the engine works.

Without them the time left is a guess until the last file has started. A child process reads the
files: one that crashes it, or a share that hangs, must not harm the file in the engine.
"""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from msgspec.structs import replace

from fwtui.batch.messages import DurationFound
from fwtui.batch.state import BatchState
from fwtui.core.child_process import CHILD_FOLDER, child_environment
from fwtui.core.job import Job, JobId, MediaInfo, Pending
from fwtui.core.paths import path_to_text

COMMAND = (sys.executable, "-P", "-m", "fwtui.audio.lengths")
# A file on a share that hangs must not keep the others from being measured.
PATIENCE = 10.0


class DurationMeter:
    """Measures files in a child process, which starts with the first and ends with `close`."""

    def __init__(self, command: tuple[str, ...] = COMMAND, patience: float = PATIENCE) -> None:
        self._command = command
        self.patience = patience
        self._child: Process | None = None
        self._known: dict[Path, float | None] = {}
        self._turn = asyncio.Lock()

    async def measure(self, paths: Iterable[Path]) -> AsyncIterator[tuple[Path, float | None]]:
        """Each file with its length in seconds, None where that cannot be measured."""
        for path in paths:
            if path not in self._known:
                async with self._turn:  # a cancelled call may still be using the child
                    self._known[path] = await self._ask(path)
            yield path, self._known[path]

    async def _ask(self, path: Path) -> float | None:
        try:
            child = await self._started()
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(json.dumps(path_to_text(path)).encode() + b"\n")
            answer = await asyncio.wait_for(child.stdout.readline(), self.patience)
            seconds = json.loads(answer) if answer else None
        except (TimeoutError, OSError, ValueError):
            await self.close()
            return None
        except asyncio.CancelledError:
            # Its answer would be mistaken for that of the next file.
            await self.close()
            raise
        if not answer:
            await self.close()
        return float(seconds) if isinstance(seconds, int | float) else None

    async def _started(self) -> Process:
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                cwd=CHILD_FOLDER,
                env=child_environment(),
            )
        return self._child

    async def close(self) -> None:
        """End the child; another call of `measure` starts a new one."""
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.close()
            await child.wait()
            with contextlib.suppress(OSError):  # of what it had not read
                await child.stdin.wait_closed()
            # Of a child that ended by itself: the pipe must not outlive the event loop.
            await child.stdout.read()


class Durations:
    """Measures the waiting files of a batch. `post` gets the results, one at a time."""

    def __init__(self, state: BatchState, post: Callable[[DurationFound], None]) -> None:
        self.state = state
        self._post = post
        self._unknown: deque[JobId] = deque()
        self._started = False
        self._work: asyncio.Task[None] | None = None
        self._recorded = asyncio.Event()

    def start(self) -> None:
        """The batch starts: measure all waiting files but the first.

        The engine takes that now, and measures it while the model loads.
        """
        self._started = True
        pending = [job for job in self.state.queue if isinstance(job.state, Pending)]
        self._unknown = deque(job.id for job in pending[1:] if _is_unknown(job))
        self._continue()

    def add(self, jobs: Iterable[Job]) -> None:
        """Measure these files, too, if the batch has started."""
        if self._started:
            self._unknown.extend(job.id for job in jobs if _is_unknown(job))
            self._continue()

    def _continue(self) -> None:
        if self._unknown and (self._work is None or self._work.done()):
            self._work = asyncio.create_task(self._measure())

    async def _measure(self) -> None:
        meter = DurationMeter()
        queue = self.state.queue
        try:
            while self._unknown:
                job = self._unknown.popleft()
                if job not in queue or not _is_unknown(queue[job]):
                    continue
                async for _, seconds in meter.measure([queue[job].file]):
                    self._recorded.clear()
                    self._post(DurationFound(job, seconds))
                    await self._recorded.wait()
        finally:
            await meter.close()

    async def record(self, message: DurationFound) -> None:
        """Record a length in the session; the next file is measured then."""
        try:
            if message.seconds is None or message.job not in self.state.queue:
                return
            job = self.state.queue[message.job]
            if _is_unknown(job):
                await self.state.put(replace(job, media=MediaInfo(message.seconds)))
        finally:
            self._recorded.set()

    async def end(self) -> None:
        """The batch ends: measure nothing more."""
        self._started = False
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


def _is_unknown(job: Job) -> bool:
    # The file of a link is measured after its download, by the engine.
    return isinstance(job.state, Pending) and job.media is None and job.source is None
