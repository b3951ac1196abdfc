"""The part of an engine slot that knows which jobs its child has, and can take one back."""

from fwtui.batch.attempts import Run
from fwtui.batch.in_flight import InFlight, Stage
from fwtui.batch.state import Ledger
from fwtui.core.failure import Failure
from fwtui.core.job import JobId
from fwtui.engine.client import EngineClient
from fwtui.engine.protocol import Cancel


class Occupied:
    """Base of the slot."""

    ledger: Ledger
    halted: Failure | None
    _client: EngineClient | None
    _in_flight: InFlight
    _runs: dict[JobId, Run]
    _ending: bool

    def __init__(self) -> None:
        self._given_back: JobId | None = None

    @property
    def positions(self) -> dict[JobId, float]:
        """Seconds done of the jobs in the engine."""
        return {job: self._runs[job].position for job in self._in_flight}

    def has(self, job: JobId) -> bool:
        """Whether the job is in the engine."""
        return job in self._in_flight

    def is_cancelling(self, job: JobId) -> bool:
        """Whether the job is in the engine and was asked to end."""
        return job in self._in_flight and self._runs[job].cancelled

    def is_overdue(self, job: JobId) -> bool:
        """Whether a cancelled job should be ended with its engine.

        Not when others share its batch: it ends with that, and they lose nothing.
        """
        batch = self._in_flight.at(Stage.IN_MODEL)
        shared = job in batch and not all(self.is_cancelling(other) for other in batch)
        return self.is_cancelling(job) and not shared

    @property
    def is_hungry(self) -> bool:
        """It could work, and has nothing to do."""
        return self.halted is None and not self._ending and not self._in_flight

    @property
    def is_giving_back(self) -> bool:
        """A job is on its way back from the child."""
        return self._given_back is not None and self._given_back in self._in_flight

    def give_back(self, least: float) -> bool:
        """Take a job that only waits in the child back for another slot; whether there is one.

        One of `least` seconds or more; one of unknown length may be long.
        """
        if self._client is None:
            return False
        behind = self._in_flight.at(Stage.SENT, Stage.PREPARED)
        if not self._in_flight.at(Stage.IN_MODEL, Stage.PREPARING):
            behind = behind[1:]  # the first one is next here
        for job in reversed(behind):
            length = self.ledger.queue[job].duration
            if not self._runs[job].cancelled and (not length or length >= least):
                self._given_back = job
                self._client.send(Cancel(job))
                return True
        return False
