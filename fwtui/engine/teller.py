"""What the child tells of a file's stay in the model, in either mode, and the time it counts."""

import time
from collections.abc import Sequence
from typing import Literal

from fwtui.audio.identity import change_since
from fwtui.core.job import JobId
from fwtui.core.paths import text_to_path
from fwtui.core.session import FilePlan
from fwtui.engine.busy import BusyClock
from fwtui.engine.inbox import Inbox, JobCancelled
from fwtui.engine.prepare import Prepared
from fwtui.engine.protocol import Busy, CleanedUp, Finished, Started
from fwtui.memory.cleanup import clean_up, peak_rss

# In a queue of short files a clean-up after each would take longer than what it gives back.
CLEAN_UP_SECONDS = 5.0


class Teller:
    """Belongs to the main thread."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.channel = inbox.channel
        self._clock = BusyClock()
        self._cleaned = 0.0

    def rest(self, jobs: Sequence[JobId]) -> bool:
        """See `Inbox.rest`; also gives memory back, if that was asked for."""
        if self.inbox.is_untidy:
            self.inbox.is_untidy = False
            self.clean_up("alert")
        rested = self.inbox.rest(jobs)
        if rested:
            self._clock.rest()
        return rested

    def begin(self) -> None:
        """The model begins to work."""
        self._clock.begin(time.monotonic())

    def end(self) -> float:
        """The model has worked; returns for how long."""
        return self._clock.end(time.monotonic())

    def broke_off(self) -> None:
        """The model's work ended in an error: it is not counted."""
        self._clock.rest()

    def tell_started(self, prepared: Prepared, plan: FilePlan) -> None:
        """The file's windows come now."""
        self.channel.send(
            Started(
                prepared.request.job,
                plan,
                prepared.media,
                resumed=prepared.resume is not None,
                restarted=prepared.restarted,
            )
        )

    def leave(
        self, prepared: Prepared, error: Exception | None = None, *, shared: bool = False
    ) -> None:
        """The file's stay is over: it is done, was given up, or cannot be transcribed.

        `shared`: the error is that of a whole batch.
        """
        request = prepared.request
        prepared.pcm.close()
        match error:
            case None:
                since = change_since(text_to_path(request.path), prepared.fingerprint)
                self.inbox.drop_scratch(request)
                self.channel.send(Finished(request.job, since))
            case JobCancelled():
                self.inbox.give_up(request)
            case _:
                self.inbox.fail(request, error, shared=shared)

    def tidy_up(self) -> None:
        """Give memory back after a file."""
        self.channel.send(Busy(self._clock.worked, self._clock.waited))
        now = time.monotonic()
        if now - self._cleaned >= CLEAN_UP_SECONDS:
            self.clean_up("files")
            self._cleaned = now

    def clean_up(self, after: Literal["files", "load", "alert"]) -> None:
        """Give memory back now, and tell how much that was."""
        freed = clean_up()
        self.channel.send(CleanedUp(after, freed, peak_rss()))
