"""Between a batch's events and the screens: gather, fold at a steady pace, tell once."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING

from fwtui.batch.coalesce import Gathering
from fwtui.core.events import AnyEvent, JobsAdded, LogLine
from fwtui.tui.model import BatchModel, Changes

if TYPE_CHECKING:
    from fwtui.batch.link import BatchLink

TICK = 0.1  # s
PROGRESS_TICK = 0.2  # s: figures that change more often than that cannot be read


class Bridge:
    """Subscribes to a link and folds its events into a model, at most ten times a second.

    Events may come from any thread; `on_changes` is always called in the loop's. Of progress and
    memory only the latest counts, five times a second if nothing else comes with it; every other
    event is kept and folded in its order. The first files of an empty queue are told of at once.
    """

    def __init__(self, model: BatchModel, on_changes: Callable[[Changes], None]) -> None:
        self.model = model
        self._on_changes = on_changes
        self._loop = asyncio.get_running_loop()
        # The screens find their app in the context, which other threads do not have.
        self._context = contextvars.copy_context()
        self._lock = threading.Lock()
        self._gathering: Gathering[AnyEvent] = Gathering()
        self._due: float | None = None  # the tick that is waited for
        self._timer: asyncio.TimerHandle | None = None
        self._last = float("-inf")
        self._unsubscribe: Callable[[], None] | None = None

    def connect(self, link: "BatchLink") -> None:
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
            tick = TICK if self._gathering.put(event, event) else PROGRESS_TICK
            if isinstance(event, JobsAdded) and not self.model.jobs:
                tick = 0.0
            if self._due is not None and self._due <= tick:
                return
            self._due = tick
        try:
            self._loop.call_soon_threadsafe(self._schedule, tick, context=self._context)
        except RuntimeError:
            # The loop is closed: nobody looks any more.
            return

    def drain(self) -> None:
        """Fold everything gathered so far into the model and tell what changed."""
        with self._lock:
            gathered = tuple(self._gathering.take())
            self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._last = self._loop.time()
        for kind, events in groupby(gathered, type):
            if kind is LogLine:  # there may be tens of thousands of them
                self.model.fold_log([line for line in events if isinstance(line, LogLine)])
            else:
                for event in events:
                    self.model.fold(event)
        self._on_changes(self.model.take_changes())

    def _schedule(self, tick: float) -> None:
        if self._due is None:  # a longer tick has just ended and taken everything
            return
        if self._timer is not None:
            self._timer.cancel()
        wait = self._last + tick - self._loop.time()
        if wait > 0:
            self._timer = self._loop.call_later(wait, self.drain)
        else:
            self.drain()
