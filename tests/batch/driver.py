"""A real batch in this process: the actor, engine child, session on disk, and its events."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import psutil

from fwtui import demo
from fwtui.batch.batch import Batch
from fwtui.batch.workspace import Workspace
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, AnyCommand, Quit, Start
from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    BatchSnapshot,
    EngineChanged,
    JobChanged,
    JobsAdded,
    LogLine,
    SegmentsFound,
)
from fwtui.core.job import Job, JobId, State
from fwtui.core.settings import (
    BatchSettings,
    DecodingSettings,
    ModelSettings,
    OutputSettings,
    Settings,
)

SHORT = demo.clips()[0]
LONG = demo.clips()[-1]
MINUTE = Path(__file__).parents[1] / "data" / "english-minute.flac"  # the first 75 s of it
PATIENCE = 300.0  # seconds until a test is given up; nothing is decided by how long things take

E = TypeVar("E", bound=AnyEvent)


def settings_for(
    out: Path,
    decoding: DecodingSettings | None = None,
    output: OutputSettings | None = None,
    batch: BatchSettings | None = None,
) -> Settings:
    """The demo model, without sampling, outputs in `out`."""
    from msgspec.structs import replace

    return Settings(
        model=ModelSettings(model=str(demo.model_dir()), device="cpu", threads=1),
        decoding=decoding
        or DecodingSettings(beam_size=1, temperature_increment_on_fallback=None, language="en"),
        output=replace(output or OutputSettings(), output_dir=str(out)),
        batch=batch or BatchSettings(),
    )


class BatchDriver:
    """Runs while the `async with` block does; leaves with `Quit`."""

    def __init__(
        self, settings: Settings, paths: Sequence[Path] = (), engine: str | None = None
    ) -> None:
        """`engine`: Python code that the engine child runs before its main."""
        self.settings = settings
        self.paths = paths
        self.events: list[AnyEvent] = []
        self.jobs: dict[JobId, Job] = {}
        self.workspace = Workspace(Locations.default())
        self.actor: Batch
        self.engine = engine
        self._news = asyncio.Event()
        self._task: asyncio.Task[None]

    @classmethod
    async def resumed(cls) -> "BatchDriver":
        """On the one incomplete session there is."""
        batch = cls(Settings())
        listed = await batch.workspace.incomplete()
        (stored,) = listed.sessions
        batch.actor = await batch.workspace.resume(stored, Settings())
        batch.settings = batch.actor.state.settings
        return batch

    async def __aenter__(self) -> Self:
        if not hasattr(self, "actor"):
            self.actor = await self.workspace.start(self.settings)
            if self.engine is not None:
                code = f"{self.engine}\nfrom fwtui.engine.child import main\nmain()"
                command = (sys.executable, "-c", code)
                locations = self.workspace.locations
                self.actor = Batch(self.actor.state.store, locations, engine=command)
        self.actor.subscribe(self._hear)
        self._task = asyncio.create_task(self.actor.run())
        if self.paths:
            await self.add(*self.paths)
        return self

    async def add(self, *paths: Path) -> None:
        """Add files or folders, and wait until all of them are there."""
        since = len(self.events)
        self.send(AddPaths(tuple(str(path) for path in paths)))
        await self.until(JobsAdded, since=since)
        async with asyncio.timeout(PATIENCE):
            while self.actor.discovery.is_searching:
                await asyncio.sleep(0)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.send(Quit())
        await asyncio.wait_for(self._task, PATIENCE)

    def _hear(self, event: AnyEvent) -> None:
        self.events.append(event)
        if isinstance(event, BatchSnapshot | JobsAdded):
            self.jobs |= {job.id: job for job in event.jobs}
        elif isinstance(event, JobChanged):
            self.jobs[event.job.id] = event.job
        self._news.set()

    def send(self, command: AnyCommand) -> None:
        self.actor.send(command)

    async def until(
        self, kind: type[E], accept: Callable[[E], bool] = lambda _: True, since: int = 0
    ) -> E:
        """The first such event from number `since` on, waiting for it if need be."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for event in self.events[since:]:
                    if isinstance(event, kind) and accept(event):
                        return event
                since = len(self.events)
                self._news.clear()
                await self._news.wait()

    async def windows(self, job: JobId, count: int) -> None:
        """Until the job has had `count` windows with segments."""
        seen = 0

        def enough(event: SegmentsFound) -> bool:
            nonlocal seen
            seen += event.id == job
            return seen >= count

        await self.until(SegmentsFound, enough)

    async def to_the_end(self, since: int = 0) -> BatchFinished:
        """Start, and wait until the queue is worked through."""
        self.send(Start())
        return await self.until(BatchFinished, since=since)

    async def state(self, job: JobId, kind: type[State], since: int = 0) -> State:
        """The job's state once it is of that kind."""
        event = await self.until(
            JobChanged, lambda e: e.job.id == job and isinstance(e.job.state, kind), since
        )
        return event.job.state

    async def engine_pid(self) -> int:
        """Process id of the loaded engine."""
        event = await self.until(EngineChanged, lambda e: e.info is not None)
        assert event.info is not None
        return event.info.pid

    @property
    def log(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, LogLine)]


# After the first words of a file the engine rests until it is cancelled or there is a file `go`.
RESTING = """
import time
from pathlib import Path
from fwtui.engine import loop
from fwtui.engine.reporter import Reporter
send_window, rest, talking = loop.WindowDone, Reporter.hold, set()
def note_words(job, result, worked):
    if result.segments:
        talking.add(job)
    return send_window(job, result, worked)
def wait(teller, jobs):
    while talking.intersection(jobs) and not Path({go!r}).exists():
        if any(teller.inbox.is_cancelled(job) for job in jobs):
            break
        time.sleep(0.01)
    return rest(teller, jobs)
loop.WindowDone, Reporter.hold = note_words, wait
"""


def outputs(folder: Path) -> dict[str, bytes]:
    """Name and content of every file in a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def leftovers() -> list[Path]:
    """Scratch and session files."""
    locations = Locations.default()
    folders = (locations.scratch, locations.sessions)
    return [path for folder in folders if folder.exists() for path in folder.iterdir()]


def children(others: Sequence[psutil.Process] = ()) -> list[psutil.Process]:
    """Processes that this one has started, but for `others`: those of tests before."""
    found: list[psutil.Process] = psutil.Process().children(recursive=True)
    return [child for child in found if child not in others]
