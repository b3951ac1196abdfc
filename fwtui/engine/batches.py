"""Which chunks of which files go through the model together, and what becomes of them."""

import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from fwtui.core.decoding import batch_size, shares
from fwtui.core.failure import FailureKind
from fwtui.core.job import JobId
from fwtui.engine.batched import BatchDecoder, batch_kind
from fwtui.engine.batched_file import BatchedFile, Part
from fwtui.engine.failure import classify_exception
from fwtui.engine.inbox import Inbox, JobCancelled
from fwtui.engine.prepare import Prepared
from fwtui.engine.protocol import InModel, Window
from fwtui.engine.teller import Teller
from fwtui.engine.transcriber import Transcriber


class BatchedFiles:
    """Batches of one file and of those after it that are of its kind, until all are done."""

    def __init__(
        self, transcriber: Transcriber, inbox: Inbox, teller: Teller, first: Prepared
    ) -> None:
        self.transcriber = transcriber
        self.inbox = inbox
        self.channel = inbox.channel
        self.teller = teller
        self.decoder = BatchDecoder(transcriber.model, self._started)
        decoding = first.request.decoding
        self.kind = batch_kind(decoding)
        self.size = 1 if first.request.careful else batch_size(decoding, transcriber.device)
        self.files: list[BatchedFile] = []
        self._next: Prepared | None = first

    def run(self) -> None:
        """Until no file of this kind is there any more."""
        # Computes the features of the next batch while this one is in the model.
        with ThreadPoolExecutor(1, "features") as self._features:
            self._work()
        self.channel.send(InModel(()))

    def _work(self) -> None:
        in_model: tuple[JobId, ...] = ()
        while self._fill():
            rested = self.teller.rest([file.job for file in self.files])
            if self._drop_cancelled() or rested:
                continue
            parts = self._next_batch()
            jobs = tuple(part.file.job for part in parts)
            if jobs != in_model:
                self.channel.send(InModel(jobs))
                in_model = jobs
            self._prepare_next(parts)
            before = len(self.files)
            if parts:
                self._decode(parts)
            if len(self.files) < before:
                self.teller.tidy_up()

    def _fill(self) -> bool:
        """Take prepared files in until they fill a batch; whether there is anything to do."""
        while sum(file.left for file in self.files) < self.size:
            prepared, self._next = self._next or self.inbox.next_if(self._fits), None
            if prepared is None:
                break
            try:
                self._enter(prepared)
            except Exception as error:  # noqa: BLE001  the thread's outermost frame for a file
                self.teller.leave(prepared, error)
        return bool(self.files)

    def _fits(self, prepared: Prepared) -> bool:
        """Whether the file may share batches with those here."""
        request = prepared.request
        return not request.careful and batch_kind(request.decoding) == self.kind

    def _enter(self, prepared: Prepared) -> None:
        file = BatchedFile(self.transcriber, prepared)
        if file.plan is not None:
            self._started(file)
            if prepared.request.skip_window and not prepared.restarted and file.left:
                self.channel.send(Window(file.job, file.skip()))
            if not file.left:
                self.channel.send(Window(file.job, file.nothing()))
                self.teller.leave(prepared)
                return
        self.files.append(file)

    def _started(self, file: BatchedFile) -> None:
        assert file.plan is not None
        self.teller.tell_started(file.prepared, file.plan)

    def _drop_cancelled(self) -> bool:
        """Answer cancellations; whether there were any."""
        gone = [file for file in self.files if self.inbox.is_cancelled(file.job)]
        for file in gone:
            self._leave(file, JobCancelled())
        return bool(gone)

    def _leave(
        self, file: BatchedFile, error: Exception | None = None, *, shared: bool = False
    ) -> None:
        self.files.remove(file)
        self.teller.leave(file.prepared, error, shared=shared)

    def _next_batch(self) -> list[Part]:
        """The parts of the next batch."""
        given = shares([file.left for file in self.files], self.size)
        parts: list[Part] = []
        for file, count in zip(tuple(self.files), given, strict=True):
            if count:
                try:
                    parts.append(Part.of(file, count))
                except Exception as error:  # noqa: BLE001  the thread's outermost frame for a file
                    self._leave(file, error)
        return parts

    def _prepare_next(self, parts: Sequence[Part]) -> None:
        """Begin with the features of the batch after this one, as far as its files are here."""
        taken = {part.file.job: part.count for part in parts}
        left = [file.left - taken.get(file.job, 0) for file in self.files]
        for file, count in zip(self.files, shares(left, self.size), strict=True):
            first = file.state.clip + taken.get(file.job, 0)
            file.compute_ahead(self._features, range(first, first + count))

    def _decode(self, parts: list[Part]) -> None:
        """Run a batch through the model, and tell what came out of it."""
        self.teller.begin()
        try:
            results = self.decoder.decode(parts)
        except Exception as error:  # noqa: BLE001  the thread's outermost frame for these files
            self.teller.broke_off()
            self._failed(parts, error)
            return
        second = self.teller.end() / sum(part.count for part in parts)
        for part, result in zip(parts, results, strict=True):
            self.channel.send(Window(part.file.job, result, second * part.count))
            if result.state.done:
                self._leave(part.file)

    def _failed(self, parts: list[Part], error: Exception) -> None:
        """A file that fails must not take its neighbours along: each is tried alone.

        Unless memory ran out, which is nobody's fault: then the batch was too large.
        """
        out_of_memory = classify_exception(error).kind is FailureKind.OUT_OF_MEMORY
        if out_of_memory or len(parts) == 1:
            for part in parts:
                self._leave(part.file, error, shared=len(parts) > 1)
            return
        traceback.print_exc()
        for part in parts:
            self._decode([part])
