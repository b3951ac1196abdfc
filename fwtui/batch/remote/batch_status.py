"""Status of a running batch, and the result of the last one that ended."""

import contextlib
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.batch.remote.client import Connection
from fwtui.batch.remote.endpoints import Endpoint
from fwtui.batch.remote.protocol import Where
from fwtui.core.events import BatchProgress, EngineInfo, JobProgress, MemoryReading, Phase
from fwtui.core.failure import Failure
from fwtui.core.view import JobCounts
from fwtui.core.watched_folder import FolderStatus
from fwtui.disk.codec import UNREADABLE, encode_checked
from fwtui.disk.files import PRIVATE_FILE, read_regular, write_atomic
from fwtui.errors import ExitCode, LinkError

# A suspended batch does not answer, and must not delay the start of a screen for long.
ANSWER_SECONDS = 10.0


class BatchDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A batch at one moment. `current` has the paths and progress of the running files."""

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
    to_check: int = 0
    cancelled: int = 0
    skipped: int = 0


class BatchStatus(msgspec.Struct, frozen=True):
    """The endpoint of a batch and its details; if it did not answer, `problem` says why."""

    endpoint: Endpoint = msgspec.field(name="place")
    details: BatchDetails | None = msgspec.field(name="seen", default=None)
    problem: str = ""


async def status_of(endpoint: Endpoint) -> BatchStatus:
    """Ask a batch for its status. Never raises."""
    try:
        connection = await Connection.open(endpoint, ANSWER_SECONDS)
    except LinkError as error:
        return BatchStatus(
            endpoint, problem=f"{error.title}. {error.hint}" if error.hint else error.title
        )
    connection.close()
    snapshot, recap, counts = connection.snapshot, connection.recap, JobCounts()
    paths = {job.id: job.path for job in snapshot.jobs}
    counts.add_all(snapshot.jobs)
    details = BatchDetails(
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
        to_check=counts.to_check,
        cancelled=counts.cancelled,
        skipped=counts.skipped,
    )
    return BatchStatus(endpoint, details)


class BatchResult(msgspec.Struct, frozen=True):
    """Result of a batch. `exit_code` is what `fwtui run` would have returned.

    `failure` is why the batch could not continue; `report` and `log` are paths, empty if there are
    none. `share` is the progress, 0 to 1; None: from an earlier version.
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
    to_check: int = 0
    cancelled: int = 0
    skipped: int = 0
    share: float | None = None


_LARGEST = 1 << 20  # bytes of a stored result
_DECODER = msgspec.json.Decoder(BatchResult)


def save_result(result: BatchResult, file: Path) -> None:
    """Save a result as the last one. Raises StorageError."""
    write_atomic(file, encode_checked(result, _DECODER), PRIVATE_FILE)


def last_result(file: Path) -> BatchResult | None:
    """The last result; None if there is none, or it cannot be read."""
    with contextlib.suppress(OSError, *UNREADABLE):
        return _DECODER.decode(read_regular(file, _LARGEST))
    return None
