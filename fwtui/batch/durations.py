"""The lengths of waiting files, found out one after the other while the engine works.

Without them the time left of a batch is a guess until its last file has begun. A child of their own
looks at the files: one that crashes it, or a share that hangs, must not harm the file in the model.
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
from fwtui.core.events import AnyEvent, JobsAdded
from fwtui.core.job import Job, JobId, MediaInfo, Pending
from fwtui.core.paths import path_to_text

COMMAND = (sys.executable, "-P", "-m", "fwtui.audio.lengths")
# A file on a share that hangs must not keep the others from being measured.
PATIENCE = 10.0


class LengthMeter:
    """Measures files one after the other. Its child starts with the first and ends with `close`."""

    def __init__(self, command: tuple[str, ...] = COMMAND, patience: float = PATIENCE) -> None:
        self._command = command
        self.patience = patience
        self._child: Process | None = None
        self._known: dict[Path, float | None] = {}
        self._turn = asyncio.Lock()

    async def measure(self, paths: Iterable[Path]) -> AsyncIterator[tuple[Path, float | None]]:
        """Each file with its seconds, None where they cannot be found out."""
        for path in paths:
            if path not in self._known:
                async with self._turn:  # one that was cancelled may not have let go of the child
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
            # The answer would be taken for that of the next file.
            await self.close()
            raise
        if not answer:
            await self.close()
        return float(seconds) if isinstance(seconds, int | float) else None

    async def _started(self) -> Process:
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
        return self._child

    async def close(self) -> None:
        """End the child; measuring again starts another one."""
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
            # A child that had ended by itself is not waited for, but its pipe must not outlive the
            # event loop.
            await child.stdout.read()


class Lengths:
    """`post` puts an answer into the runner's inbox; the next file waits until it was taken."""

    def __init__(self, state: BatchState, post: Callable[[DurationFound], None]) -> None:
        self.state = state
        self._post = post
        self._unknown: deque[JobId] = deque()
        self._is_begun = False
        self._work: asyncio.Task[None] | None = None
        self._taken = asyncio.Event()

    def begin(self) -> None:
        """A batch starts."""
        self._is_begun = True
        pending = [job for job in self.state.queue if isinstance(job.state, Pending)]
        # The engine takes the first one now, and looks at it itself while the model loads.
        self._unknown = deque(job.id for job in pending[1:] if _is_unknown(job))
        self._go_on()

    def hear(self, event: AnyEvent) -> None:
        """A listener of the batch."""
        if isinstance(event, JobsAdded) and self._is_begun:
            self._unknown.extend(job.id for job in event.jobs if _is_unknown(job))
            self._go_on()

    def _go_on(self) -> None:
        if self._unknown and (self._work is None or self._work.done()):
            self._work = asyncio.create_task(self._measure())

    async def _measure(self) -> None:
        meter = LengthMeter()
        queue = self.state.queue
        try:
            while self._unknown:
                job = self._unknown.popleft()
                if job not in queue or not _is_unknown(queue[job]):
                    continue
                async for _, seconds in meter.measure([queue[job].file]):
                    self._taken.clear()
                    self._post(DurationFound(job, seconds))
                    await self._taken.wait()
        finally:
            await meter.close()

    async def take(self, answer: DurationFound) -> None:
        """Enter a length."""
        try:
            if answer.seconds is None or answer.job not in self.state.queue:
                return
            job = self.state.queue[answer.job]
            if _is_unknown(job):
                await self.state.put(replace(job, media=MediaInfo(answer.seconds)))
        finally:
            self._taken.set()

    async def end(self) -> None:
        """The batch is over."""
        self._is_begun = False
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


def _is_unknown(job: Job) -> bool:
    # A link's file is measured when it is there and its turn has come.
    return isinstance(job.state, Pending) and job.media is None and job.source is None
