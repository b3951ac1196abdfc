"""What a batch keeps of its own past for those who come late."""

from collections import deque

from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    BatchProgress,
    EngineChanged,
    JobChanged,
    JobProgress,
    JobsRemoved,
    LogLine,
    MemorySampled,
    Recap,
)
from fwtui.core.job import JobId, Processing

LOG_LINES = 2_000
MEMORY_SAMPLES = 600


class Recorder:
    """A listener with a bounded memory."""

    def __init__(self) -> None:
        self._log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self._rss: deque[float] = deque(maxlen=MEMORY_SAMPLES)
        self._progress: dict[JobId, JobProgress] = {}
        self._batch: BatchProgress | None = None
        self._finished: BatchFinished | None = None
        self._loading: set[int] = set()

    @property
    def recap(self) -> Recap:
        """All of it at this moment."""
        return Recap(
            log=tuple(self._log),
            rss=tuple(self._rss),
            progress=tuple(self._progress.values()),
            batch=self._batch,
            finished=self._finished,
            loading=tuple(sorted(self._loading)),
        )

    @property
    def finished(self) -> BatchFinished | None:
        """The last end of the queue, or None if there was none."""
        return self._finished

    def hear(self, event: AnyEvent) -> None:
        """Take an event in."""
        match event:
            case LogLine():
                self._log.append(event)
            case MemorySampled(reading=reading):
                self._rss.append(reading.rss)
            case JobProgress(id=job):
                self._progress[job] = event
            case JobChanged(job=job):
                if not isinstance(job.state, Processing):
                    self._progress.pop(job.id, None)
            case JobsRemoved(ids=ids):
                for gone in ids:
                    self._progress.pop(gone, None)
            case BatchProgress():
                self._batch = event
            case BatchFinished():
                self._finished = event
            case EngineChanged(slot=slot, loading=True):
                self._loading.add(slot)
            case EngineChanged(slot=slot):
                self._loading.discard(slot)
            case _:
                pass
