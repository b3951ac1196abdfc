"""The engine child process: `python -m fwtui.engine.child`.

The main thread runs the model; a prepare thread gets the next file ready; a reader thread takes
requests and ends the process when the parent is gone, whatever the others are doing.
"""

import contextlib
import faulthandler
import os
import queue
import signal
import sys
import threading
import traceback
from collections import deque
from pathlib import Path

from fwtui.audio.decode import DecodeCancelled
from fwtui.audio.identity import change_since
from fwtui.core.job import JobId, MediaInfo
from fwtui.core.paths import text_to_path
from fwtui.engine.channel import Channel, requests
from fwtui.engine.failure import classify_exception
from fwtui.engine.prepare import Prepared, prepare
from fwtui.engine.protocol import (
    PROTOCOL,
    AnyRequest,
    Cancel,
    CleanedUp,
    Fatal,
    FileFailed,
    Finished,
    Held,
    Hold,
    Load,
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
from fwtui.engine.transcriber import Transcriber
from fwtui.errors import EngineError
from fwtui.memory.cleanup import clean_up

NICENESS = 5
OOM_SCORE = "500"  # of 1000: the kernel takes the engine, which can be replaced, before the rest


class JobCancelled(Exception):
    """The parent gave this job up."""


class Engine:
    """The state that the child's three threads share; `changed` guards it and tells of changes."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.loads: queue.SimpleQueue[Load] = queue.SimpleQueue()
        self.changed = threading.Condition()
        self.waiting: deque[Transcribe] = deque()
        self.prepared: deque[Prepared] = deque()
        self.loaded = False
        self.closing = False  # no more requests will come
        self.all_prepared = False
        self.holding = False
        self.resting = False
        self.cancelled: set[JobId] = set()
        self.scratch: set[Path] = set()
        self.transcriber: Transcriber | None = None

    def is_cancelled(self, job: JobId) -> bool:
        """Whether the parent gave the job up."""
        return job in self.cancelled

    def drop_scratch(self, request: Transcribe) -> None:
        """Delete the request's scratch WAV."""
        path = text_to_path(request.scratch)
        with contextlib.suppress(OSError):  # the parent and the sweep delete it too
            path.unlink()
        self.scratch.discard(path)

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
        with self.changed:
            self._sort(request)
            self.changed.notify_all()

    def _sort(self, request: AnyRequest) -> None:
        match request:
            case Load():
                self.loads.put(request)
            case Transcribe():
                self.cancelled.discard(request.job)  # from its earlier stay
                self.waiting.append(request)
            case Cancel(job=job):
                self.cancelled.add(job)
                self._withdraw(job)
            case Hold(on=on):
                self.holding = on
                if on and self.resting:  # off and on again, before the main thread woke
                    self.channel.send(Held(True))
            case Shutdown():
                self.closing = True
                self.holding = False
            case Ping():
                self.channel.send(Pong())

    def _withdraw(self, job: JobId) -> None:
        """Give up a cancelled job that no thread works on; the others notice it themselves."""
        for request in tuple(self.waiting):
            if request.job == job:
                self.waiting.remove(request)
                self._give_up(request)
        for prepared in tuple(self.prepared):
            if prepared.request.job == job:
                self.prepared.remove(prepared)
                prepared.pcm.close()
                self._give_up(prepared.request)

    def _give_up(self, request: Transcribe) -> None:
        self.drop_scratch(request)
        self.channel.send(Stopped(request.job))

    def end(self, code: int) -> None:
        """Leave at once: native threads cannot be joined, and the journal is the parent's."""
        try:
            for path in tuple(self.scratch):
                path.unlink(missing_ok=True)
            sys.stderr.flush()
        finally:
            os._exit(code)  # whatever happened: a child without a parent must not stay

    # --- prepare thread ------------------------------------------------------------------------

    def prepare_files(self) -> None:
        """Prepare the requested files in order, at most one ahead of the model."""
        while (request := self._next_request()) is not None:
            try:
                prepared = self._prepare(request)
            except (DecodeCancelled, JobCancelled):
                self._give_up(request)
            except Exception as error:  # noqa: BLE001  the thread's outermost frame for a file
                self._fail(request, error)
            else:
                self._offer(prepared)
        with self.changed:
            self.all_prepared = True
            self.changed.notify_all()

    def _next_request(self) -> Transcribe | None:
        """The next file to prepare, once the model is there; None when there will be no more."""
        with self.changed:
            self.changed.wait_for(lambda: self.loaded if self.waiting else self.closing)
            return self.waiting.popleft() if self.waiting else None

    def _offer(self, prepared: Prepared) -> None:
        """Hand a prepared file to the main thread."""
        job = prepared.request.job
        with self.changed:
            self.prepared.append(prepared)
            if self.is_cancelled(job):
                self._withdraw(job)
            self.changed.notify_all()

    def _prepare(self, request: Transcribe) -> Prepared:
        assert self.transcriber is not None
        job = request.job
        if self.is_cancelled(job):
            raise JobCancelled
        self.scratch.add(text_to_path(request.scratch))

        def probed(media: MediaInfo) -> None:
            self.channel.send(Probed(job, media))

        def progress(done: float, total: float) -> None:
            self.channel.send(Preparing(job, done, total))

        return prepare(
            request,
            self.transcriber.model.feature_extractor,
            probed,
            progress,
            lambda: self.is_cancelled(job),
        )

    def _fail(self, request: Transcribe, error: Exception) -> None:
        traceback.print_exc()
        self.drop_scratch(request)
        self.channel.send(FileFailed(request.job, classify_exception(error)))

    # --- main thread ---------------------------------------------------------------------------

    def run(self) -> int:
        """Load the model, then transcribe prepared files until told to stop."""
        try:
            self._load(self.loads.get())
        except Exception as error:  # noqa: BLE001  the outermost frame: it becomes a message
            traceback.print_exc()
            self.channel.send(Fatal(classify_exception(error)))
            return 1
        while (prepared := self._next_prepared()) is not None:
            self._transcribe(prepared)
        self._unload()
        return 0

    def _load(self, load: Load) -> None:
        if load.protocol != PROTOCOL:
            raise EngineError(
                f"The engine speaks protocol {PROTOCOL}, fwtui {load.protocol}",
                "fwtui was updated while it ran: start it again",
            )
        self.transcriber = Transcriber(load.model)
        clean_up()
        self.channel.send(
            Ready(
                device=self.transcriber.device,
                compute_type=self.transcriber.compute_type,
                load_seconds=self.transcriber.load_seconds,
                pid=os.getpid(),
            )
        )
        with self.changed:
            self.loaded = True
            self.changed.notify_all()

    def _next_prepared(self) -> Prepared | None:
        with self.changed:
            self.changed.wait_for(lambda: self.prepared or self.all_prepared)
            return self.prepared.popleft() if self.prepared else None

    def _unload(self) -> None:
        assert self.transcriber is not None
        self.transcriber.model.model.unload_model()
        clean_up()

    def _transcribe(self, prepared: Prepared) -> None:
        request = prepared.request
        try:
            self._send_windows(prepared)
        except JobCancelled:
            ending: Finished | Stopped | FileFailed = Stopped(request.job)
        except Exception as error:  # noqa: BLE001  the thread's outermost frame for a file
            traceback.print_exc()
            ending = FileFailed(request.job, classify_exception(error))
        else:
            since = change_since(text_to_path(request.path), prepared.fingerprint)
            ending = Finished(request.job, since)
        prepared.pcm.close()
        self.drop_scratch(request)
        self.channel.send(ending)
        clean_up()
        self.channel.send(CleanedUp(request.job))

    def _send_windows(self, prepared: Prepared) -> None:
        assert self.transcriber is not None
        job = prepared.request.job
        self._pause_point(job)
        plan = self.transcriber.plan(prepared)
        self.channel.send(
            Started(
                job,
                plan,
                prepared.media,
                resumed=prepared.resume is not None,
                restarted=prepared.restarted,
            )
        )
        skip = prepared.request.skip_window and not prepared.restarted
        for result in self.transcriber.windows(prepared, plan, skip_first=skip):
            self.channel.send(Window(job, result))
            if not result.state.done:
                self._pause_point(job)

    def _pause_point(self, job: JobId) -> None:
        """Between two windows: rest while held, give up when cancelled."""
        with self.changed:
            if self.holding and not self.is_cancelled(job):
                self.resting = True
                self.channel.send(Held(True))
                self.changed.wait_for(lambda: not self.holding or self.is_cancelled(job))
                self.resting = False
                self.channel.send(Held(self.holding))
        if self.is_cancelled(job):
            raise JobCancelled


def lower_priority() -> None:
    """Let the user interface and the rest of the machine go first."""
    with contextlib.suppress(OSError):  # a sandbox may forbid it
        if hasattr(os, "nice"):
            os.nice(NICENESS)
        score = Path("/proc/self/oom_score_adj")
        if score.exists():
            score.write_text(OOM_SCORE)


def leave_signals_to_the_parent() -> None:
    """Ctrl-C and a hang-up reach the whole group; what they mean is the parent's decision."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def main() -> None:
    """Run the child; never returns."""
    channel = Channel.take_stdout()
    faulthandler.enable()
    if hasattr(faulthandler, "register"):  # POSIX: the parent asks a stalled engine for its stacks
        faulthandler.register(signal.SIGUSR1)
    leave_signals_to_the_parent()
    lower_priority()
    engine = Engine(channel)
    threading.Thread(target=engine.read_requests, name="requests", daemon=True).start()
    threading.Thread(target=engine.prepare_files, name="prepare", daemon=True).start()
    code = 70
    try:
        code = engine.run()
    except BrokenPipeError:
        code = 0
    except Exception:  # noqa: BLE001  the process's outermost frame: the parent reads stderr
        traceback.print_exc()
    finally:
        engine.end(code)


if __name__ == "__main__":
    main()
