"""Lengths of waiting files, measured one after another, before the start and beside the engine.

Without them the time left is a guess until the last file has started. A child process reads the
files: one that crashes it, or a share that hangs, must not harm the file in the engine.
"""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from fwtui.batch.messages import DurationsFound
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


# A batch that starts at once does not need the child before its engine.
REST = 0.3
# Lengths are recorded together: each record is a write to the disk.
PORTION = 0.25


class Durations:
    """Measures the waiting files of a batch. `post` gets the results, a portion at a time.

    `is_watched`: whether anybody looks at a batch that has not started.
    """

    def __init__(
        self,
        state: BatchState,
        post: Callable[[DurationsFound], None],
        is_watched: Callable[[], bool] = lambda: False,
    ) -> None:
        self.state = state
        self._post = post
        self._is_watched = is_watched
        self._unknown: deque[JobId] = deque()
        self._tried: set[JobId] = set()
        self._started = False
        self._work: asyncio.Task[None] | None = None
        self._recorded = asyncio.Event()

    def rest(self) -> None:
        """Nothing is worked on: measure all waiting files, for somebody who looks at them."""
        self._started = False
        if self._is_watched():
            self._unknown = deque(job.id for job in self.state.queue if self._is_wanted(job))
            self._continue()

    def start(self) -> None:
        """The batch starts: measure all waiting files but the first.

        The engine takes that now, and measures it while the model loads.
        """
        self._started = True
        pending = [job for job in self.state.queue if isinstance(job.state, Pending)]
        self._unknown = deque(job.id for job in pending[1:] if self._is_wanted(job))
        self._continue()

    def add(self, jobs: Iterable[Job]) -> None:
        """Measure these files, too."""
        if self._started or self._is_watched():
            self._unknown.extend(job.id for job in jobs if self._is_wanted(job))
            self._continue()

    def _is_wanted(self, job: Job) -> bool:
        return _is_unknown(job) and job.id not in self._tried

    def _continue(self) -> None:
        if self._unknown and (self._work is None or self._work.done()):
            self._work = asyncio.create_task(self._measure())

    async def _measure(self) -> None:
        meter, queue, loop = DurationMeter(), self.state.queue, asyncio.get_running_loop()
        found: dict[JobId, float | None] = {}
        try:
            if not self._started:
                await asyncio.sleep(REST)
            due = loop.time()  # the first length is shown at once
            while self._unknown:
                job = self._unknown.popleft()
                if job not in queue or not self._is_wanted(queue[job]):
                    continue
                self._tried.add(job)
                async for _, seconds in meter.measure([queue[job].file]):
                    found[job] = seconds
                if loop.time() >= due:
                    await self._report(found)
                    found, due = {}, loop.time() + PORTION
            await self._report(found)
        finally:
            await meter.close()

    async def _report(self, found: Mapping[JobId, float | None]) -> None:
        if found:
            self._recorded.clear()
            self._post(DurationsFound(found))
            await self._recorded.wait()

    async def record(self, message: DurationsFound) -> None:
        """Record lengths in the session; the next files are measured then."""
        try:
            measured = []
            for job_id, seconds in message.found.items():
                job = self.state.queue.get(job_id)
                if seconds is not None and job is not None and _is_unknown(job):
                    measured.append(replace(job, media=MediaInfo(seconds)))
            await self.state.put_all(measured)
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
