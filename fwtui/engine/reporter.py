"""Reports a file's progress through the model to the parent, and frees memory after it."""

import time
from collections.abc import Callable, Sequence
from typing import Literal

from fwtui.audio.identity import change_since
from fwtui.core.job import JobId
from fwtui.core.paths import text_to_path
from fwtui.core.session import FilePlan
from fwtui.engine.inbox import Inbox, JobCancelled
from fwtui.engine.listener import Listener
from fwtui.engine.prepare import PreparedFile
from fwtui.engine.protocol import Busy, CleanedUp, FileFinished, FileStarted
from fwtui.engine.turn_finder import TurnFinders
from fwtui.memory.cleanup import clean_up, peak_rss, rss

# Between cleanups: after each of many short files they would cost more than they free.
CLEAN_UP_SECONDS = 5.0


class BusyClock:
    """Adds up work, and the waits between two pieces of work.

    The time before the first and after the last piece counts as neither, nor does a hold.
    Arguments are monotonic seconds.
    """

    def __init__(self) -> None:
        self.worked = 0.0
        self.waited = 0.0
        self._began: float | None = None
        self._ended: float | None = None

    def begin(self, now: float) -> None:
        """Start a piece of work."""
        if self._ended is not None:
            self.waited += now - self._ended
        self._began = now

    def end(self, now: float) -> float:
        """End a piece of work; returns the seconds that it took."""
        assert self._began is not None
        took = now - self._began
        self.worked += took
        self._began, self._ended = None, now
        return took

    def interrupt(self) -> None:
        """Do not count the time until the next piece of work as waiting."""
        self._ended = None


class Reporter:
    """Used in the main thread, in both modes. Counts the time that the model works."""

    def __init__(self, inbox: Inbox, listener_threads: Callable[[], int] = lambda: 1) -> None:
        """`listener_threads`: how many the models of voices may use."""
        self.inbox = inbox
        self.channel = inbox.channel
        self.listener = Listener(inbox, TurnFinders(listener_threads), self._ended)
        self._clock = BusyClock()
        self._cleaned = 0.0

    def hold(self, jobs: Sequence[JobId]) -> bool:
        """Free memory if requested, then wait while held, as `Inbox.hold`; whether it waited."""
        if self.inbox.cleanup_due:
            self.inbox.cleanup_due = False
            self.clean_up("alert")
        held = self.inbox.hold(jobs)
        if held:
            self._clock.interrupt()
        return held

    def begin(self) -> None:
        """Start counting work of the model."""
        self._clock.begin(time.monotonic())

    def end(self) -> float:
        """Stop counting; returns the seconds that the model worked."""
        return self._clock.end(time.monotonic())

    def abort(self) -> None:
        """Stop counting after an error; that work does not count."""
        self._clock.interrupt()

    def started(self, prepared: PreparedFile, plan: FilePlan) -> None:
        """Report that the file's windows follow, and start listening to its speakers."""
        self.channel.send(
            FileStarted(
                prepared.request.job,
                plan,
                prepared.media,
                resumed=prepared.resume is not None,
                restarted=prepared.restarted,
            )
        )
        self.listener.begin(prepared)

    def finish(
        self, prepared: PreparedFile, error: Exception | None = None, *, shared: bool = False
    ) -> None:
        """Report the end of the file: it is done, was cancelled, or cannot be transcribed.

        `shared`: the error is that of a whole batch. The end of a file whose speakers are not known
        yet is reported when they are.
        """
        request = prepared.request
        prepared.pcm.close()
        if error is not None:
            self.listener.drop(prepared)
        match error:
            case None:
                if not self.listener.takes_over(prepared):
                    self._ended(prepared)
            case JobCancelled():
                self.inbox.stop(request)
            case _:
                self.inbox.fail(request, error, shared=shared)

    def _ended(self, prepared: PreparedFile) -> None:
        request = prepared.request
        since = change_since(text_to_path(request.path), prepared.fingerprint)
        self.inbox.drop_scratch(request)
        self.channel.send(FileFinished(request.job, since, rss()))

    def after_file(self) -> None:
        """Report the time counted, and free memory from time to time."""
        self.channel.send(Busy(self._clock.worked, self._clock.waited))
        now = time.monotonic()
        if now - self._cleaned >= CLEAN_UP_SECONDS:
            self.clean_up("files")
            self._cleaned = now

    def clean_up(self, after: Literal["files", "load", "alert"]) -> None:
        """Free memory now, and report how much."""
        freed = clean_up()
        self.channel.send(CleanedUp(after, freed, peak_rss()))
