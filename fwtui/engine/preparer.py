"""The engine's prepare thread: prepares files ahead of the model."""

from fwtui.audio.decode import DecodeCancelled
from fwtui.core.job import MediaInfo
from fwtui.engine.inbox import Inbox, JobCancelled
from fwtui.engine.prepare import PreparedFile, prepare
from fwtui.engine.protocol import FilePreparing, FileProbed, Transcribe
from fwtui.memory.cleanup import return_free_pages

# Hours of audio fragment the heap of this thread: 40 MB that it never needs again. Shorter files
# leave little behind.
LONG_SECONDS = 1200.0


class Preparer:
    """Prepares the requested files in order."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    def run(self) -> None:
        """Prepare files until no more will come."""
        while (request := self.inbox.next_request()) is not None:
            try:
                prepared = self._prepare(request)
            except (DecodeCancelled, JobCancelled):
                self.inbox.stop(request)
            except Exception as error:  # noqa: BLE001  the thread's outermost frame for a file
                self.inbox.fail(request, error)
            else:
                self.inbox.offer(prepared)
        self.inbox.no_more()

    def _prepare(self, request: Transcribe) -> PreparedFile:
        assert self.inbox.extractor is not None
        job, channel = request.job, self.inbox.channel
        if self.inbox.is_cancelled(job):
            raise JobCancelled
        self.inbox.add_scratch(request)

        def probed(media: MediaInfo) -> None:
            channel.send(FileProbed(job, media))

        def progress(done: float, total: float) -> None:
            channel.send(FilePreparing(job, done, total))

        progress(0.0, 0.0)  # before the file is opened, which may kill this process
        prepared = prepare(
            request,
            self.inbox.extractor,
            probed,
            progress,
            lambda: self.inbox.is_cancelled(job),
            self.inbox.model,
        )
        progress(prepared.seconds, prepared.seconds)
        if prepared.seconds > LONG_SECONDS:
            return_free_pages()
        return prepared
