"""Inbox of the engine: the parent's requests, shared by the engine's threads."""

import contextlib
import os
import queue
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Condition

import msgspec
from faster_whisper.feature_extractor import FeatureExtractor

from fwtui.core.disk_errors import DiskArea
from fwtui.core.events import Level
from fwtui.core.job import JobId
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.voices import SpeakerGroup
from fwtui.engine.classify import classify_exception
from fwtui.engine.prepare import PreparedFile
from fwtui.engine.protocol import (
    AnyReply,
    AnyRequest,
    Cancel,
    CleanUp,
    FileFailed,
    FilePrepared,
    FileStopped,
    Held,
    Hold,
    KnownSpeakers,
    LoadModel,
    Note,
    Ping,
    Pong,
    Shutdown,
    Transcribe,
)
from fwtui.memory.cleanup import rss


class Channel:
    """Writes replies as JSON lines; any thread may send."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()

    @classmethod
    def take_stdout(cls) -> "Channel":
        """Keep stdout for the protocol and point descriptor 1 to stderr.

        Native libraries print to descriptor 1 whatever Python thinks of `sys.stdout`.
        """
        sys.stdout.flush()
        private = os.dup(1)
        os.dup2(2, 1)
        return cls(private)

    def send(self, reply: AnyReply) -> None:
        """Write one whole reply.

        Raises:
            BrokenPipeError: the parent has exited.

        """
        line = memoryview(self._encoder.encode(reply) + b"\n")
        with self._lock:
            while line:
                line = line[os.write(self._descriptor, line) :]

    def note(self, level: Level, text: str, job: JobId | None = None) -> None:
        """Send a line for the log."""
        self.send(Note(level, text, job))


def requests() -> Iterator[AnyRequest]:
    """Yield the parent's requests until it closes the pipe or dies."""
    decoder: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)
    for line in sys.stdin.buffer:
        yield decoder.decode(line)


# Audio prepared ahead of the model, besides the file being prepared: 10 minutes, 19 MB of scratch
# space.
AHEAD_SECONDS = 600.0


class JobCancelled(Exception):
    """The parent cancelled this job."""


class Inbox:
    """Sorted requests, and prepared files on their way from the prepare thread to the model.

    `_changed` guards the state and signals changes.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.loads: queue.SimpleQueue[LoadModel] = queue.SimpleQueue()
        self.cleanup_due = False  # free memory at the next window
        self.extractor: FeatureExtractor | None = None
        self.model = ""  # its identity
        self._changed = Condition()
        self._waiting: deque[Transcribe] = deque()
        self._prepared: deque[PreparedFile] = deque()
        self._loaded = False
        self._closing = False  # no more requests will come
        self._all_prepared = False
        self._hold_on = False
        self._held = False
        self._cancelled: set[JobId] = set()
        self._scratch: set[Path] = set()
        self._known_speakers: dict[JobId, list[SpeakerGroup]] = {}
        self._model_idle = False
        self._listener_holds = False

    # --- any thread ----------------------------------------------------------------------------

    def is_cancelled(self, job: JobId) -> bool:
        """Whether the parent cancelled the job."""
        return job in self._cancelled

    def add_scratch(self, request: Transcribe) -> None:
        """Record the request's scratch WAV, before it is created."""
        self._scratch.add(text_to_path(request.scratch))

    def drop_scratch(self, request: Transcribe) -> None:
        """Delete the request's scratch WAV."""
        path = text_to_path(request.scratch)
        with contextlib.suppress(OSError):  # the parent deletes it, too
            path.unlink()
        self._scratch.discard(path)
        self._known_speakers.pop(request.job, None)

    def stop(self, request: Transcribe) -> None:
        """Answer a cancellation."""
        self.drop_scratch(request)
        self.channel.send(FileStopped(request.job, rss()))

    def fail(self, request: Transcribe, error: Exception, *, shared: bool = False) -> None:
        """Report that a file cannot be transcribed. Called where the error was caught."""
        traceback.print_exc()
        self.drop_scratch(request)
        folder = path_to_text(text_to_path(request.scratch).parent)
        failure = classify_exception(error, DiskArea.SCRATCH, folder)
        self.channel.send(FileFailed(request.job, failure, shared, rss()))

    def end(self, code: int) -> None:
        """Exit at once: native threads cannot be joined, and the journal is the parent's."""
        try:
            for path in tuple(self._scratch):
                path.unlink(missing_ok=True)
            sys.stderr.flush()
        finally:
            os._exit(code)  # whatever happens: an engine without a parent must not survive

    # --- reader thread -------------------------------------------------------------------------

    def read_requests(self) -> None:
        """Read and sort the parent's requests; end the process when there are no more."""
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
            case LoadModel():
                self.loads.put(request)
            case KnownSpeakers(job=job, groups=groups):
                if groups and not groups[0].index:
                    self._known_speakers[job] = []
                self._known_speakers.setdefault(job, []).extend(groups)
            case Transcribe():
                self._cancelled.discard(request.job)  # from an earlier attempt
                self._waiting.append(request)
            case Cancel(job=job):
                self._cancelled.add(job)
                self._withdraw(job)
            case Hold(on=on):
                self._hold_on = on
                if on and self._held:  # released and held again, before the main thread woke up
                    self.channel.send(Held(True))
            case CleanUp():
                self.cleanup_due = True
            case Shutdown():
                self._closing = True
                self._hold_on = False
            case Ping():
                self.channel.send(Pong())

    def _withdraw(self, job: JobId) -> None:
        """Stop a cancelled job that waits; the threads notice a cancelled job of theirs."""
        for request in tuple(self._waiting):
            if request.job == job:
                self._waiting.remove(request)
                self.stop(request)
        for prepared in tuple(self._prepared):
            if prepared.request.job == job:
                self._prepared.remove(prepared)
                prepared.pcm.close()
                self.stop(prepared.request)

    # --- prepare thread ------------------------------------------------------------------------

    def next_request(self) -> Transcribe | None:
        """Wait for the next file to prepare, and room for it; None if no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._may_prepare() if self._waiting else self._closing)
            return self._waiting.popleft() if self._waiting else None

    def _may_prepare(self) -> bool:
        if self.extractor is None or (self._waiting[0].careful and not self._loaded):
            return False
        return sum(prepared.seconds for prepared in self._prepared) < AHEAD_SECONDS

    def offer(self, prepared: PreparedFile) -> None:
        """Hand a prepared file to the main thread."""
        job = prepared.request.job
        with self._changed:
            self.channel.send(FilePrepared(job))
            self._prepared.append(prepared)
            if self.is_cancelled(job):
                self._withdraw(job)
            self._changed.notify_all()

    def no_more(self) -> None:
        """Signal that all files are prepared, and no more will come."""
        with self._changed:
            self._all_prepared = True
            self._changed.notify_all()

    # --- main thread ---------------------------------------------------------------------------

    def set_extractor(self, extractor: FeatureExtractor, model: str) -> None:
        """Allow files to be prepared with this extractor, for the model of this identity."""
        with self._changed:
            self.extractor, self.model = extractor, model
            self._changed.notify_all()

    def set_loaded(self) -> None:
        """Allow files that may kill the engine to be prepared: the model is loaded."""
        with self._changed:
            self._loaded = True
            self._changed.notify_all()

    def next_prepared(self) -> PreparedFile | None:
        """Wait for the next file for the model; None if no more will come."""
        with self._changed:
            self._model_idle = True
            self._tell_if_held()
            self._changed.wait_for(lambda: self._prepared or self._all_prepared)
            self._model_idle = False
            return self._pop()

    def next_if(self, accept: Callable[[PreparedFile], bool]) -> PreparedFile | None:
        """The next file, if it is prepared and accepted; None otherwise."""
        with self._changed:
            return self._pop() if self._prepared and accept(self._prepared[0]) else None

    def _pop(self) -> PreparedFile | None:
        file = self._prepared.popleft() if self._prepared else None
        self._changed.notify_all()  # there is room for another
        return file

    def hold(self, jobs: Sequence[JobId]) -> bool:
        """Between two windows: wait while held, unless one of these jobs is cancelled.

        Returns whether it waited.
        """
        with self._changed:

            def must_wait() -> bool:
                return self._hold_on and not any(self.is_cancelled(job) for job in jobs)

            if not must_wait():
                return False
            self._held = True
            self.channel.send(Held(True))
            self._changed.wait_for(lambda: not must_wait())
            self._held = False
            self.channel.send(Held(self._hold_on))
            return True

    # --- speaker thread ------------------------------------------------------------------------

    def known_speakers(self, job: JobId) -> tuple[SpeakerGroup, ...]:
        """The groups of voices that an earlier attempt at the file has heard."""
        with self._changed:
            return tuple(self._known_speakers.pop(job, ()))

    def hold_beside(self, stop: Callable[[], bool]) -> None:
        """Between two steps: wait while the engine is held, unless `stop`."""
        with self._changed:
            if not self._hold_on or stop():
                return
            self._listener_holds = True
            self._tell_if_held()
            self._changed.wait_for(lambda: not self._hold_on or stop())
            self._listener_holds = False
            if self._model_idle and self._held:
                self._held = False
                self.channel.send(Held(self._hold_on))

    def _tell_if_held(self) -> None:
        """Say that the engine is held, if the model has nothing to do and the listener waits."""
        if self._hold_on and self._model_idle and self._listener_holds and not self._held:
            self._held = True
            self.channel.send(Held(True))
