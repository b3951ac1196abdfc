"""How fast it goes and when it will be done: pure arithmetic on seconds."""

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fwtui.core.events import (
    AnyEvent,
    BatchProgress,
    JobChanged,
    JobsAdded,
    JobsRemoved,
    MemorySampled,
    Phase,
    PhaseChanged,
)
from fwtui.core.job import Completed, Job, JobId, Pending
from fwtui.core.settings import Settings
from fwtui.core.view import JobCounts
from fwtui.disk.files import write_atomic
from fwtui.errors import StorageError
from fwtui.report.report import Prediction

# Weight of the newest window in the running speed: about the last ten windows count.
NEWEST = 0.2


@dataclass
class Speed:
    """Running speed in audio seconds per second of work."""

    value: float = 0.0
    _since: float | None = field(default=None, repr=False)

    def begin(self, now: float) -> None:
        """Work begins, or goes on after a rest, at `now` (any monotonic seconds)."""
        self._since = now

    def advance(self, audio_seconds: float, now: float) -> None:
        """`audio_seconds` more are done at `now`."""
        if self._since is None:
            self._since = now
            return
        took, self._since = now - self._since, now
        if took <= 0 or audio_seconds <= 0:
            return
        newest = audio_seconds / took
        self.value = newest if not self.value else (1 - NEWEST) * self.value + NEWEST * newest


def job_eta(done: float, total: float, speed: float) -> float | None:
    """Seconds of work left in a file; None when it cannot be known."""
    if speed <= 0 or total <= 0:
        return None
    return max(0.0, total - done) / speed


# What decides speed and memory, by section; a name that this version does not have is left out.
_DECIDING = {
    "model": ("model", "device", "device_index", "compute_type", "threads"),
    "decoding": ("batched", "batch_size", "beam_size", "best_of", "word_timestamps", "vad_filter"),
}
# About so much audio counts: a machine that was busy last month is forgotten.
_REMEMBERED_SECONDS = 10 * 3600.0
_MOST_ENTRIES = 200
_OLD_PEAK = 0.9  # what is left of a peak when a lower one is measured


class Measured(msgspec.Struct, frozen=True):
    """Audio seconds and the seconds that they took; peaks of an engine in MB (0: not known)."""

    audio: float = 0.0
    work: float = 0.0
    ram: float = 0.0
    gpu: float = 0.0

    @property
    def speed(self) -> float:
        """Audio seconds per second of work; 0 if nothing was measured."""
        return self.audio / self.work if self.work > 0 else 0.0

    def and_then(self, new: "Measured") -> "Measured":
        """With a later measurement."""
        left = min(1.0, max(0.0, 1 - new.audio / _REMEMBERED_SECONDS))
        return Measured(
            audio=left * self.audio + new.audio,
            work=left * self.work + new.work,
            ram=_peak(self.ram, new.ram),
            gpu=_peak(self.gpu, new.gpu),
        )


def _peak(old: float, new: float) -> float:
    return max(new, _OLD_PEAK * old) if new else old


class _File(msgspec.Struct):
    version: int = 1
    measured: dict[str, Measured] = {}


def key_of(settings: Settings) -> str:
    """What two batches must have in common for one to say something of the other."""
    parts = [
        f"{name}={getattr(getattr(settings, section), name)}"
        for section, names in _DECIDING.items()
        for name in names
        if hasattr(getattr(settings, section), name)
    ]
    return " ".join(parts)


class History:
    """The measurements in a file; `path` None keeps them in memory only."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._new: dict[str, Measured] = {}
        self._known = _read(path)

    def get(self, settings: Settings) -> Measured:
        """What is known for batches like this; zeros if nothing is."""
        key = key_of(settings)
        known = self._known.get(key, Measured())
        return known.and_then(self._new[key]) if key in self._new else known

    def add(self, settings: Settings, measured: Measured) -> None:
        """Remember a measurement; `save` makes it last."""
        key = key_of(settings)
        before = self._new.get(key, Measured())
        sums = replace(
            measured, audio=before.audio + measured.audio, work=before.work + measured.work
        )
        self._new[key] = replace(sums, ram=max(before.ram, sums.ram), gpu=max(before.gpu, sums.gpu))

    def save(self) -> None:
        """Write what is new, over what other fwtuis wrote meanwhile."""
        if self._path is None or not self._new:
            return
        known = _read(self._path)
        for key, new in self._new.items():
            known[key] = known.pop(key, Measured()).and_then(new)  # the last used at the end
        for key in list(known)[:-_MOST_ENTRIES]:
            del known[key]
        self._known, self._new = known, {}
        data = msgspec.json.format(msgspec.json.encode(_File(measured=known)))
        with contextlib.suppress(StorageError, OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, data, 0o600)


def _read(path: Path | None) -> dict[str, Measured]:
    if path is None:
        return {}
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return dict(found.measured) if found.version == 1 else {}


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

    def progress(self, counts: JobCounts, running: float, measured: float) -> BatchProgress:
        """How far the batch is, with `running` seconds of audio done in unfinished files.

        `measured` is the present speed, 0 if there is none.
        """
        done = counts.done_seconds + running
        return BatchProgress(
            completed=counts.completed,
            failed=counts.failed,
            pending=counts.unfinished,
            total=counts.total,
            done_seconds=done,
            total_seconds=counts.total_seconds,
            eta=self.eta(counts, done, self.speed(measured)),
        )

    def eta(self, counts: JobCounts, done: float, speed: float) -> float | None:
        """Seconds left; None when the speed or all lengths are unknown. Keeps the first it says."""
        total = counts.total_seconds
        if speed <= 0 or total <= done or not counts.measured:
            return None
        seconds = (total - done) / speed
        if self.prediction is None and self._began is not None and not counts.unmeasured:
            self.prediction = Prediction(self._worked(), seconds)
        return seconds

    def begin(self, jobs: Iterable[Job]) -> None:
        """The batch starts; of a file that was begun before, its time says nothing of its speed."""
        self._partial = {job.id for job in jobs if _was_begun(job)}
        self._began, self._rested, self._rests_since = self._now(), 0.0, None
        self.prediction = None

    def end(self, *, stopped: bool) -> Prediction | None:
        """End the batch; returns the prediction of its time, unless it was stopped."""
        if self.prediction is not None and not stopped:
            took = self._worked() - self.prediction.after
            self.prediction = Prediction(self.prediction.after, self.prediction.seconds, took)
        else:
            self.prediction = None
        self._began = None
        return self.prediction

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
