"""The engine's main loop: loads the model and transcribes the prepared files with it."""

import gc
import os
import traceback
from pathlib import Path

from fwtui.core.disk_errors import DiskArea
from fwtui.core.failure import Failure
from fwtui.core.job import JobId
from fwtui.core.paths import expand_home, path_to_text
from fwtui.engine.batches import BatchedFiles
from fwtui.engine.classify import classify_exception
from fwtui.engine.inbox import Inbox, JobCancelled
from fwtui.engine.prepare import PreparedFile
from fwtui.engine.protocol import (
    PROTOCOL,
    CleanedUp,
    Fatal,
    InModel,
    LoadModel,
    Ready,
    WindowDone,
)
from fwtui.engine.reporter import Reporter
from fwtui.engine.transcriber import Transcriber, feature_extractor
from fwtui.errors import EngineError
from fwtui.memory.cleanup import clean_up, peak_rss
from fwtui.models.cache import locate
from fwtui.models.model_identity import model_identity

# For voices, beside a model on the GPU, which is some 30 times faster than one of these.
LISTENER_THREADS = 4


class EngineLoop:
    """Owns the model. Runs in the main thread."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.channel = inbox.channel
        self.reporter = Reporter(inbox, self._listener_threads)
        self.transcriber: Transcriber

    def run(self) -> int:
        """Load the model, then transcribe prepared files until shut down; returns the exit code."""
        load = self.inbox.loads.get()
        try:
            self._load(load)
        except Exception as error:  # noqa: BLE001  the outermost frame: it becomes a message
            traceback.print_exc()
            self.channel.send(Fatal(_load_failure(load, error)))
            return 1
        while (prepared := self.inbox.next_prepared()) is not None:
            if prepared.request.decoding.batched:
                BatchedFiles(self.transcriber, self.inbox, self.reporter, prepared).run()
            else:
                self._sequential(prepared)
        self.reporter.listener.join()
        self.transcriber.model.model.unload_model()
        clean_up()
        return 0

    def _listener_threads(self) -> int:
        """One beside a model on the CPU; some where the model runs on the GPU."""
        if self.transcriber.device == "cpu":
            return 1
        return max(1, min(LISTENER_THREADS, (os.cpu_count() or 1) // 2))

    def _load(self, load: LoadModel) -> None:
        if load.protocol != PROTOCOL:
            raise EngineError(
                f"The engine uses protocol {PROTOCOL}, but fwtui uses {load.protocol}",
                "fwtui was updated while running: restart it",
            )
        folder = locate(load.model)
        self.inbox.set_extractor(feature_extractor(folder), model_identity(folder))
        self.transcriber = Transcriber(load.model, folder)
        freed = clean_up()
        gc.freeze()  # these objects stay: later collections can skip them
        self.channel.send(
            Ready(
                device=self.transcriber.device,
                compute_type=self.transcriber.compute_type,
                load_seconds=self.transcriber.load_seconds,
                pid=os.getpid(),
            )
        )
        self.channel.send(CleanedUp("load", freed, peak_rss()))
        self.inbox.set_loaded()

    def _sequential(self, prepared: PreparedFile) -> None:
        self.channel.send(InModel((prepared.request.job,)))
        try:
            self._send_windows(prepared)
        except Exception as error:  # noqa: BLE001  the thread's outermost frame for a file
            self.reporter.abort()
            self.reporter.finish(prepared, error)
        else:
            self.reporter.finish(prepared)
        self.channel.send(InModel(()))
        self.reporter.after_file()

    def _send_windows(self, prepared: PreparedFile) -> None:
        job = prepared.request.job
        self._checkpoint(job)
        self.reporter.begin()
        plan = self.transcriber.plan(prepared)
        self.reporter.started(prepared, plan)
        skip = prepared.request.skip_window and not prepared.restarted
        for result in self.transcriber.windows(prepared, plan, skip_first=skip):
            self.channel.send(WindowDone(job, result, self.reporter.end()))
            if not result.state.done:
                self._checkpoint(job)
            self.reporter.begin()
        self.reporter.end()

    def _checkpoint(self, job: JobId) -> None:
        """Between two windows: wait while held. Raises JobCancelled."""
        self.reporter.hold((job,))
        if self.inbox.is_cancelled(job):
            raise JobCancelled


def _load_failure(load: LoadModel, error: Exception) -> Failure:
    """Why the model cannot be loaded: CTranslate2 does not say that it is the disk."""
    try:
        folder = locate(load.model)
    except EngineError as missing:
        chosen = expand_home(load.model.model) / "model.bin"
        place = path_to_text(chosen) if chosen.is_absolute() else ""
        return classify_exception(missing, DiskArea.MODEL, place)
    weights = path_to_text(folder / "model.bin")
    if not isinstance(error, OSError):
        try:
            read_through(folder)
        except OSError as unreadable:
            error = unreadable
    return classify_exception(error, DiskArea.MODEL, weights)


def read_through(folder: Path) -> None:
    """Read all files of a model. Raises OSError."""
    for file in sorted(folder.iterdir()):
        with file.open("rb", buffering=0) as stream:
            while stream.read(1 << 20):
                pass
