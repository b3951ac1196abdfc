"""How long a batch will take, before its first window too; and afterwards, how right that was."""

import time
from collections.abc import Callable, Iterable

import msgspec

from fwtui.batch.estimate import Tally
from fwtui.batch.history import History, Measured
from fwtui.core.events import (
    AnyEvent,
    JobChanged,
    JobsAdded,
    JobsRemoved,
    MemorySampled,
    Phase,
    PhaseChanged,
)
from fwtui.core.job import Completed, Job, JobId, Pending
from fwtui.core.settings import Settings


class Prediction(msgspec.Struct, frozen=True):
    """What was said: `seconds` more, `after` seconds of work; and what it was (None: not yet)."""

    after: float
    seconds: float
    took: float | None = None

    @property
    def error(self) -> float | None:
        """Of what it took, the share that was said too much (negative: too little)."""
        return self.seconds / self.took - 1 if self.took else None


class Pace:
    """Hears the events of a batch; `now` gives monotonic seconds."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        history: History,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._history = history
        self._now = now
        self._began: float | None = None
        self._rested = 0.0
        self._rests_since: float | None = None
        self._partial: set[JobId] = set()
        self._idle_gpus: dict[int, float] = {}
        self.prediction: Prediction | None = None

    def speed(self, measured: float) -> float:
        """The speed of the last windows, or before them that of earlier batches like this."""
        return measured or self._history.get(self._settings()).speed

    def eta(self, tally: Tally, done: float, speed: float) -> float | None:
        """Seconds left; None when the speed or all lengths are unknown. Keeps the first it says."""
        total = tally.total_seconds
        if speed <= 0 or total <= done or not tally.measured:
            return None
        seconds = (total - done) / speed
        if self.prediction is None and self._began is not None and not tally.unmeasured:
            self.prediction = Prediction(self._worked(), seconds)
        return seconds

    def begin(self, jobs: Iterable[Job]) -> None:
        """The batch starts; of a file that was begun before, its time says nothing of its speed."""
        self._partial = {job.id for job in jobs if _was_begun(job)}
        self._began, self._rested, self._rests_since = self._now(), 0.0, None
        self.prediction = None

    def end(self, *, stopped: bool) -> None:
        """The batch is over; one that was stopped says nothing of the prediction."""
        if self.prediction is not None and not stopped:
            took = self._worked() - self.prediction.after
            self.prediction = Prediction(self.prediction.after, self.prediction.seconds, took)
        else:
            self.prediction = None
        self._began = None

    def _worked(self) -> float:
        """Seconds since the batch began, without its rests."""
        assert self._began is not None
        now = self._now()
        resting = now - self._rests_since if self._rests_since is not None else 0.0
        return now - self._began - self._rested - resting

    def hear(self, event: AnyEvent) -> None:
        """A listener of the batch."""
        match event:
            case PhaseChanged(phase=phase):
                self._phase(phase)
            case JobsAdded() | JobsRemoved():
                self.prediction = None  # it was about another queue
            case JobChanged(job=job):
                self._job(job)
            case MemorySampled(reading=reading):
                self._memory(reading.engines, {gpu.index: gpu.used for gpu in reading.gpus})
            case _:
                pass

    def _job(self, job: Job) -> None:
        if _was_begun(job):
            self._partial.add(job.id)
        elif isinstance(job.state, Completed):
            is_whole = job.id not in self._partial and not job.attempts
            if is_whole and job.state.work_seconds > 0:
                took = Measured(job.state.audio_seconds, job.state.work_seconds)
                self._history.add(self._settings(), took)

    def _phase(self, phase: Phase) -> None:
        if phase is Phase.PAUSED:
            self._rests_since = self._now()
        elif self._rests_since is not None:
            self._rested += self._now() - self._rests_since
            self._rests_since = None

    def _memory(self, engines: float, gpus: dict[int, float]) -> None:
        if not engines:
            self._idle_gpus = gpus
        elif self._began is not None:
            grown = (used - self._idle_gpus.get(index, used) for index, used in gpus.items())
            peak = Measured(ram=engines, gpu=max(0.0, *grown, 0.0))
            self._history.add(self._settings(), peak)


def _was_begun(job: Job) -> bool:
    return isinstance(job.state, Pending) and job.state.done_seconds > 0
