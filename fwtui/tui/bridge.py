"""Between a batch's events and the screens: gather, fold at a steady pace, tell once."""

import asyncio
import contextvars
import threading
from collections.abc import Callable

from fwtui.batch.link import BatchLink
from fwtui.core.events import (
    AnyEvent,
    BatchProgress,
    JobChanged,
    JobProgress,
    JobsRemoved,
    MemorySampled,
    SegmentsReset,
)
from fwtui.core.job import JobId
from fwtui.tui.model import BatchModel, Changes

TICK = 0.1

Latest = type[BatchProgress] | type[MemorySampled] | JobId


class Bridge:
    """Subscribes to a link and folds its events into a model, at most ten times a second.

    Events may come from any thread; `on_changes` is always called in the loop's. Of progress and
    memory only the latest counts; every other event is kept and folded in its order.
    """

    def __init__(self, model: BatchModel, on_changes: Callable[[Changes], None]) -> None:
        self.model = model
        self._on_changes = on_changes
        self._loop = asyncio.get_running_loop()
        # The screens find their app in the context, which other threads do not have.
        self._context = contextvars.copy_context()
        self._lock = threading.Lock()
        self._kept: list[AnyEvent] = []
        self._latest: dict[Latest, AnyEvent] = {}
        self._armed = False
        self._last = float("-inf")
        self._unsubscribe: Callable[[], None] | None = None

    def connect(self, link: BatchLink) -> None:
        """Listen to this batch, and no longer to an earlier one."""
        self.disconnect()
        self._unsubscribe = link.subscribe(self.receive)

    def disconnect(self) -> None:
        """Stop listening; what came in is still shown."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def receive(self, event: AnyEvent) -> None:
        """Take an event, from any thread, and wake the loop if it sleeps."""
        with self._lock:
            self._gather(event)
            if self._armed:
                return
            self._armed = True
        try:
            self._loop.call_soon_threadsafe(self._schedule, context=self._context)
        except RuntimeError:
            # The loop is closed: nobody looks any more.
            return

    def drain(self) -> None:
        """Fold everything gathered so far into the model and tell what changed."""
        with self._lock:
            kept, self._kept = self._kept, []
            latest, self._latest = self._latest, {}
            self._armed = False
        self._last = self._loop.time()
        for event in kept:
            self.model.fold(event)
        for event in latest.values():
            self.model.fold(event)
        self._on_changes(self.model.take_changes())

    def _gather(self, event: AnyEvent) -> None:
        match event:
            case JobProgress():
                self._latest[event.id] = event
            case BatchProgress():
                self._latest[BatchProgress] = event
            case MemorySampled():
                self._latest[MemorySampled] = event
            case _:
                self._outdate(event)
                self._kept.append(event)

    def _outdate(self, event: AnyEvent) -> None:
        """Progress from before a change of its job says nothing about the job after it."""
        match event:
            case JobChanged(job=job):
                self._latest.pop(job.id, None)
            case SegmentsReset(id=job_id):
                self._latest.pop(job_id, None)
            case JobsRemoved(ids=ids):
                for job_id in ids:
                    self._latest.pop(job_id, None)
            case _:
                pass

    def _schedule(self) -> None:
        wait = self._last + TICK - self._loop.time()
        if wait > 0:
            self._loop.call_later(wait, self.drain)
        else:
            self.drain()
