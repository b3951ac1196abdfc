"""Batched mode: chooses which chunks of which files go through the model together."""

import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from fwtui.core.decoding import batch_size, shares
from fwtui.core.failure import FailureKind
from fwtui.core.job import JobId
from fwtui.engine.batched import BatchDecoder, batch_kind
from fwtui.engine.batched_file import BatchedFile, Part
from fwtui.engine.classify import classify_exception
from fwtui.engine.inbox import Inbox, JobCancelled
from fwtui.engine.prepare import PreparedFile
from fwtui.engine.protocol import InModel, WindowDone
from fwtui.engine.reporter import Reporter
from fwtui.engine.transcriber import Transcriber


class BatchedFiles:
    """Transcribes a file in batches, together with following files of the same kind."""

    def __init__(
        self, transcriber: Transcriber, inbox: Inbox, reporter: Reporter, first: PreparedFile
    ) -> None:
        self.transcriber = transcriber
        self.inbox = inbox
        self.channel = inbox.channel
        self.reporter = reporter
        self.decoder = BatchDecoder(transcriber.model, self._started)
        decoding = first.request.decoding
        self.kind = batch_kind(decoding)
        self.size = 1 if first.request.careful else batch_size(decoding, transcriber.device)
        self.files: list[BatchedFile] = []
        self._next: PreparedFile | None = first

    def run(self) -> None:
        """Transcribe until there are no more files of this kind."""
        # Computes the features of the next batch while this one is in the model.
        with ThreadPoolExecutor(1, "features") as self._features:
            self._work()
        self.channel.send(InModel(()))

    def _work(self) -> None:
        in_model: tuple[JobId, ...] = ()
        while self._fill():
            held = self.reporter.hold([file.job for file in self.files])
            if self._drop_cancelled() or held:
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
                self.reporter.after_file()

    def _fill(self) -> bool:
        """Add prepared files until they fill a batch; returns whether there are any."""
        while sum(file.left for file in self.files) < self.size:
            prepared, self._next = self._next or self.inbox.next_if(self._fits), None
            if prepared is None:
                break
            try:
                self._add(prepared)
            except Exception as error:  # noqa: BLE001  the thread's outermost frame for a file
                self.reporter.finish(prepared, error)
        return bool(self.files)

    def _fits(self, prepared: PreparedFile) -> bool:
        """Whether the file may share batches with the present files."""
        request = prepared.request
        return not request.careful and batch_kind(request.decoding) == self.kind

    def _add(self, prepared: PreparedFile) -> None:
        whole = self.transcriber.plan(prepared) if prepared.channels else None
        file = BatchedFile(self.transcriber, prepared, whole)
        if file.plan is not None:
            self._started(file)
            known = prepared.resume and prepared.resume.is_done
            if not file.left and not known:
                self.channel.send(WindowDone(file.job, file.empty_result()))
            elif prepared.request.skip_window and not prepared.restarted:
                self.channel.send(WindowDone(file.job, file.skip()))
            if not file.left:
                self.reporter.finish(prepared)
                return
        self.files.append(file)

    def _started(self, file: BatchedFile) -> None:
        self.reporter.started(file.prepared, file.file_plan)

    def _drop_cancelled(self) -> bool:
        """Answer cancellations; returns whether there were any."""
        cancelled = [file for file in self.files if self.inbox.is_cancelled(file.job)]
        for file in cancelled:
            self._finish(file, JobCancelled())
        return bool(cancelled)

    def _finish(
        self, file: BatchedFile, error: Exception | None = None, *, shared: bool = False
    ) -> None:
        self.files.remove(file)
        self.reporter.finish(file.prepared, error, shared=shared)

    def _next_batch(self) -> list[Part]:
        """The parts of the next batch."""
        given = shares([file.left for file in self.files], self.size)
        parts: list[Part] = []
        for file, count in zip(tuple(self.files), given, strict=True):
            if count:
                try:
                    parts.append(Part.of(file, count))
                except Exception as error:  # noqa: BLE001  the thread's outermost frame for a file
                    self._finish(file, error)
        return parts

    def _prepare_next(self, parts: Sequence[Part]) -> None:
        """Start computing the features of the batch after this one, for the present files."""
        counts = {part.file.job: part.count for part in parts}
        left = [file.left - counts.get(file.job, 0) for file in self.files]
        for file, count in zip(self.files, shares(left, self.size), strict=True):
            first = file.state.clip + counts.get(file.job, 0)
            file.compute_ahead(self._features, range(first, first + count))

    def _decode(self, parts: list[Part]) -> None:
        """Run a batch through the model, and send its results."""
        self.reporter.begin()
        try:
            results = self.decoder.decode(parts)
        except Exception as error:  # noqa: BLE001  the thread's outermost frame for these files
            self.reporter.abort()
            self._failed(parts, error)
            return
        per_chunk = self.reporter.end() / sum(part.count for part in parts)
        for part, result in zip(parts, results, strict=True):
            self.channel.send(WindowDone(part.file.job, result, per_chunk * part.count))
            if result.state.done:
                self._finish(part.file)

    def _failed(self, parts: list[Part], error: Exception) -> None:
        """Decode each file of a failed batch alone, so that one file does not fail the others.

        Unless memory ran out: then the batch was too large.
        """
        out_of_memory = classify_exception(error).kind is FailureKind.OUT_OF_MEMORY
        if out_of_memory or len(parts) == 1:
            for part in parts:
                self._finish(part.file, error, shared=len(parts) > 1)
            return
        traceback.print_exc()
        for part in parts:
            self._decode([part])
