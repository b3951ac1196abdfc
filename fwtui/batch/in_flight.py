"""The jobs that an engine has, and which of them its death may be due to. Pure."""

from collections.abc import Iterable, Iterator
from enum import Enum, auto

from fwtui.core.failure import FailureKind
from fwtui.core.job import JobId

# Enough prepared sound that an engine is never without work, little enough that its files would
# not be missed by another engine.
AHEAD_SECONDS = 120.0


class Stage(Enum):
    """How far a job is in the engine."""

    SENT = auto()
    PREPARING = auto()
    PREPARED = auto()
    IN_MODEL = auto()


class InFlight:
    """Jobs in the engine, in the order in which they were sent."""

    def __init__(self) -> None:
        self._stages: dict[JobId, Stage] = {}

    def __contains__(self, job: JobId) -> bool:
        return job in self._stages

    def __iter__(self) -> Iterator[JobId]:
        return iter(tuple(self._stages))

    def __len__(self) -> int:
        return len(self._stages)

    def add(self, job: JobId) -> None:
        """The job was sent to the engine."""
        self._stages[job] = Stage.SENT

    def remove(self, job: JobId) -> None:
        """The job has left the engine."""
        del self._stages[job]

    def move(self, job: JobId, stage: Stage) -> None:
        """The job got further."""
        if job in self._stages:
            self._stages[job] = stage

    def set_in_model(self, jobs: Iterable[JobId]) -> None:
        """These jobs, and no others, are in the model."""
        for job in self.at(Stage.IN_MODEL):
            self._stages[job] = Stage.PREPARED
        for job in jobs:
            self.move(job, Stage.IN_MODEL)

    def at(self, *stages: Stage) -> tuple[JobId, ...]:
        """The jobs that are so far."""
        return tuple(job for job, stage in self._stages.items() if stage in stages)

    def suspects(self, kind: FailureKind) -> tuple[JobId, ...]:
        """Which jobs an engine's death may be due to; those that only waited are never.

        Memory is what the model needs most of. Of a death before anything was done with a file,
        the one that the engine was started for is told.
        """
        model = self.at(Stage.IN_MODEL)
        both = self.at(Stage.IN_MODEL, Stage.PREPARING)
        suspected = (model or both) if kind is FailureKind.OUT_OF_MEMORY else both
        return suspected or tuple(self)[:1]

    def wants_more(self, lengths: dict[JobId, float], batch: int) -> bool:
        """Whether the engine should get another job.

        `lengths` are seconds, 0 if unknown; `batch` is how many chunks go into a batch. Long files
        are not hoarded: another engine may be without one. Of short ones there must be enough for
        the next batch.
        """
        waiting = [lengths[job] for job in self if self._stages[job] is not Stage.IN_MODEL]
        known = [seconds for seconds in waiting if seconds > 0]
        unknown = len(waiting) - len(known)
        return (
            unknown < 1 + min(2, len(known))
            and len(waiting) < 2 * batch + 2
            and sum(known) < AHEAD_SECONDS * max(1, batch / 4)
        )
