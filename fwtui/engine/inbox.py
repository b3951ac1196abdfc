"""What the parent asked of the engine child, shared by the child's threads."""

import contextlib
import os
import queue
import sys
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Condition

from faster_whisper.feature_extractor import FeatureExtractor

from fwtui.core.job import JobId
from fwtui.core.paths import text_to_path
from fwtui.engine.channel import Channel, requests
from fwtui.engine.failure import classify_exception
from fwtui.engine.prepare import Prepared
from fwtui.engine.protocol import (
    AnyRequest,
    Cancel,
    CleanUp,
    FileFailed,
    Held,
    Hold,
    Load,
    Ping,
    Pong,
    Shutdown,
    Stopped,
    Transcribe,
    Waiting,
)

# Sound that is prepared ahead of the model, beside the file that is being prepared: 10 minutes,
# 19 MB of scratch space.
AHEAD_SECONDS = 600.0


class JobCancelled(Exception):
    """The parent gave this job up."""


class Inbox:
    """Requests sorted, and files on their way from the prepare thread to the model.

    `changed` guards the state and tells of changes.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.loads: queue.SimpleQueue[Load] = queue.SimpleQueue()
        self.is_untidy = False  # the parent wants memory back at the next window
        self.extractor: FeatureExtractor | None = None
        self._changed = Condition()
        self._waiting: deque[Transcribe] = deque()
        self._prepared: deque[Prepared] = deque()
        self._loaded = False
        self._closing = False  # no more requests will come
        self._all_prepared = False
        self._holding = False
        self._resting = False
        self._cancelled: set[JobId] = set()
        self._scratch: set[Path] = set()

    # --- any thread ----------------------------------------------------------------------------

    def is_cancelled(self, job: JobId) -> bool:
        """Whether the parent gave the job up."""
        return job in self._cancelled

    def add_scratch(self, request: Transcribe) -> None:
        """The request's scratch WAV may be there from now on."""
        self._scratch.add(text_to_path(request.scratch))

    def drop_scratch(self, request: Transcribe) -> None:
        """Delete the request's scratch WAV."""
        path = text_to_path(request.scratch)
        with contextlib.suppress(OSError):  # the parent and the sweep delete it too
            path.unlink()
        self._scratch.discard(path)

    def give_up(self, request: Transcribe) -> None:
        """Answer a cancellation."""
        self.drop_scratch(request)
        self.channel.send(Stopped(request.job))

    def fail(self, request: Transcribe, error: Exception, *, shared: bool = False) -> None:
        """Tell that a file cannot be transcribed. Called where the error was caught."""
        traceback.print_exc()
        self.drop_scratch(request)
        self.channel.send(FileFailed(request.job, classify_exception(error), shared))

    def end(self, code: int) -> None:
        """Leave at once: native threads cannot be joined, and the journal is the parent's."""
        try:
            for path in tuple(self._scratch):
                path.unlink(missing_ok=True)
            sys.stderr.flush()
        finally:
            os._exit(code)  # whatever happened: a child without a parent must not stay

    # --- reader thread -------------------------------------------------------------------------

    def read_requests(self) -> None:
        """Sort the parent's requests; end the process when there will be no more."""
        code = 1
        try:
            for request in requests():
                self._accept(request)
            code = 0
        except Exception:  # noqa: BLE001  the thread's outermost frame
            traceback.print_exc()
        finally:
            self.end(code)

    def _accept(self, request: AnyRequest) -> None:
        with self._changed:
            self._sort(request)
            self._changed.notify_all()

    def _sort(self, request: AnyRequest) -> None:
        match request:
            case Load():
                self.loads.put(request)
            case Transcribe():
                self._cancelled.discard(request.job)  # from its earlier stay
                self._waiting.append(request)
            case Cancel(job=job):
                self._cancelled.add(job)
                self._withdraw(job)
            case Hold(on=on):
                self._holding = on
                if on and self._resting:  # off and on again, before the main thread woke
                    self.channel.send(Held(True))
            case CleanUp():
                self.is_untidy = True
            case Shutdown():
                self._closing = True
                self._holding = False
            case Ping():
                self.channel.send(Pong())

    def _withdraw(self, job: JobId) -> None:
        """Give up a cancelled job that no thread works on; the others notice it themselves."""
        for request in tuple(self._waiting):
            if request.job == job:
                self._waiting.remove(request)
                self.give_up(request)
        for prepared in tuple(self._prepared):
            if prepared.request.job == job:
                self._prepared.remove(prepared)
                prepared.pcm.close()
                self.give_up(prepared.request)

    # --- prepare thread ------------------------------------------------------------------------

    def next_request(self) -> Transcribe | None:
        """The next file to prepare, when there is room for it; None when no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._may_prepare() if self._waiting else self._closing)
            return self._waiting.popleft() if self._waiting else None

    def _may_prepare(self) -> bool:
        if self.extractor is None or (self._waiting[0].careful and not self._loaded):
            return False
        return sum(prepared.seconds for prepared in self._prepared) < AHEAD_SECONDS

    def offer(self, prepared: Prepared) -> None:
        """Hand a prepared file to the main thread."""
        job = prepared.request.job
        with self._changed:
            self.channel.send(Waiting(job))
            self._prepared.append(prepared)
            if self.is_cancelled(job):
                self._withdraw(job)
            self._changed.notify_all()

    def no_more(self) -> None:
        """All files are prepared, and no more will come."""
        with self._changed:
            self._all_prepared = True
            self._changed.notify_all()

    # --- main thread ---------------------------------------------------------------------------

    def know_extractor(self, extractor: FeatureExtractor) -> None:
        """Files can be prepared from now on."""
        with self._changed:
            self.extractor = extractor
            self._changed.notify_all()

    def model_loaded(self) -> None:
        """Files that may be a danger to the engine can be prepared from now on."""
        with self._changed:
            self._loaded = True
            self._changed.notify_all()

    def next_prepared(self) -> Prepared | None:
        """The next file for the model, waiting for it; None when no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._prepared or self._all_prepared)
            return self._take()

    def next_if(self, accept: Callable[[Prepared], bool]) -> Prepared | None:
        """The next file if it is prepared and accepted."""
        with self._changed:
            return self._take() if self._prepared and accept(self._prepared[0]) else None

    def _take(self) -> Prepared | None:
        taken = self._prepared.popleft() if self._prepared else None
        self._changed.notify_all()  # there is room for another
        return taken

    def rest(self, jobs: Sequence[JobId]) -> bool:
        """Between two windows: rest while held, unless one of these jobs is cancelled.

        Whether there was a rest.
        """
        with self._changed:

            def must_rest() -> bool:
                return self._holding and not any(self.is_cancelled(job) for job in jobs)

            if not must_rest():
                return False
            self._resting = True
            self.channel.send(Held(True))
            self._changed.wait_for(lambda: not must_rest())
            self._resting = False
            self.channel.send(Held(self._holding))
            return True
