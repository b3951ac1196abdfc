"""The child's main thread: loads the model and takes prepared files through it."""

import gc
import os
import traceback

from fwtui.core.job import JobId
from fwtui.engine.batches import BatchedFiles
from fwtui.engine.failure import classify_exception
from fwtui.engine.inbox import Inbox, JobCancelled
from fwtui.engine.models import feature_extractor
from fwtui.engine.prepare import Prepared
from fwtui.engine.protocol import (
    PROTOCOL,
    CleanedUp,
    Fatal,
    InModel,
    Load,
    Ready,
    Window,
)
from fwtui.engine.teller import Teller
from fwtui.engine.transcriber import Transcriber
from fwtui.errors import EngineError
from fwtui.memory.cleanup import clean_up, peak_rss
from fwtui.models.cache import locate


class Worker:
    """Owns the model."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.channel = inbox.channel
        self.teller = Teller(inbox)
        self.transcriber: Transcriber

    def run(self) -> int:
        """Load the model, then transcribe prepared files until told to stop; the exit code."""
        try:
            self._load(self.inbox.loads.get())
        except Exception as error:  # noqa: BLE001  the outermost frame: it becomes a message
            traceback.print_exc()
            self.channel.send(Fatal(classify_exception(error)))
            return 1
        while (prepared := self.inbox.next_prepared()) is not None:
            if prepared.request.decoding.batched:
                BatchedFiles(self.transcriber, self.inbox, self.teller, prepared).run()
            else:
                self._sequential(prepared)
        self.transcriber.model.model.unload_model()
        clean_up()
        return 0

    def _load(self, load: Load) -> None:
        if load.protocol != PROTOCOL:
            raise EngineError(
                f"The engine speaks protocol {PROTOCOL}, fwtui {load.protocol}",
                "fwtui was updated while it ran: start it again",
            )
        folder = locate(load.model)
        self.inbox.know_extractor(feature_extractor(folder))
        self.transcriber = Transcriber(load.model, folder)
        freed = clean_up()
        gc.freeze()  # what is there now stays: later collections need not look at it
        self.channel.send(
            Ready(
                device=self.transcriber.device,
                compute_type=self.transcriber.compute_type,
                load_seconds=self.transcriber.load_seconds,
                pid=os.getpid(),
            )
        )
        self.channel.send(CleanedUp("load", freed, peak_rss()))
        self.inbox.model_loaded()

    def _sequential(self, prepared: Prepared) -> None:
        self.channel.send(InModel((prepared.request.job,)))
        try:
            self._send_windows(prepared)
        except Exception as error:  # noqa: BLE001  the thread's outermost frame for a file
            self.teller.broke_off()
            self.teller.leave(prepared, error)
        else:
            self.teller.leave(prepared)
        self.channel.send(InModel(()))
        self.teller.tidy_up()

    def _send_windows(self, prepared: Prepared) -> None:
        job = prepared.request.job
        self._pause_point(job)
        self.teller.begin()
        plan = self.transcriber.plan(prepared)
        self.teller.tell_started(prepared, plan)
        skip = prepared.request.skip_window and not prepared.restarted
        for result in self.transcriber.windows(prepared, plan, skip_first=skip):
            self.channel.send(Window(job, result, self.teller.end()))
            if not result.state.done:
                self._pause_point(job)
            self.teller.begin()
        self.teller.end()

    def _pause_point(self, job: JobId) -> None:
        """Between two windows: rest while held, give up when cancelled."""
        self.teller.rest((job,))
        if self.inbox.is_cancelled(job):
            raise JobCancelled
