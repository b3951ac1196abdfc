"""A short look at a running batch, as one value."""

import contextlib
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.batch.remote.client import Connection
from fwtui.batch.remote.endpoints import Place
from fwtui.batch.remote.protocol import Where
from fwtui.core.events import BatchProgress, EngineInfo, JobProgress, MemoryReading, Phase
from fwtui.core.failure import Failure
from fwtui.core.view import JobCounts
from fwtui.core.watched_folder import FolderStatus
from fwtui.disk.codec import UNREADABLE, encode_checked
from fwtui.disk.files import PRIVATE_FILE, write_atomic
from fwtui.errors import ExitCode, LinkError

# One that does not answer, because it is stopped, must not hold up the start of a screen.
LOOK_SECONDS = 10.0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A running batch at one moment. `current` are the paths and progress of the running files."""

    where: Where
    phase: Phase
    completed: int
    failed: int
    unfinished: int
    total: int
    progress: BatchProgress | None
    current: tuple[tuple[str, JobProgress], ...]
    engine: EngineInfo | None
    memory: MemoryReading | None
    output_dir: str
    log: str
    folders: tuple[FolderStatus, ...] = ()


class Glimpse(msgspec.Struct, frozen=True):
    """Who runs a batch, and what was seen of it; without an answer `problem` says why."""

    place: Place
    seen: Seen | None = None
    problem: str = ""


async def look(place: Place) -> Glimpse:
    """Connect, look, leave. Never raises."""
    try:
        connection = await Connection.open(place, LOOK_SECONDS)
    except LinkError as error:
        return Glimpse(place, problem=f"{error.title}. {error.hint}" if error.hint else error.title)
    connection.close()
    snapshot, recap, counts = connection.snapshot, connection.recap, JobCounts()
    paths = {job.id: job.path for job in snapshot.jobs}
    counts.add_all(snapshot.jobs)
    seen = Seen(
        where=connection.welcome.where,
        phase=snapshot.phase,
        completed=counts.completed,
        failed=counts.failed,
        unfinished=counts.unfinished,
        total=counts.total,
        progress=recap.batch,
        current=tuple((paths[one.id], one) for one in recap.progress if one.id in paths),
        engine=next(iter(snapshot.engines), None),
        memory=snapshot.memory,
        output_dir=snapshot.settings.output.output_dir,
        log=connection.welcome.log,
        folders=snapshot.folders,
    )
    return Glimpse(place, seen)


class BatchResult(msgspec.Struct, frozen=True):
    """A batch at its end. `exit_code` is what `fwtui run` would have ended with.

    `failure` says why it could not go on at all; `report` and `log` are paths, empty if there is
    none.
    """

    session_id: str
    ended_at: datetime
    exit_code: ExitCode
    completed: int
    failed: int
    unfinished: int
    total: int
    output_dir: str
    log: str = ""
    report: str = ""
    failure: Failure | None = None


_DECODER = msgspec.json.Decoder(BatchResult)


def keep_result(result: BatchResult, file: Path) -> None:
    """Write the record in the place of the one before. Raises StorageError."""
    write_atomic(file, encode_checked(result, _DECODER), PRIVATE_FILE)


def last_result(file: Path) -> BatchResult | None:
    """The record, or None if there is none that can be read."""
    with contextlib.suppress(OSError, *UNREADABLE):
        return _DECODER.decode(file.read_bytes())
    return None
