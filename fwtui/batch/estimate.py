"""How fast it goes and when it will be done: pure arithmetic on seconds."""

from dataclasses import dataclass, field

from fwtui.core.job import Completed, Failed, Job, Pending, Processing

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


@dataclass
class Tally:
    """Running sums over the jobs of a batch, so that no event costs a walk through the queue.

    Jobs that ended without being completed count neither as done nor as to do.
    """

    completed: int = 0
    failed: int = 0
    pending: int = 0
    other: int = 0
    done_seconds: float = 0.0
    known_seconds: float = 0.0
    measured: int = 0
    unmeasured: int = 0

    def add(self, job: Job) -> None:
        """Count a job in."""
        self._count(job, 1)

    def remove(self, job: Job) -> None:
        """Count a job out; it must be as it was when counted in."""
        self._count(job, -1)

    def _count(self, job: Job, sign: int) -> None:
        match job.state:
            case Completed():
                self.completed += sign
                self.done_seconds += sign * job.duration
            case Pending(done_seconds=done):
                self.pending += sign
                self.done_seconds += sign * done
            case Processing():
                self.pending += sign
            case Failed():
                self.failed += sign
                return
            case _:
                self.other += sign
                return
        if job.duration > 0:
            self.measured += sign
            self.known_seconds += sign * job.duration
        else:
            self.unmeasured += sign

    @property
    def total(self) -> int:
        """All jobs."""
        return self.completed + self.failed + self.pending + self.other

    @property
    def total_seconds(self) -> float:
        """Audio seconds done and to do; files of unknown length count as of mean length."""
        mean = self.known_seconds / self.measured if self.measured else 0.0
        return self.known_seconds + mean * self.unmeasured
