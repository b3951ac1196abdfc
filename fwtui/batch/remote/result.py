"""What became of the batch that ended last: a small record for those who were not there."""

import contextlib
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.core.failure import Failure
from fwtui.disk.codec import UNREADABLE, encode_checked
from fwtui.disk.files import PRIVATE_FILE
from fwtui.errors import ExitCode
from fwtui.storage.atomic import write_atomic


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
