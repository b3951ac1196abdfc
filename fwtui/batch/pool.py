"""The engine slots of a batch, as one: who gets the next file, and what all of them do."""

from collections.abc import Callable, Iterator

from fwtui.batch.downloads import Downloads
from fwtui.batch.messages import LinkEnded, SlotMessage
from fwtui.batch.retry import goes_on_on_cpu
from fwtui.batch.state import BatchState
from fwtui.batch.worker import EngineSlot
from fwtui.core.events import EngineInfo, Level
from fwtui.core.failure import Failure
from fwtui.core.job import JobId

# A file that is shorter than this is not worth loading a model for.
WORTH_LOADING_SECONDS = 120.0


class EngineSlots:
    """All methods run in the event loop. `make` gives a slot by its number and its device's.

    `downloads` is one slot more, for links: it has no engine, and fills the queue for the others.
    """

    def __init__(
        self, state: BatchState, make: Callable[[int, int], EngineSlot], downloads: Downloads
    ) -> None:
        self.state = state
        self.downloads = downloads
        self._make = make
        self._slots = [make(0, 0)]
        self._leaving: list[EngineSlot] = []

    def __iter__(self) -> Iterator[EngineSlot]:
        return iter(self._slots)

    def arrange(self, devices: tuple[int, ...]) -> None:
        """Have one slot on each of the devices, in this order; only between two batches.

        Those that are right already keep what they have learnt, and their model.
        """
        old, self._slots = self._slots, []
        for number, device in enumerate(devices):
            here = old[number : number + 1]
            fits = bool(here) and here[0].device == device
            self._slots.append(here[0] if fits else self._make(number, device))
            self._slots[-1].on_cpu = False
        for slot in old:
            if slot not in self._slots:
                slot.end_engine()
                self._leaving.append(slot)

    async def fall_back(self, failure: Failure) -> bool:
        """If that is allowed: one engine on the CPU in place of those that cannot be used."""
        if self._slots[0].on_cpu or not goes_on_on_cpu(failure, self.state.settings):
            return False
        self.state.log(Level.WARNING, f"The batch goes on on the CPU: {failure}")
        self.arrange((0,))
        self._slots[0].on_cpu = True
        self.forget_halts()
        await self.feed()
        return True

    @property
    def _all(self) -> list[EngineSlot]:
        self._leaving = [slot for slot in self._leaving if not slot.is_idle]
        return [*self._slots, *self._leaving]

    @property
    def _having_jobs(self) -> list[EngineSlot | Downloads]:
        return [*self._slots, self.downloads]

    # --- what they are -------------------------------------------------------------------------

    @property
    def are_idle(self) -> bool:
        """No job and no child in any."""
        return self.downloads.is_idle and all(slot.is_idle for slot in self._all)

    @property
    def are_resting(self) -> bool:
        """Every one that has work rests."""
        return all(slot.resting for slot in self._slots if slot.positions)

    @property
    def infos(self) -> tuple[EngineInfo, ...]:
        """The engines that are loaded."""
        return tuple(slot.info for slot in self._slots if slot.info is not None)

    @property
    def speed(self) -> float:
        """Audio seconds per second of all that work; 0 before the first window."""
        return sum(slot.speed for slot in self._slots if slot.positions)

    @property
    def positions(self) -> dict[JobId, float]:
        """Seconds done of the jobs in the engines, and of those that are being downloaded."""
        return {job: done for slot in self._having_jobs for job, done in slot.positions.items()}

    @property
    def halted(self) -> Failure | None:
        """Why nothing can go on: one met what would stop all, or none of them can be used."""
        failures = [slot.halted for slot in self._slots]
        for slot in self._slots:
            if slot.halted is not None and not slot.unusable:
                return slot.halted
        return failures[0] if all(failures) else None

    def having(self, job: JobId) -> EngineSlot | Downloads | None:
        """The slot that has the job."""
        return next((slot for slot in self._having_jobs if slot.has(job)), None)

    # --- what they do --------------------------------------------------------------------------

    async def handle(self, message: SlotMessage) -> None:
        """Take a reply or the end of a child."""
        if isinstance(message, LinkEnded):
            await self.downloads.ended(message)
            return
        for slot in self._all:
            could = slot.halted is None
            await slot.handle(message)
            if could and slot.halted is not None and self.halted is None:
                text = f"Engine {slot.number + 1} cannot be used, the others go on: {slot.halted}"
                self.state.log(Level.ERROR, text)

    async def feed(self) -> bool:
        """Give the engines their next jobs; none gets a second one while another has none.

        Whether so many files were skipped that it is to be called again.
        """
        await self.downloads.feed()
        again = False
        if len(self._slots) > 1:
            for slot in self._slots:
                again = await slot.feed(1) or again
        for slot in self._slots:
            again = again or await slot.feed()
        self._share()
        return again

    def _share(self) -> None:
        """Take a job that only waits in one engine back for another that has nothing to do."""
        hungry = [slot for slot in self._slots if slot.is_hungry]
        if not hungry or any(slot.is_giving_back for slot in self._slots):
            return
        cold = all(slot.info is None for slot in hungry)
        least = WORTH_LOADING_SECONDS if cold else 0.0
        for slot in self._slots:
            if slot.give_back(least):
                return

    def hold(self, on: bool) -> None:
        """Rest after the current windows, or go on."""
        for slot in self._slots:
            slot.hold(on)

    def end(self) -> None:
        """Let idle children end in an orderly way."""
        for slot in self._slots:
            slot.end_engine()

    def kill(self) -> None:
        """End all children at once; the jobs in them go back to the queue."""
        self.downloads.kill_engine()
        for slot in self._all:
            slot.kill_engine()

    def forget_halts(self) -> None:
        """What could not be used, or go on, is tried again at the next start."""
        for slot in self._slots:
            slot.halted, slot.unusable = None, False

    def forget_attempts(self) -> None:
        """See `EngineSlot.forget_attempts`."""
        for slot in self._slots:
            slot.forget_attempts()

    def forget_rungs(self) -> None:
        """See `EngineSlot.forget_rungs`."""
        for slot in self._slots:
            slot.forget_rungs()

    async def join(self) -> None:
        """Wait until all reader threads have ended."""
        await self.downloads.join()
        for slot in self._all:
            await slot.join()
