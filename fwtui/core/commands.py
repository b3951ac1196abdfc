"""What a user interface may ask of a batch."""

import msgspec

from fwtui.core.job import JobId
from fwtui.core.settings import Settings
from fwtui.core.watched_folder import WatchedFolder


class Command(msgspec.Struct, frozen=True, tag=True):
    """The root of all commands."""


class AddPaths(Command, frozen=True):
    """Add files, folders (recursively), glob patterns and links to the end of the queue.

    `roots` are the folders that `paths` were found in before, where they are files of these.
    """

    paths: tuple[str, ...]
    roots: tuple[str, ...] = ()


class RemoveJobs(Command, frozen=True):
    """Take jobs out of the queue; a running one is cancelled first."""

    ids: tuple[JobId, ...]


class UndoRemove(Command, frozen=True):
    """Put what the last `RemoveJobs` took out back where it was, with its progress."""


class ArrangeJobs(Command, frozen=True):
    """Put the queue into this order; jobs that are not named come last."""

    order: tuple[JobId, ...]


class MoveJobs(Command, frozen=True):
    """Move jobs by `offset` places (negative: up)."""

    ids: tuple[JobId, ...]
    offset: int


class SkipJobs(Command, frozen=True):
    """Cancel running jobs, skip waiting ones."""

    ids: tuple[JobId, ...]


class RetryJobs(Command, frozen=True):
    """Put finished jobs back to pending. `restart`: forget their progress inside the file.

    `settings`: use these for the jobs from now on, instead of the batch's.
    """

    ids: tuple[JobId, ...]
    restart: bool = False
    settings: Settings | None = None


class Start(Command, frozen=True):
    """Work through the queue; also ends a pause."""


class Pause(Command, frozen=True):
    """Rest after the current window; the model stays loaded."""


class Stop(Command, frozen=True):
    """Stop now: the engine ends, the running file goes back to pending with its progress."""


class Quit(Command, frozen=True):
    """Stop, save everything and end the runner."""


class ChangeSettings(Command, frozen=True):
    """Use other settings for the jobs that have not started yet."""

    settings: Settings


class WatchFolder(Command, frozen=True):
    """Take the files that come into a folder; one that is watched already is watched like this."""

    folder: WatchedFolder


class UnwatchFolder(Command, frozen=True):
    """Let go of a watched folder (`path` as in `WatchedFolder`); what is in the queue stays."""

    path: str


AnyCommand = (
    AddPaths
    | RemoveJobs
    | UndoRemove
    | ArrangeJobs
    | MoveJobs
    | SkipJobs
    | RetryJobs
    | Start
    | Pause
    | Stop
    | Quit
    | ChangeSettings
    | WatchFolder
    | UnwatchFolder
)
