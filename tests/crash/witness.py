"""What the lives of a batch told, and what it says about work that was lost or done again."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fwtui.core.events import (
    AnyEvent,
    BatchSnapshot,
    JobChanged,
    JobsAdded,
    Level,
    LogLine,
    SegmentsFound,
    SegmentsReset,
)
from fwtui.core.job import Completed, JobId, Processing


class Told:
    """Holds all lives of a batch to what they have told."""

    def __init__(self) -> None:
        self.added = False
        self._session = ""
        self._shown: dict[JobId, set[int]] = defaultdict(set)
        self._completed: set[JobId] = set()

    def hear(self, event: AnyEvent) -> Iterator[str]:
        """Take the next event; yields what is wrong with it after all the others."""
        match event:
            case JobsAdded():
                self.added = True
            case BatchSnapshot(session_id=session_id, jobs=jobs):
                if self._session not in {"", session_id}:
                    return  # what was done is done, and a screen begins something new
                self._session = session_id
                known = {job.id for job in jobs if isinstance(job.state, Completed)}
                if forgotten := self._completed - known:
                    yield f"completed, and not any more: {forgotten}"
            case JobChanged(job=job):
                yield from self._changed(job.id, job.state)
            case SegmentsReset(id=job_id):
                if self._shown[job_id]:
                    yield f"file {job_id} starts over"
            case SegmentsFound(id=job_id, segments=segments):
                for segment in segments:
                    if segment.id in self._shown[job_id]:
                        yield f"segment {segment.id} of file {job_id} is found again"
                    self._shown[job_id].add(segment.id)
            case LogLine(level=Level.ERROR, text=text):
                yield f"error: {text}"
            case _:
                pass

    def _changed(self, job_id: JobId, state: object) -> Iterator[str]:
        if isinstance(state, Completed):
            self._completed.add(job_id)
        elif isinstance(state, Processing) and job_id in self._completed:
            yield f"file {job_id} is done again"


class Repeat(msgspec.Struct, frozen=True):
    """What an engine did that one before it had finished: windows, and seconds of sound."""

    job: JobId
    windows: int
    seconds: float


class Trace(msgspec.Struct, frozen=True):
    """What the launcher wrote down.

    `calls`: names of the storage calls of the last life; `repeats`: one for each engine that
    went on with a file; `interrupted`: windows that were begun and not finished.
    """

    calls: tuple[str, ...]
    repeats: tuple[Repeat, ...]
    interrupted: int


def read_trace(path: Path) -> Trace:
    """Read the traces of all lives of a batch."""
    calls: list[str] = []
    windows = _Windows()
    for line in path.read_text().splitlines() if path.exists() else ():
        what, *rest = line.split(" ")
        if what == "call":
            number, name = rest
            if number == "0":
                calls.clear()
            calls.append(name)
        else:
            pid, job, seconds = rest
            windows.take(what == "begun", int(pid), int(job), float(seconds))
    return Trace(tuple(calls), tuple(windows.repeats), windows.begun - windows.done)


class _Windows:
    """Follows the engines through the files; `ends` are where finished windows ended."""

    def __init__(self) -> None:
        self.repeats: list[Repeat] = []
        self.begun = self.done = 0
        self._engine: dict[JobId, int] = {}
        self._ends: dict[JobId, set[float]] = defaultdict(set)

    def take(self, begun: bool, pid: int, job: JobId, seconds: float) -> None:
        if begun:
            self.begun += 1
            if self._engine.get(job, pid) != pid:
                again = [end for end in self._ends[job] if end > seconds]
                lost = max(again, default=seconds) - seconds
                self.repeats.append(Repeat(job, len(again), lost))
            self._engine[job] = pid
        else:
            self.done += 1
            self._ends[job].add(seconds)
