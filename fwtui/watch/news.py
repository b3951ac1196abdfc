"""What a watched folder tells the batch."""

from dataclasses import dataclass

from fwtui.core.events import Level
from fwtui.core.watch import FolderStatus


@dataclass(frozen=True)
class Arrived:
    """Complete files to transcribe, written down in the folder's ledger already.

    `folder` and `files` as `path_to_text`.
    """

    folder: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Renamed:
    """A file that is in the queue has another name now, or is there again under its own."""

    folder: str
    before: str
    after: str


@dataclass(frozen=True)
class Told:
    """How the folder is."""

    status: FolderStatus


@dataclass(frozen=True)
class Noted:
    """A line for the log."""

    level: Level
    text: str


News = Arrived | Renamed | Told | Noted
