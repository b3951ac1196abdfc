"""One engine slot: keeps its child fed, and records what the child reports."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from fwtui.batch.attempts import Run
from fwtui.batch.conflicts import SKIPPED_AT_ONCE, claim
from fwtui.batch.disk_wait import blocks
from fwtui.batch.file_run import (
    FileDesk,
    finished_plan,
    new_run,
    resume_point,
    tell_busy,
    tell_cleanup,
    tell_end,
    transcribe_request,
)
from fwtui.batch.memory_guard import Guardian
from fwtui.batch.messages import (
    EngineGone,
    EngineMessage,
    EngineSaid,
    SlotMessage,
    engine_info,
    loaded_line,
    pump,
)
from fwtui.batch.retry import NO_GPU, without_gpu
from fwtui.batch.state import BatchState
from fwtui.batch.watchdog import EngineWatch, Pace
from fwtui.config.overrides import from_overrides
from fwtui.core.decoding import batch_size
from fwtui.core.events import EngineChanged, EngineInfo, JobProgress, Level
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Job, JobId, Processing
from fwtui.core.settings import ModelSettings
from fwtui.engine.client import EngineClient, EngineExit
from fwtui.engine.protocol import (
    AnyReply,
    Busy,
    Cancel,
    CleanedUp,
    CleanUp,
    Fatal,
    FileFailed,
    FileReply,
    Finished,
    Held,
    Hold,
    InModel,
    Note,
    Pong,
    Preparing,
    Probed,
    Ready,
    Shutdown,
    Started,
    Stopped,
    Waiting,
    Window,
)
from fwtui.memory.measure import MemoryMeter

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


class ReplacedByGuard:
    """Base of the slot. `windows` counts those of the present child, since it was loaded."""

    _client: EngineClient | None
    _in_flight: InFlight
    _ending: bool

    def __init__(self) -> None:
        self.windows = 0
        self._due: Failure | Literal["recycle"] | None = None
        self._recycling = False

    def tidy(self) -> None:
        """Let the engine give memory back at its next window."""
        if self._client is not None:
            self._client.send(CleanUp())

    def recycle(self) -> None:
        """Replace the child at its next window; its files go on. One without work just ends."""
        if self._in_flight:
            self._due = "recycle"
        else:
            self.end_engine()

    def go_smaller(self, failure: Failure) -> None:
        """At the next window what is in the model has failed with this (out of memory)."""
        self._due = failure

    async def _at_window(self, *, done: bool) -> None:
        """Do what the memory guard asked for, now that a window is durable (`done`: the last)."""
        due, self._due = self._due, None
        if due is None or self._ending:
            return
        if isinstance(due, Failure) and not done:
            await self._give_way(due)
        else:
            self._recycling = True
            self.kill_engine()

    async def _give_way(self, failure: Failure) -> None:
        """What is in the model, or first in line, has had too little memory."""
        jobs = self._in_flight.suspects(failure.kind)
        for job in jobs:
            await self._failed(self._take_out(job), failure, died=False, shared=len(jobs) > 1)
        self.kill_engine()

    # --- the slot's ----------------------------------------------------------------------------

    def end_engine(self) -> None:
        """Let an idle child end."""
        raise NotImplementedError

    def kill_engine(self) -> None:
        """End the child at once."""
        raise NotImplementedError

    def _take_out(self, job: JobId) -> Run:
        raise NotImplementedError

    async def _failed(
        self, run: Run, failure: Failure, *, died: bool, shared: bool, loaded: bool = True
    ) -> bool:
        raise NotImplementedError


class Occupied:
    """Base of the slot."""

    state: BatchState
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
            length = self.state.queue[job].duration
            if not self._runs[job].cancelled and (not length or length >= least):
                self._given_back = job
                self._client.send(Cancel(job))
                return True
        return False


STARTS_THAT_MAY_FAIL = 2


class EngineSlot(ReplacedByGuard, Occupied):
    """Owns at most one engine child. All methods run in the event loop.

    `device` is the number of its GPU; `on_cpu`: not to be used. `post` puts a `SlotMessage` into
    the runner's inbox and may be called from any thread. `halted` says why the batch cannot go on;
    when `unusable` is set, that is due to this engine alone.
    """

    def __init__(
        self,
        number: int,
        device: int,
        state: BatchState,
        scratch: Path,
        meter: MemoryMeter,
        guardian: Guardian,
        post: Callable[[SlotMessage], None],
        command: tuple[str, ...],
    ) -> None:
        ReplacedByGuard.__init__(self)
        Occupied.__init__(self)
        self.number = number
        self.device = device
        self.state = state
        self.scratch = scratch
        self.meter = meter
        self.guardian = guardian
        self.post = post
        self.command = command
        self.info: EngineInfo | None = None
        self.halted: Failure | None = None
        self.unusable = False
        self.on_cpu = False
        self.resting = False
        self._desk = FileDesk(state, meter, number)
        self._client: EngineClient | None = None
        self._paces: dict[JobId, Pace] = {}
        self._reader: asyncio.Task[None] | None = None
        self._ending = False
        self._in_flight = InFlight()
        self._runs: dict[JobId, Run] = {}
        self._recent_rungs: deque[int] = deque(maxlen=3)
        self._failed_starts = 0
        self._fatal: Failure | None = None
        self._busy: Busy | None = None

    @property
    def is_idle(self) -> bool:
        """No job and no child."""
        return not self._in_flight and self._client is None

    @property
    def speed(self) -> float:
        """Audio seconds per second of work, over the last windows; 0 before the first."""
        return self._desk.speed.value

    async def feed(self, most: int | None = None) -> bool:
        """Give the child its next jobs, so that it has `most`; starts a child if need be.

        One with the wrong model is ended. True: it has skipped many, and there may be more.
        """
        skipped = 0
        while not self._ending and self.halted is None and self._wants_more(most):
            if skipped == SKIPPED_AT_ONCE:
                return True
            if (waiting := self.state.queue.next_pending()) is None:
                break
            run = self._runs.get(waiting.id) or self._new_run(waiting)
            if (job := await claim(self.state, waiting, run.settings)) is None:
                self._runs.pop(waiting.id, None)
                skipped += 1
                continue
            if await self._complete_from_journal(job, run):
                continue
            if run.alone and self._in_flight:
                break
            if self._client is None:
                self._start_engine(run)
            elif self._client.model != self._model(run):
                if not self._in_flight:
                    self.end_engine()
                break
            await self._send(job, run)
        return False

    def cancel(self, job: JobId) -> None:
        """Ask the child to give a job up at its next window."""
        assert self._client is not None
        self._runs[job].cancelled = True
        self._client.send(Cancel(job))

    def hold(self, on: bool) -> None:
        """Rest after the current window, or go on."""
        if self._client is not None:
            self._client.send(Hold(on))
        if not on:
            self.resting = False

    def end_engine(self) -> None:
        """Let an idle child end in an orderly way; its end arrives as `EngineGone`."""
        if self._client is not None and not self._ending:
            self._ending = True
            self._client.send(Shutdown())

    def kill_engine(self) -> None:
        """End the child at once; the jobs in it go back to the queue."""
        if self._client is not None:
            self._ending = True
            self._client.kill()

    def forget_attempts(self) -> None:
        """The batch has ended: what waits for another attempt begins with fresh settings."""
        assert not self._in_flight
        self._runs.clear()

    def forget_rungs(self) -> None:
        """The settings are others: how small the last files had to be says nothing of them."""
        self._recent_rungs.clear()

    async def join(self) -> None:
        """Wait until the reader thread has ended."""
        if self._reader is not None:
            await self._reader

    # --- feeding -------------------------------------------------------------------------------

    def _wants_more(self, most: int | None) -> bool:
        enough = most is not None and len(self._in_flight) >= most
        if enough or any(self._runs[job].alone for job in self._in_flight):
            return False
        lengths = {job: self.state.queue[job].duration for job in self._in_flight}
        device = self.info.device if self.info else "cpu"
        size = batch_size(self.state.settings.decoding, device)
        return self._in_flight.wants_more(lengths, size)

    def _new_run(self, job: Job) -> Run:
        """Kept only when the job is sent."""
        self._paces.pop(job.id, None)
        settings = self.state.settings if job.settings is None else from_overrides(job.settings)
        device = self.info.device if self.info else settings.model.device
        return new_run(job, settings, device, list(self._recent_rungs))

    async def _complete_from_journal(self, job: Job, run: Run) -> bool:
        """Write the outputs of a file whose windows were all done before; whether it was one."""
        plan = await finished_plan(self.state, job, run)
        if plan is None:
            return False
        run.plan, run.position = plan, plan.duration
        self._runs.pop(job.id, None)
        await self._complete(run)
        return True

    def _model(self, run: Run) -> ModelSettings:
        model = replace(run.current.model, device_index=str(self.device))
        return without_gpu(model) if self.on_cpu else model

    def _start_engine(self, run: Run) -> None:
        watch = EngineWatch(self.state.settings.batch.stall_seconds, self._paces)
        client = EngineClient(self._model(run), self._on_stderr, self.command, watch)
        self._client, self._busy = client, None
        self._guard = asyncio.create_task(watch.guard(client, self._give_up))
        self._reader = asyncio.create_task(asyncio.to_thread(pump, client, self.post))
        self.state.emit(EngineChanged(self.number, loading=True))
        self.state.log(Level.INFO, f"Loading model {run.current.model.model}")

    def _on_stderr(self, line: str) -> None:
        if self._client is not None:
            self.post(EngineSaid(self._client, Note(Level.DEBUG, line)))

    def _give_up(self, client: EngineClient, failure: Failure) -> None:
        self.post(EngineSaid(client, Fatal(failure)))

    async def _send(self, job: Job, run: Run) -> None:
        assert self._client is not None
        point = await resume_point(self.state, run)
        if run.rung and job.id not in self._runs:
            text = f"{job.name} begins with {run.current.remedy}: the last files ran out of memory"
            self.state.log(Level.WARNING, text, job.id)
        self._runs[job.id] = run
        self._in_flight.add(job.id)
        request = await transcribe_request(self.state, self.scratch, job, run, point)
        await self.state.put(replace(job, state=Processing(run.started_at, slot=self.number)))
        self._client.send(request)

    # --- what the child says -------------------------------------------------------------------

    async def handle(self, message: EngineMessage) -> None:
        """Take a reply or the end of a child."""
        if message.client is not self._client:
            return
        match message:
            case EngineSaid(reply=reply):
                await self._on_reply(reply)
            case EngineGone(exit=ended):
                await self._on_exit(ended)

    async def _on_reply(self, reply: AnyReply) -> None:
        match reply:
            case Ready():
                await self._on_ready(reply)
            case Fatal(failure=failure):
                self._fatal = failure
            case Held(on=on):
                self.resting = on
            case InModel(jobs=jobs):
                self._in_flight.set_in_model(jobs)
            case CleanedUp():
                await tell_cleanup(self.state, self.meter, reply)
            case Pong():
                pass  # the watchdog's
            case Busy():
                self._busy = reply
            case Note(level=level, text=text, job=about):
                self.state.log(level, text, about)
            case _:
                await self._on_file_reply(reply)

    async def _on_file_reply(self, reply: FileReply) -> None:
        match reply:
            case Preparing(job=job, done=done, total=total):
                self._in_flight.move(job, Stage.PREPARING)
                self.state.emit(JobProgress(job, done, total, 0.0, None, preparing=True))
            case Probed(job=job, media=media):
                await self.state.put(replace(self.state.queue[job], media=media))
            case Waiting(job=job):
                self._in_flight.move(job, Stage.PREPARED)
            case Started(job=job):
                await self._desk.started(self._runs[job], reply)
            case Window(job=job, result=result, worked=worked):
                await self._desk.window(self._runs[job], result, worked)
                self.windows += 1
                await self._at_window(done=result.state.done)
            case Finished(job=job, changed=changed):
                self._runs[job].changed = changed
                await self._complete(self._take_out(job))
            case Stopped(job=job):
                await self._desk.stopped(self._take_out(job))
            case FileFailed(job=job, failure=failure, shared=shared):
                await self._on_file_failed(self._take_out(job), failure, shared=shared)

    async def _on_ready(self, ready: Ready) -> None:
        assert self._client is not None
        self._failed_starts = self.windows = 0
        for job in self._in_flight:
            self._runs[job].know_device(ready.device)
        self.info = engine_info(self.number, self._client.model, ready)
        self.state.emit(EngineChanged(self.number, self.info))
        self.state.log(Level.INFO, loaded_line(self.info))
        refusal = self.guardian.loaded(await asyncio.to_thread(self.meter.read))
        if refusal is None or self._ending:
            return
        if any(self._runs[job].rung for job in self._in_flight):  # then others may still fit
            await self._give_way(replace(refusal, kind=FailureKind.OUT_OF_MEMORY))
        else:
            self._halt(refusal)

    def _take_out(self, job: JobId) -> Run:
        """The job leaves the engine."""
        self._in_flight.remove(job)
        return self._runs.pop(job)

    async def _complete(self, run: Run) -> None:
        self._recent_rungs.append(run.rung)
        if no_room := await self._desk.complete(self.state.queue[run.job], run):
            self._halt(no_room)

    async def _on_file_failed(self, run: Run, failure: Failure, *, shared: bool) -> None:
        no_gpu = failure.kind in NO_GPU
        if no_gpu or await blocks(failure):
            await self._desk.stopped(run)
            if self._in_flight and failure.kind is FailureKind.DISK_FULL:
                run.alone = True  # there may be room when the sound of the file before it is gone
                self._runs[run.job] = run
            else:
                self.unusable = no_gpu
                self._halt(failure)  # the next file would fare no better
            return
        again = await self._failed(run, failure, died=False, shared=shared)
        if shared and self._in_flight.at(Stage.IN_MODEL):
            return  # the rest of the batch has the same to tell
        if again or failure.kind is FailureKind.OUT_OF_MEMORY:
            self.kill_engine()  # only its end surely gives all memory back

    def _halt(self, failure: Failure) -> None:
        """Nothing can be done until the user has done something."""
        self.halted = failure
        self.kill_engine()

    async def _failed(
        self, run: Run, failure: Failure, *, died: bool, shared: bool, loaded: bool = True
    ) -> bool:
        again = await self._desk.failed(run, failure, died=died, shared=shared, loaded=loaded)
        if again:
            self._runs[run.job] = run
        return again

    async def _on_exit(self, ended: EngineExit) -> None:
        expected, self._ending = self._ending, False
        recycling, self._recycling, self._due = self._recycling, False, None
        before, ready = self.meter.last_engines, self.info is not None
        fatal, self._fatal = self._fatal, None
        self._client, self.info, self.resting = None, None, False
        jobs, self._in_flight = self._in_flight, InFlight()
        self.state.emit(EngineChanged(self.number))
        tell_busy(self.state, self._busy)
        failure = self.guardian.explain(fatal or ended.failure)
        suspects = jobs.suspects(failure.kind)
        smaller = any(self._runs[job].rung for job in suspects)  # then the next step may do
        if not expected and self._cannot_work(failure, is_new=not ready and not smaller):
            self.halted, self.unusable = failure, True
            expected = True
        if not expected and failure.detail:
            self.state.log(Level.DEBUG, failure.detail)
        for job in jobs:
            run = self._runs.pop(job)
            if job in suspects and not expected:
                shared = len(suspects) > 1
                await self._failed(run, failure, died=True, shared=shared, loaded=ready)
                continue
            await self._desk.stopped(run)
            if recycling and not run.cancelled:
                self._runs[job] = run
        await tell_end(self.state, self.meter, before)

    def _cannot_work(self, failure: Failure, *, is_new: bool) -> bool:
        """Whether no file can be transcribed: no GPU, or the model does not load, repeatedly."""
        if failure.kind in NO_GPU:
            return True
        if failure.kind is FailureKind.OUT_OF_MEMORY or not is_new:
            return False
        self._failed_starts += 1
        died = failure.kind in {FailureKind.ENGINE_DIED, FailureKind.STALLED}
        return not died or self._failed_starts >= STARTS_THAT_MAY_FAIL
