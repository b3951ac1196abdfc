"""Watchdog: notices an engine that neither answers nor makes progress, and kills it.

It judges by requests and replies alone. A quiet engine is pinged; one that answers may still be
stuck in a window. The timeouts are learned from the file's own windows. Only time in which this
process was running counts: a suspended laptop or a stopped process group is no stall.
"""

import asyncio
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from fwtui.core.events import Level
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import JobId
from fwtui.core.text import clock
from fwtui.engine.client import EngineClient
from fwtui.engine.protocol import (
    AnyReply,
    AnyRequest,
    FileFailed,
    FileFinished,
    FilePreparing,
    FileProbed,
    FileStarted,
    FileStopped,
    FileTranscribed,
    Held,
    Hold,
    Note,
    Ping,
    Pong,
    Ready,
    Shutdown,
    SpeakersFound,
    SpeakersHeard,
    Transcribe,
    WindowDone,
)

CHECK_SECONDS = 1.0
# After a longer gap between checks this process did not run either, so the clocks restart.
GAP_SECONDS = 10.0
DUMP_SECONDS = 10.0  # to wait for the stacks at most
DUMP_CHECK_SECONDS = 0.25
# A model comes from a slow disk or the network, and native code that loads it answers no pings.
LOADING_SECONDS = 900.0
SLOW_LOADING_SECONDS = 60.0  # told after, and each time that it has doubled
FIRST_FACTOR = 10  # times the usual timeout, while nothing is known of the file's windows
SLOWER_FACTOR = 10  # times the slowest window so far
PREPARING_SPEED = 10  # audio is prepared at least so many times faster than it plays
PINGS = 4  # a quiet engine is pinged after this fraction of the timeout


class Activity(StrEnum):
    """What an engine is doing."""

    IDLE = "idle"
    LOADING = "loading the model"
    PREPARING = "preparing the file"
    WINDOW = "transcribing"
    LISTENING = "telling speakers apart"
    ENDING = "shutting down"


# What the model does counts first, then what keeps it waiting.
_ORDER = (Activity.WINDOW, Activity.PREPARING, Activity.LISTENING)


@dataclass
class WindowPace:
    """What is known of a file: its slowest window and its length in seconds, and its stalls."""

    slowest: float = 0.0
    length: float = 0.0
    stalls: int = 0


class Timeouts(NamedTuple):
    """Seconds without any reply, and seconds without progress."""

    silence: float
    stillness: float


ENDLESS = Timeouts(math.inf, math.inf)


def timeouts(activity: Activity, seconds: float, pace: WindowPace) -> Timeouts:
    """How long an engine may be quiet, and without progress; `seconds` is the setting (0: off).

    They double with every stall of the file, so that a slow machine succeeds in the end.
    """
    if seconds <= 0 or activity is Activity.IDLE:
        return ENDLESS
    usual = seconds * 2**pace.stalls
    match activity:
        case Activity.LOADING:
            return Timeouts(max(LOADING_SECONDS, usual), math.inf)
        case Activity.PREPARING:
            return Timeouts(usual, FIRST_FACTOR * usual + pace.length / PREPARING_SPEED)
        case Activity.WINDOW if pace.slowest:
            return Timeouts(usual, max(usual, SLOWER_FACTOR * pace.slowest * 2**pace.stalls))
        case _:
            return Timeouts(usual, FIRST_FACTOR * usual)


class EngineClocks:
    """Seconds since the last reply of an engine, and since its last progress."""

    def __init__(self, now: float) -> None:
        self.replied = self.progressed = self._checked = now

    def restart(self, now: float, *, progress: bool) -> float:
        """Restart the clock of replies, and of progress if `progress`.

        Returns the seconds since the progress before.
        """
        took = now - self.progressed
        self.replied = now
        if progress:
            self.progressed = now
        return took

    def check(self, now: float) -> Timeouts:
        """Seconds without reply and without progress at `now`; none after a gap in the checks."""
        if now - self._checked > GAP_SECONDS:
            self.replied = self.progressed = now
        self._checked = now
        return Timeouts(now - self.replied, now - self.progressed)


@dataclass
class Watchdog:
    """Watches one engine. `sent` and `received` may be called from any thread.

    `seconds` is the setting. `paces` outlives the engine: a file is the same in the next one.
    """

    seconds: float
    paces: dict[JobId, WindowPace]
    clocks: EngineClocks = field(default_factory=lambda: EngineClocks(time.monotonic()))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loading: bool = True
    _ending: bool = False
    _held: bool = False
    _pinged: bool = False
    _next_note: float = SLOW_LOADING_SECONDS
    _jobs: dict[JobId, Activity] = field(default_factory=dict)  # in the engine

    @property
    def activity(self) -> Activity:
        """What the engine is doing."""
        if self._loading:
            return Activity.LOADING
        if self._held:
            return Activity.IDLE
        if not self._jobs:
            return Activity.ENDING if self._ending else Activity.IDLE
        return self._jobs[self._current]

    @property
    def _current(self) -> JobId:
        """The job that the engine works on: the first in the model, or else being prepared."""
        return min(self._jobs, key=lambda job: _ORDER.index(self._jobs[job]))

    @property
    def _pace(self) -> WindowPace:
        return self.paces.setdefault(self._current, WindowPace()) if self._jobs else WindowPace()

    def sent(self, request: AnyRequest) -> None:
        """Note a request to the engine."""
        with self._lock:
            idle = self.activity is Activity.IDLE
            if isinstance(request, Transcribe):
                self._jobs[request.job] = Activity.PREPARING
            elif isinstance(request, Shutdown):
                self._ending = True
                self._held = False
            elif isinstance(request, Hold) and not request.on:
                self._held = False
            if idle:
                self.clocks.restart(time.monotonic(), progress=True)

    def received(self, reply: AnyReply) -> None:
        """Note a reply of the engine."""
        with self._lock:
            self._pinged = False
            progress = not isinstance(reply, Note | Pong)
            if isinstance(reply, SpeakersHeard | SpeakersFound):  # says nothing about the model
                progress = self.activity is Activity.LISTENING
            took = self.clocks.restart(time.monotonic(), progress=progress)
            match reply:
                case Ready():
                    self._loading = False
                case FileProbed(job=job, media=media):
                    self.paces.setdefault(job, WindowPace()).length = media.duration
                case FilePreparing(job=job, done=done):
                    pace = self.paces.setdefault(job, WindowPace())
                    pace.length = max(pace.length, done)
                case FileStarted(job=job):
                    self._jobs[job] = Activity.WINDOW
                case FileTranscribed(job=job):
                    self._jobs[job] = Activity.LISTENING
                case WindowDone(job=job):
                    pace = self.paces.setdefault(job, WindowPace())
                    pace.slowest = max(pace.slowest, took)
                case FileFinished(job=job) | FileStopped(job=job) | FileFailed(job=job):
                    self._jobs.pop(job, None)
                case Held(on=on):
                    self._held = on
                case _:
                    pass

    def check(self, now: float) -> Ping | Failure | Note | None:
        """What to do at `now`: ping the engine, kill it because of this failure, or nothing.

        A note is what is to be told about a model that takes long to load.
        """
        with self._lock:
            activity = self.activity
            passed = self.clocks.check(now)
            limit = timeouts(activity, self.seconds, self._pace)
            if passed.silence > limit.silence:
                return self._stalled(f"no reply for {passed.silence:.0f} s", activity)
            if passed.stillness > limit.stillness:
                return self._stalled(f"no progress for {passed.stillness:.0f} s", activity)
            if activity is Activity.LOADING and (note := self._slow(now, limit.silence)):
                return note
            if activity is Activity.IDLE or self._pinged or passed.silence < self.seconds / PINGS:
                return None
            self._pinged = True
            return Ping()

    def _slow(self, now: float, limit: float) -> Note | None:
        """What is to be told of a model that is still loading, once in a while."""
        seconds = now - self.clocks.progressed
        if seconds < self._next_note:
            return None
        self._next_note *= 2
        text = f"The model has been loading for {clock(seconds)}; is its disk or network slow?"
        return Note(Level.WARNING, f"{text} The engine is restarted after {clock(limit)}")

    def _stalled(self, what: str, activity: Activity) -> Failure:
        if self._jobs:
            self._pace.stalls += 1
        return Failure(
            FailureKind.STALLED,
            f"The engine stalled while {activity}: {what}",
            "its stacks are in the log; if it is only slow, raise stall_seconds",
        )

    async def watch(
        self,
        client: EngineClient,
        on_stalled: Callable[[EngineClient, Failure], None],
        on_slow: Callable[[EngineClient, Note], None],
    ) -> None:
        """Watch the engine until it is gone; `on_stalled` is called before it is killed.

        `on_slow` is called with what is to be told of an engine that takes long to load.
        """
        while not client.is_gone:
            await asyncio.sleep(CHECK_SECONDS)
            action = self.check(time.monotonic())
            if isinstance(action, Ping):
                client.send(action)
            elif isinstance(action, Note):
                on_slow(client, action)
            elif action is not None:
                # first: an engine that cannot write its stacks yet is killed by the request
                on_stalled(client, action)
                await _dump_stacks(client)
                client.kill()
                return


async def _dump_stacks(client: EngineClient) -> None:
    """Have the engine write its stacks to the log; waits until they have arrived."""
    first = client.stderr_lines
    client.dump_stacks()
    for _ in range(round(DUMP_SECONDS / DUMP_CHECK_SECONDS)):
        before = client.stderr_lines
        await asyncio.sleep(DUMP_CHECK_SECONDS)
        if client.stderr_lines == before > first:  # no more lines come
            return
