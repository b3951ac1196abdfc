"""What a ledger of taken files says of queues that are no more, or were cut off while adding."""

from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec.structs import replace

from fwtui.errors import StorageError
from fwtui.sessions.load import load
from fwtui.sessions.paths import SessionFiles
from fwtui.watch.processed import Taken, TakenLedger


def settle_left_over(
    taken: TakenLedger, sessions: Path, own: str, is_queued: Callable[[str], bool]
) -> None:
    """Bring the ledger in line with the queues: before the folder is watched. Raises StorageError.

    A file was written down before it came into the queue of its session. If it is not there, that
    was cut off, and it is forgotten, to be taken again. If its session is gone, all of that was
    done, or given up by the user.
    """
    queues: dict[str, set[str] | None] = {}

    def settled() -> Iterator[Taken]:
        for entry in taken.queued():
            if entry.session == own:
                if not is_queued(entry.path):
                    yield replace(entry, fate="forgotten")
                continue
            if entry.session not in queues:
                queues[entry.session] = _paths(sessions, entry.session)
            paths = queues[entry.session]
            if paths is None:
                yield replace(entry, fate="done")
            elif entry.path not in paths:
                yield replace(entry, fate="forgotten")

    taken.add(tuple(settled()))


def _paths(sessions: Path, session: str) -> set[str] | None:
    """The files of a session; None: there is no such session."""
    files = SessionFiles(sessions, session)
    if not files.snapshot.exists():
        return None
    try:
        return {job.path for job in load(files).roster.jobs.values()}
    except StorageError:
        return None
