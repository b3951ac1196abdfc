"""What a watched folder tells the batch."""

from msgspec import Struct

from fwtui.core.events import Level
from fwtui.core.watch import FolderStatus


class Arrived(Struct, frozen=True):
    """Complete files to transcribe, written down in the folder's ledger already.

    `folder` and `files` as `path_to_text`.
    """

    folder: str
    files: tuple[str, ...]


class Renamed(Struct, frozen=True):
    """A file that is in the queue has another name now, or is there again under its own."""

    folder: str
    before: str
    after: str


class Told(Struct, frozen=True):
    """How the folder is."""

    status: FolderStatus


class Noted(Struct, frozen=True):
    """A line for the log."""

    level: Level
    text: str


News = Arrived | Renamed | Told | Noted
