"""The engine workers of a batch: shares the queue out to them, and controls them together."""

from collections.abc import Callable, Iterator

from fwtui.batch.link_downloads import LinkDownloads
from fwtui.batch.messages import DownloadEnded, WorkerMessage
from fwtui.batch.retry import may_fall_back_to_cpu
from fwtui.batch.state import BatchState
from fwtui.batch.worker import EngineWorker
from fwtui.core.events import EngineInfo, Level
from fwtui.core.failure import Failure
from fwtui.core.job import JobId

# A file that is shorter than this is not worth loading a model for.
WORTH_LOADING_SECONDS = 120.0


class EnginePool:
    """One worker for each slot. All methods run in the event loop.

    `make` creates a worker, given its slot and its device. `downloads` gets the links of the
    queue, which no engine takes before they are downloaded.
    """

    def __init__(
        self, state: BatchState, make: Callable[[int, int], EngineWorker], downloads: LinkDownloads
    ) -> None:
        self.state = state
        self.downloads = downloads
        self._make = make
        self._workers = [make(0, 0)]
        self._retired: list[EngineWorker] = []

    def __iter__(self) -> Iterator[EngineWorker]:
        return iter(self._workers)

    # --- devices -------------------------------------------------------------------------------

    def set_devices(self, devices: tuple[int, ...]) -> None:
        """Have one worker on each of the devices, in this order; only between two batches.

        Workers that are already right keep their model and what they have learnt.
        """
        old, self._workers = self._workers, []
        for slot, device in enumerate(devices):
            present = old[slot : slot + 1]
            fits = bool(present) and present[0].device == device
            self._workers.append(present[0] if fits else self._make(slot, device))
            self._workers[-1].on_cpu = False
        for worker in old:
            if worker not in self._workers:
                worker.end_engine()
                self._retired.append(worker)

    async def fall_back_to_cpu(self, failure: Failure) -> bool:
        """Replace all workers by one on the CPU, if the settings allow it; returns whether."""
        if self._workers[0].on_cpu or not may_fall_back_to_cpu(failure, self.state.settings):
            return False
        self.state.log(Level.WARNING, f"Continuing on the CPU: {failure}")
        self.set_devices((0,))
        self._workers[0].on_cpu = True
        self.clear_halts()
        await self.feed()
        return True

    # --- state ---------------------------------------------------------------------------------

    @property
    def _all(self) -> list[EngineWorker]:
        self._retired = [worker for worker in self._retired if not worker.is_idle]
        return [*self._workers, *self._retired]

    @property
    def _holders(self) -> list[EngineWorker | LinkDownloads]:
        return [*self._workers, self.downloads]

    @property
    def is_idle(self) -> bool:
        """Whether there is no job and no engine process."""
        return self.downloads.is_idle and all(worker.is_idle for worker in self._all)

    @property
    def is_held(self) -> bool:
        """Whether every worker that has jobs is held."""
        return all(worker.is_held for worker in self._workers if worker.positions)

    @property
    def infos(self) -> tuple[EngineInfo, ...]:
        """The engines that are loaded."""
        return tuple(worker.info for worker in self._workers if worker.info is not None)

    @property
    def speed(self) -> float:
        """Audio seconds per second of all busy workers; 0 before the first window."""
        return sum(worker.speed for worker in self._workers if worker.positions)

    @property
    def positions(self) -> dict[JobId, float]:
        """Seconds done of the jobs in the engines, and of those being downloaded."""
        return {job: done for holder in self._holders for job, done in holder.positions.items()}

    @property
    def halted(self) -> Failure | None:
        """Why the batch cannot continue: a failure that stops all workers, or no usable worker."""
        failures = [worker.halted for worker in self._workers]
        for worker in self._workers:
            if worker.halted is not None and not worker.unusable:
                return worker.halted
        return failures[0] if all(failures) else None

    def holder_of(self, job: JobId) -> EngineWorker | LinkDownloads | None:
        """The worker that has the job, or the downloads."""
        return next((holder for holder in self._holders if holder.has(job)), None)

    # --- work ----------------------------------------------------------------------------------

    async def handle(self, message: WorkerMessage) -> None:
        """Handle the end of a download, or a reply or the end of an engine."""
        if isinstance(message, DownloadEnded):
            await self.downloads.ended(message)
            return
        for worker in self._all:
            could_work = worker.halted is None
            await worker.handle(message)
            if could_work and worker.halted is not None and self.halted is None:
                text = f"Engine {worker.slot + 1} cannot be used; the others continue"
                self.state.log(Level.ERROR, f"{text}: {worker.halted}")

    async def feed(self) -> bool:
        """Give the engines their next jobs; none gets a second while another has none.

        Returns True if it stopped early, after skipping many files, and must be called again.
        """
        await self.downloads.feed()
        again = False
        if len(self._workers) > 1:
            for worker in self._workers:
                again = await worker.feed(1) or again
        for worker in self._workers:
            again = again or await worker.feed()
        self._rebalance()
        return again

    def _rebalance(self) -> None:
        """Take a waiting job back from one engine if another has nothing to do."""
        starved = [worker for worker in self._workers if worker.needs_jobs]
        if not starved or any(worker.is_returning_job for worker in self._workers):
            return
        cold = all(worker.info is None for worker in starved)
        min_seconds = WORTH_LOADING_SECONDS if cold else 0.0
        for worker in self._workers:
            if worker.return_job(min_seconds):
                return

    def hold(self, on: bool) -> None:
        """Hold all engines after their current windows, or release them."""
        for worker in self._workers:
            worker.hold(on)

    def shut_down(self) -> None:
        """Shut idle engines down."""
        for worker in self._workers:
            worker.end_engine()

    def kill(self) -> None:
        """Kill all engines and downloads; their jobs go back to the queue."""
        self.downloads.kill_engine()
        for worker in self._all:
            worker.kill_engine()

    def clear_halts(self) -> None:
        """Try again with workers that could not continue."""
        for worker in self._workers:
            worker.halted, worker.unusable = None, False

    def forget_attempts(self) -> None:
        """Start files that wait for a retry with fresh settings; only between two batches."""
        for worker in self._workers:
            worker.forget_attempts()

    def forget_rungs(self) -> None:
        """Forget how far down the ladder the last files went: the settings have changed."""
        for worker in self._workers:
            worker.forget_rungs()

    async def join(self) -> None:
        """Wait until all downloads and reader threads have ended."""
        await self.downloads.join()
        for worker in self._all:
            await worker.join()
