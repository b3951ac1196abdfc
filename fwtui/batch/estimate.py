"""Speed of a batch and estimate of the time left, also from the measurements of earlier batches."""

import contextlib
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fwtui.config.overrides import from_overrides
from fwtui.core.events import BatchProgress, MemoryReading, Phase
from fwtui.core.job import Completed, Job, JobId, Pending
from fwtui.core.settings import Settings
from fwtui.core.view import JobCounts
from fwtui.disk.files import read_regular, write_atomic
from fwtui.errors import StorageError
from fwtui.report.report import Prediction

# Weight of the newest window in the running speed: about the last ten windows count.
NEWEST = 0.2


@dataclass
class Speed:
    """Speed of the last windows in audio seconds per second of work."""

    value: float = 0.0
    _since: float | None = field(default=None, repr=False)

    def begin(self, now: float) -> None:
        """Work begins, or continues after a pause, at `now` (any monotonic seconds)."""
        self._since = now

    def advance(self, audio_seconds: float, now: float) -> None:
        """Another `audio_seconds` are done at `now`."""
        if self._since is None:
            self._since = now
            return
        took, self._since = now - self._since, now
        if took <= 0 or audio_seconds <= 0:
            return
        newest = audio_seconds / took
        self.value = newest if not self.value else (1 - NEWEST) * self.value + NEWEST * newest


def job_eta(done: float, total: float, speed: float) -> float | None:
    """Seconds of work left in a file; None if unknown."""
    if speed <= 0 or total <= 0:
        return None
    return max(0.0, total - done) / speed


# The settings that decide speed and memory, by section.
_DECIDING = {
    "model": ("model", "device", "device_index", "compute_type", "threads"),
    "decoding": ("batched", "batch_size", "beam_size", "best_of", "word_timestamps", "vad_filter"),
}
# Only about the last so many seconds of audio count: a machine may have been busy last month.
_REMEMBERED_SECONDS = 10 * 3600.0
_MOST_ENTRIES = 200


class Performance(msgspec.Struct, frozen=True):
    """Seconds of audio and of the work on it; peak memory of an engine in MB (0: unknown).

    `short_ram` and `short_gpu`: MB that an engine ran out of memory with, so that it needs more.
    """

    audio: float = 0.0
    work: float = 0.0
    ram: float = 0.0
    gpu: float = 0.0
    short_ram: float = 0.0
    short_gpu: float = 0.0

    @property
    def speed(self) -> float:
        """Audio seconds per second of work; 0 if unknown."""
        return self.audio / self.work if self.work > 0 else 0.0

    def combined(self, new: "Performance") -> "Performance":
        """The sum with a later measurement; the longer that is, the less this one counts.

        Peaks do not fade: that less was needed once says nothing of what may be needed.
        """
        left = min(1.0, max(0.0, 1 - new.audio / _REMEMBERED_SECONDS))
        return Performance(
            audio=left * self.audio + new.audio,
            work=left * self.work + new.work,
            ram=max(self.ram, new.ram),
            gpu=max(self.gpu, new.gpu),
            short_ram=max(self.short_ram, new.short_ram),
            short_gpu=max(self.short_gpu, new.short_gpu),
        )

    @property
    def is_possible(self) -> bool:
        """Whether a measurement can have these values."""
        values = msgspec.structs.astuple(self)
        return all(math.isfinite(value) and value >= 0 for value in values)


def shortage(used: float, free: float) -> float:
    """MB that were not enough, of which an engine had `used` when it ran out of memory.

    A process may be killed for other reasons while much is free, so the rise has a limit.
    """
    return min(used + max(0.0, free), 1.5 * used)


# Version 1 took the memory of engines that were still loading for that of a batch, and lowered its
# peaks: of such a file only the speeds are used.
_VERSION = 2
_MOST_BYTES = 4 << 20  # of the file


class _File(msgspec.Struct):
    version: int = 1
    measured: dict[str, Performance] = {}


def settings_key(settings: Settings) -> str:
    """The settings that two batches must share for their measurements to be comparable."""
    settings = replace(settings, decoding=settings.engine_decoding)
    parts = [
        f"{name}={getattr(getattr(settings, section), name)}"
        for section, names in _DECIDING.items()
        for name in names
        if hasattr(getattr(settings, section), name)
    ]
    return " ".join(parts)


class PerformanceHistory:
    """Measurements of earlier batches in a file; with no `path` in memory only."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._new: dict[str, Performance] = {}
        self._known = _read(path)

    def get(self, settings: Settings) -> Performance:
        """The measurement for batches with such settings; zeros if there is none."""
        key = settings_key(settings)
        known = self._known.get(key, Performance())
        return known.combined(self._new[key]) if key in self._new else known

    def add(self, settings: Settings, measured: Performance) -> None:
        """Add a measurement; `save` writes it."""
        key = settings_key(settings)
        before = self._new.get(key, Performance())
        peaks = before.combined(measured)
        self._new[key] = replace(
            peaks, audio=before.audio + measured.audio, work=before.work + measured.work
        )

    def save(self) -> None:
        """Write new measurements, combined with what other processes wrote meanwhile."""
        if self._path is None or not self._new:
            return
        known = _read(self._path)
        for key, new in self._new.items():
            known[key] = known.pop(key, Performance()).combined(new)  # the last used at the end
        for key in list(known)[:-_MOST_ENTRIES]:
            del known[key]
        self._known, self._new = known, {}
        data = msgspec.json.format(msgspec.json.encode(_File(_VERSION, known)))
        with contextlib.suppress(StorageError, OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, data, 0o600)


def _read(path: Path | None) -> dict[str, Performance]:
    if path is None:
        return {}
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return {}
        found = msgspec.json.decode(read_regular(path, _MOST_BYTES), type=_File)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    known = {key: one for key, one in found.measured.items() if one.is_possible}
    if found.version == 1:
        return {key: Performance(one.audio, one.work) for key, one in known.items()}
    return known if found.version == _VERSION else {}


class BatchEstimate:
    """Estimate of the time that a batch still takes; `now` gives monotonic seconds.

    `prediction` is the first estimate made with all lengths known, for the report.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        history: PerformanceHistory,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._history = history
        self._now = now
        self._started: float | None = None
        self._paused = 0.0  # seconds
        self._paused_since: float | None = None
        self._partial: set[JobId] = set()
        self._idle_gpus: dict[int, float] = {}
        self.prediction: Prediction | None = None

    def speed(self, measured: float) -> float:
        """The present speed if it was measured, else that of earlier batches with such settings."""
        return measured or self._history.get(self._settings()).speed

    def progress(self, counts: JobCounts, running: float, measured: float) -> BatchProgress:
        """Progress of the batch, with `running` seconds of audio done in running files.

        `measured` is the present speed, 0 if unknown.
        """
        share = counts.shares(running).finished
        return BatchProgress(
            completed=counts.completed,
            failed=counts.failed,
            pending=counts.unfinished,
            total=counts.total,
            done_seconds=share * counts.audio_seconds,
            total_seconds=counts.audio_seconds,
            eta=self.eta(counts, counts.done_seconds + running, self.speed(measured)),
            share=share,
            to_check=counts.to_check,
            cancelled=counts.cancelled,
            skipped=counts.skipped,
        )

    def eta(self, counts: JobCounts, done: float, speed: float) -> float | None:
        """Seconds left; None if the speed or all lengths are unknown."""
        total = counts.total_seconds
        if speed <= 0 or total <= done or not counts.measured:
            return None
        seconds = (total - done) / speed
        if self.prediction is None and self._started is not None and not counts.unmeasured:
            self.prediction = Prediction(self._worked(), seconds)
        return seconds

    def start(self, jobs: Iterable[Job]) -> None:
        """The batch starts with these jobs."""
        self._partial = {job.id for job in jobs if _is_partial(job)}
        self._started, self._paused, self._paused_since = self._now(), 0.0, None
        self.prediction = None

    def end(self, *, stopped: bool) -> Prediction | None:
        """The batch ends; returns the prediction with the time it took, unless it was stopped."""
        if self.prediction is not None and not stopped:
            took = self._worked() - self.prediction.after
            self.prediction = Prediction(self.prediction.after, self.prediction.seconds, took)
        else:
            self.prediction = None
        self._started = None
        return self.prediction

    def _worked(self) -> float:
        """Seconds since the start, without pauses."""
        assert self._started is not None
        now = self._now()
        paused = now - self._paused_since if self._paused_since is not None else 0.0
        return now - self._started - self._paused - paused

    def phase_changed(self, phase: Phase) -> None:
        """Time in a pause does not count."""
        if phase is Phase.PAUSED:
            self._paused_since = self._now()
        elif self._paused_since is not None:
            self._paused += self._now() - self._paused_since
            self._paused_since = None

    def queue_changed(self) -> None:
        """Jobs were added or removed: a prediction was for another queue."""
        self.prediction = None

    def job_changed(self, job: Job) -> None:
        """Measure the speed of files that were done in one go, without a retry."""
        if _is_partial(job):
            self._partial.add(job.id)
        elif isinstance(job.state, Completed):
            is_whole = job.id not in self._partial and not job.attempts
            if is_whole and job.state.speed is not None:
                took = Performance(job.state.audio_timed, job.state.work_seconds)
                own = None if job.settings is None else from_overrides(job.settings)
                self._history.add(own or self._settings(), took)

    def memory_measured(self, reading: MemoryReading, *, worked: bool) -> None:
        """Measure what engines add to the memory of a GPU since it was idle.

        `worked`: a loaded engine has finished a window. Their own memory is measured by the engine
        workers.
        """
        gpus = {gpu.index: gpu.used for gpu in reading.gpus}
        if not reading.engines:
            self._idle_gpus = gpus
        elif self._started is not None and worked:
            grown = (used - self._idle_gpus.get(index, used) for index, used in gpus.items())
            if (peak := max(0.0, *grown, 0.0)) > 0:
                self._history.add(self._settings(), Performance(gpu=peak))


def _is_partial(job: Job) -> bool:
    """Whether a waiting job was begun before: its time says nothing about its speed."""
    return isinstance(job.state, Pending) and job.state.done_seconds > 0
