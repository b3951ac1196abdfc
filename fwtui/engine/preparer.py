"""The child's prepare thread: gets files ready, ahead of the model."""

from fwtui.audio.decode import DecodeCancelled
from fwtui.core.job import MediaInfo
from fwtui.engine.inbox import Inbox, JobCancelled
from fwtui.engine.prepare import Prepared, prepare
from fwtui.engine.protocol import Preparing, Probed, Transcribe
from fwtui.memory.cleanup import return_free_pages

# Hours of sound pass through this thread's heap and leave it full of holes: 40 MB that it never
# needs again. Of shorter files it keeps little.
LONG_SECONDS = 1200.0


class Preparer:
    """Prepares the requested files in order."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    def run(self) -> None:
        """Until no more files will come."""
        while (request := self.inbox.next_request()) is not None:
            try:
                prepared = self._prepare(request)
            except (DecodeCancelled, JobCancelled):
                self.inbox.give_up(request)
            except Exception as error:  # noqa: BLE001  the thread's outermost frame for a file
                self.inbox.fail(request, error)
            else:
                self.inbox.offer(prepared)
        self.inbox.no_more()

    def _prepare(self, request: Transcribe) -> Prepared:
        assert self.inbox.extractor is not None
        job, channel = request.job, self.inbox.channel
        if self.inbox.is_cancelled(job):
            raise JobCancelled
        self.inbox.add_scratch(request)

        def probed(media: MediaInfo) -> None:
            channel.send(Probed(job, media))

        def progress(done: float, total: float) -> None:
            channel.send(Preparing(job, done, total))

        progress(0.0, 0.0)  # before the file is opened: it may be the end of this process
        prepared = prepare(
            request,
            self.inbox.extractor,
            probed,
            progress,
            lambda: self.inbox.is_cancelled(job),
        )
        progress(prepared.seconds, prepared.seconds)
        if prepared.seconds > LONG_SECONDS:
            return_free_pages()
        return prepared
