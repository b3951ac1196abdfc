"""Notices an engine that neither answers nor gets on, and ends it, so that a fresh one goes on.

What an engine is asked and says is all there is to judge by. An engine that is quiet is asked for
a sign of life; one that lives may still be stuck in a window. How long either may last is learned
from the file's own windows. Only time in which this process was awake counts: a suspended laptop
and a stopped process group are no stalls.
"""

import asyncio
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import JobId
from fwtui.engine.client import EngineClient
from fwtui.engine.protocol import (
    AnyReply,
    AnyRequest,
    FileFailed,
    Finished,
    Held,
    Hold,
    Note,
    Ping,
    Pong,
    Preparing,
    Probed,
    Ready,
    Shutdown,
    Started,
    Stopped,
    Transcribe,
    Window,
)

LOOK_SECONDS = 1.0
# Looks that are further apart: this process did not run either, so the clocks start again.
GAP_SECONDS = 10.0
DUMP_SECONDS = 10.0  # at most, for the first line of the stacks; the pipe keeps the others
DUMP_LOOK = 0.25
# A model comes from a slow disk or the network, and native code that reads it answers nobody.
LOADING_SECONDS = 900.0
FIRST = 10  # nothing is known yet: so many times the usual patience
SLOWER = 10  # a window may take so many times as long as the slowest one before it
PREPARING_SPEED = 10  # sound is searched for speech at least so many times faster than it plays
ASKS = 4  # a quiet engine is asked so many times sooner than patience ends


class Activity(StrEnum):
    """What an engine is busy with."""

    IDLE = "idle"
    LOADING = "loading the model"
    PREPARING = "preparing the file"
    WINDOW = "a window"
    ENDING = "ending"


@dataclass
class WindowPace:
    """What is known of a file: its slowest window and its length in seconds, and its stalls."""

    slowest: float = 0.0
    length: float = 0.0
    stalls: int = 0


class Patience(NamedTuple):
    """Seconds without any sign of life, and seconds without progress, that are too many."""

    silence: float
    stillness: float


ENDLESS = Patience(math.inf, math.inf)


def patience(stage: Activity, seconds: float, pace: WindowPace) -> Patience:
    """How long an engine may be quiet and may be stuck; `seconds` is the setting (0: for ever).

    It doubles with every stall of the file, so that a slow machine gets on in the end.
    """
    if seconds <= 0 or stage is Activity.IDLE:
        return ENDLESS
    usual = seconds * 2**pace.stalls
    match stage:
        case Activity.LOADING:
            return Patience(max(LOADING_SECONDS, usual), math.inf)
        case Activity.PREPARING:
            return Patience(usual, FIRST * usual + pace.length / PREPARING_SPEED)
        case Activity.WINDOW if pace.slowest:
            return Patience(usual, max(usual, SLOWER * pace.slowest * 2**pace.stalls))
        case _:
            return Patience(usual, FIRST * usual)


class EngineClocks:
    """Seconds since an engine was heard and since it got on, by the looks at it."""

    def __init__(self, now: float) -> None:
        self.heard = self.progressed = self._looked = now

    def hear(self, now: float, *, progress: bool) -> float:
        """Something came at `now`; seconds since the progress before."""
        took = now - self.progressed
        self.heard = now
        if progress:
            self.progressed = now
        return took

    def look(self, now: float) -> Patience:
        """Silence and stillness at `now`; none if nobody looked for long."""
        if now - self._looked > GAP_SECONDS:
            self.heard = self.progressed = now
        self._looked = now
        return Patience(now - self.heard, now - self.progressed)


@dataclass
class Watchdog:
    """Watches one engine. `sent` and `heard` may be called from any thread.

    `paces` outlives the engine: a file is the same in the next one.
    """

    seconds: float
    paces: dict[JobId, WindowPace]
    clocks: EngineClocks = field(default_factory=lambda: EngineClocks(time.monotonic()))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loading: bool = True
    _ending: bool = False
    _resting: bool = False
    _asked: bool = False
    _jobs: dict[JobId, bool] = field(default_factory=dict)  # in the engine; whether started

    @property
    def activity(self) -> Activity:
        """What the engine is busy with."""
        if self._loading:
            return Activity.LOADING
        if self._resting:
            return Activity.IDLE
        if not self._jobs:
            return Activity.ENDING if self._ending else Activity.IDLE
        return Activity.WINDOW if self._jobs[self._first] else Activity.PREPARING

    @property
    def _first(self) -> JobId:
        """The job that the engine is at: the first of those in the model, or else of all."""
        return next((job for job, started in self._jobs.items() if started), next(iter(self._jobs)))

    @property
    def _pace(self) -> WindowPace:
        return self.paces.setdefault(self._first, WindowPace()) if self._jobs else WindowPace()

    def sent(self, request: AnyRequest) -> None:
        """The engine is asked for something."""
        with self._lock:
            idle = self.activity is Activity.IDLE
            if isinstance(request, Transcribe):
                self._jobs[request.job] = False
            elif isinstance(request, Shutdown):
                self._ending = True
                self._resting = False
            elif isinstance(request, Hold) and not request.on:
                self._resting = False
            if idle:
                self.clocks.hear(time.monotonic(), progress=True)

    def heard(self, reply: AnyReply) -> None:
        """The engine said something."""
        with self._lock:
            self._asked = False
            progress = not isinstance(reply, Note | Pong)
            took = self.clocks.hear(time.monotonic(), progress=progress)
            match reply:
                case Ready():
                    self._loading = False
                case Probed(job=job, media=media):
                    self.paces.setdefault(job, WindowPace()).length = media.duration
                case Preparing(job=job, done=done):
                    pace = self.paces.setdefault(job, WindowPace())
                    pace.length = max(pace.length, done)
                case Started(job=job):
                    self._jobs[job] = True
                case Window(job=job):
                    pace = self.paces.setdefault(job, WindowPace())
                    pace.slowest = max(pace.slowest, took)
                case Finished(job=job) | Stopped(job=job) | FileFailed(job=job):
                    self._jobs.pop(job, None)
                case Held(on=on):
                    self._resting = on
                case _:
                    pass

    def look(self, now: float) -> Ping | Failure | None:
        """What is to be done at `now`: ask for a sign of life, give the engine up, or nothing."""
        with self._lock:
            stage = self.activity
            passed, limit = self.clocks.look(now), patience(stage, self.seconds, self._pace)
            if passed.silence > limit.silence:
                return self._give_up(f"no sign of life for {passed.silence:.0f} s", stage)
            if passed.stillness > limit.stillness:
                return self._give_up(f"no progress for {passed.stillness:.0f} s", stage)
            if stage is Activity.IDLE or self._asked or passed.silence < self.seconds / ASKS:
                return None
            self._asked = True
            return Ping()

    def _give_up(self, what: str, stage: Activity) -> Failure:
        if self._jobs:
            self._pace.stalls += 1
        return Failure(
            FailureKind.STALLED,
            f"The engine has stalled: {what} ({stage})",
            "the log has its stacks; if it is only slow, raise stall_seconds",
        )

    async def watch(
        self, client: EngineClient, give_up: Callable[[EngineClient, Failure], None]
    ) -> None:
        """Look at the engine until it is gone; `give_up` is told before a stalled one is killed."""
        while not client.is_gone:
            await asyncio.sleep(LOOK_SECONDS)
            verdict = self.look(time.monotonic())
            if isinstance(verdict, Ping):
                client.send(verdict)
            elif verdict is not None:
                await _see_stacks(client)
                give_up(client, verdict)
                client.kill()
                return


async def _see_stacks(client: EngineClient) -> None:
    said = client.lines_said
    client.dump_stacks()
    for _ in range(round(DUMP_SECONDS / DUMP_LOOK)):
        before = client.lines_said
        await asyncio.sleep(DUMP_LOOK)
        if client.lines_said == before > said:  # no more come
            return
