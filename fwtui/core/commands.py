"""Commands of user interfaces to a batch."""

import msgspec

from fwtui.core.job import JobId
from fwtui.core.settings import Settings
from fwtui.core.watched_folder import WatchedFolder


class Command(msgspec.Struct, frozen=True, tag=True):
    """Base of all commands."""


class AddPaths(Command, frozen=True):
    """Add files, folders (recursively), glob patterns and links to the end of the queue.

    `roots` are the folders that `paths` were found in, if a folder was searched before. `lengths`
    are seconds of audio by the absolute path of a file (as by `path_to_text`), as far as they were
    measured.
    """

    paths: tuple[str, ...]
    roots: tuple[str, ...] = ()
    lengths: dict[str, float] = {}


class RemoveJobs(Command, frozen=True):
    """Remove jobs from the queue; a running one is cancelled first."""

    ids: tuple[JobId, ...]


class UndoRemove(Command, frozen=True):
    """Undo the last `RemoveJobs`: the jobs return to their positions, with their progress."""


class ArrangeJobs(Command, frozen=True):
    """Reorder the queue; jobs that are not named come last."""

    order: tuple[JobId, ...]


class MoveJobs(Command, frozen=True):
    """Move jobs by `offset` positions (negative: up)."""

    ids: tuple[JobId, ...]
    offset: int


class SkipJobs(Command, frozen=True):
    """Cancel running jobs, skip waiting ones."""

    ids: tuple[JobId, ...]


class RetryJobs(Command, frozen=True):
    """Queue finished jobs again. `restart`: from the beginning of the file.

    `settings`: settings for these jobs from now on, instead of the batch's.
    """

    ids: tuple[JobId, ...]
    restart: bool = False
    settings: Settings | None = None


class NameSpeaker(Command, frozen=True):
    """Give a speaker of a file a name, or with an empty `name` the label back.

    Only the outputs of a file that is done are written again.
    """

    id: JobId
    speaker: int
    name: str


class Start(Command, frozen=True):
    """Start the batch, or resume it after a pause."""


class Pause(Command, frozen=True):
    """Pause after the current window; the model stays loaded."""


class Stop(Command, frozen=True):
    """Stop now: the engine ends, the running file waits again and keeps its progress."""


class Quit(Command, frozen=True):
    """Stop, save everything and end the batch."""


class ChangeSettings(Command, frozen=True):
    """Use other settings for jobs that have not started yet."""

    settings: Settings


class WatchFolder(Command, frozen=True):
    """Watch a folder for new files, or change how it is watched."""

    folder: WatchedFolder


class UnwatchFolder(Command, frozen=True):
    """Stop watching a folder (`path` as in `WatchedFolder`); its queued files stay."""

    path: str


AnyCommand = (
    AddPaths
    | RemoveJobs
    | UndoRemove
    | ArrangeJobs
    | MoveJobs
    | SkipJobs
    | RetryJobs
    | NameSpeaker
    | Start
    | Pause
    | Stop
    | Quit
    | ChangeSettings
    | WatchFolder
    | UnwatchFolder
)
