"""The part of an engine slot that the memory guard works with: replace its child at a window."""

from typing import Literal

from fwtui.batch.attempts import Run
from fwtui.batch.in_flight import InFlight
from fwtui.core.failure import Failure
from fwtui.core.job import JobId
from fwtui.engine.client import EngineClient
from fwtui.engine.protocol import CleanUp


class ReplacedByGuard:
    """Base of the slot. `windows` counts those of the present child, since it was loaded."""

    _client: EngineClient | None
    _in_flight: InFlight
    _ending: bool

    def __init__(self) -> None:
        self.windows = 0
        self._due: Failure | Literal["recycle"] | None = None
        self._recycling = False

    def tidy(self) -> None:
        """Let the engine give memory back at its next window."""
        if self._client is not None:
            self._client.send(CleanUp())

    def recycle(self) -> None:
        """Replace the child at its next window; its files go on. One without work just ends."""
        if self._in_flight:
            self._due = "recycle"
        else:
            self.end_engine()

    def go_smaller(self, failure: Failure) -> None:
        """At the next window what is in the model has failed with this (out of memory)."""
        self._due = failure

    async def _at_window(self, *, done: bool) -> None:
        """Do what the memory guard asked for, now that a window is durable (`done`: the last)."""
        due, self._due = self._due, None
        if due is None or self._ending:
            return
        if isinstance(due, Failure) and not done:
            await self._give_way(due)
        else:
            self._recycling = True
            self.kill_engine()

    async def _give_way(self, failure: Failure) -> None:
        """What is in the model, or first in line, has had too little memory."""
        jobs = self._in_flight.suspects(failure.kind)
        for job in jobs:
            await self._failed(self._take_out(job), failure, died=False, shared=len(jobs) > 1)
        self.kill_engine()

    # --- the slot's ----------------------------------------------------------------------------

    def end_engine(self) -> None:
        """Let an idle child end."""
        raise NotImplementedError

    def kill_engine(self) -> None:
        """End the child at once."""
        raise NotImplementedError

    def _take_out(self, job: JobId) -> Run:
        raise NotImplementedError

    async def _failed(
        self, run: Run, failure: Failure, *, died: bool, shared: bool, loaded: bool = True
    ) -> bool:
        raise NotImplementedError
