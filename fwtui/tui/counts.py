"""How many files are in which state."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from fwtui.core.job import Completed, Failed, Job, Pending, Processing


class Counts(Struct):
    """Files by state."""

    completed: int = 0
    failed: int = 0
    to_do: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        """All files in the queue."""
        return self.completed + self.failed + self.to_do + self.other

    def add_all(self, jobs: Iterable[Job]) -> None:
        """Count these in."""
        kinds = Counter(type(job.state) for job in jobs)
        self.completed += kinds.pop(Completed, 0)
        self.failed += kinds.pop(Failed, 0)
        self.to_do += kinds.pop(Pending, 0) + kinds.pop(Processing, 0)
        self.other += kinds.total()

    def add(self, job: Job, sign: int) -> None:
        """Count a job in (`sign` 1) or out (-1)."""
        match job.state:
            case Completed():
                self.completed += sign
            case Failed():
                self.failed += sign
            case Pending() | Processing():
                self.to_do += sign
            case _:
                self.other += sign
