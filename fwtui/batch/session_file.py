"""The session file of a batch: when it is written, and what becomes of it at the end."""

import time

from fwtui.batch.state import BatchState
from fwtui.core.events import AT_REST, Level, Phase
from fwtui.core.session import is_kept
from fwtui.errors import StorageError

SAVE_AGAIN_SECONDS = 60.0
SAVE_PAUSE = 20  # times as long as writing the session file took


class SessionFile:
    """Writes the session file when files were added, and at rest; seldom if that takes long.

    Everything is in the journal already, so a failure changes nothing.
    """

    def __init__(self, state: BatchState) -> None:
        self.state = state
        self.wanted = False  # files were added since it was written
        self._due = 0.0  # when it may be written again, as of `time.monotonic`

    async def write_if_due(self, phase: Phase) -> None:
        """Write it if it is old, and wanted in this phase."""
        wanted = self.wanted or phase in AT_REST or phase is Phase.PAUSED
        if not (wanted and self.state.store.is_snapshot_old):
            return
        begin = time.monotonic()
        if begin < self._due:
            return
        try:
            await self.state.save_snapshot()
        except StorageError as error:
            self.state.log(Level.DEBUG, f"The session file is not up to date: {error.title}")
            self._due = begin + SAVE_AGAIN_SECONDS
        else:
            self.wanted = False
            self._due = begin + SAVE_PAUSE * (time.monotonic() - begin)


def close_session(state: BatchState) -> bool:
    """Close a session at the end of its batch, or delete it if nothing is left to do.

    Returns whether it was deleted. Raises FwtuiError and OSError.
    """
    store, counts = state.store, state.counts
    cancelled = counts.cancelled and any(is_kept(job) for job in state.queue)
    if counts.unfinished or counts.failed or cancelled or store.folders or store.asked:
        store.close()
        return False
    store.delete()
    return True
