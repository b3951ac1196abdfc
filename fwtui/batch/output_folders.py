"""The folders of the outputs: what was there is remembered, so that it is never made anew.

Without its drive, a folder would be created on the disk below, and the transcripts with it.
"""

from collections.abc import Iterable
from pathlib import Path

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.text import printable
from fwtui.disk.files import is_folder
from fwtui.disk.mounts import mount_of, mount_points
from fwtui.sessions.store import SessionStore


class OutputFolders:
    """The folders and drives that a session knows. All methods block on the disk."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._used: set[Path] = set()  # where transcripts were written by this process

    def add(self, folder: Path) -> None:
        """Add a folder that transcripts were written to."""
        self._used.add(folder)

    def remember(self, folders: Iterable[Path]) -> None:
        """Remember these folders, if they are there, and their drives. Raises StorageError.

        What is known already stays known: it may be missing just now.
        """
        self._store.remember_folders(*folders_now(folders))

    def remember_drive(self, folder: Path) -> None:
        """Remember the drive of a folder that may be made anew on it. Raises StorageError."""
        _, mounts = folders_now([folder])
        self._store.remember_folders((), mounts)

    def missing(self, folder: Path) -> Failure | None:
        """The failure if the folder, or the drive that it was on, has disappeared.

        Raises OSError if that cannot be found out.
        """
        if (gone := self.missing_drive(folder)) is not None:
            return gone
        known = folder in self._used or path_to_text(folder) in self._store.folders_seen
        return folder_missing(folder) if known and not is_folder(folder) else None

    def missing_drive(self, folder: Path) -> Failure | None:
        """The failure if nothing is mounted any more where the drive of a folder was."""
        mount = mount_of(folder, [str(text_to_path(one)) for one in self._store.mounts])
        if mount and mount not in mount_points():
            return drive_missing(Path(mount), folder)
        return None


def folders_now(folders: Iterable[Path]) -> tuple[list[str], list[str]]:
    """Those of the folders that are there, and the mount points of all, as `path_to_text`."""
    points = mount_points()
    folders = tuple(dict.fromkeys(folders))
    mounts = [mount for folder in folders if (mount := mount_of(folder, points))]
    there = [path_to_text(folder) for folder in folders if _is_there(folder)]
    return there, [path_to_text(mount) for mount in mounts]


def _is_there(folder: Path) -> bool:
    try:
        return is_folder(folder)
    except OSError:
        return False


def folder_missing(folder: Path) -> Failure:
    """The failure when a folder has disappeared. It is not created again."""
    return Failure(
        FailureKind.OUTPUT,
        f"The output folder {printable(str(folder))} has disappeared",
        "reconnect its drive, or create the folder again",
        place=path_to_text(folder),
    )


def drive_missing(mount: Path, folder: Path) -> Failure:
    """The failure when nothing is mounted any more where the drive of a folder was."""
    return Failure(
        FailureKind.OUTPUT,
        f"The drive of {printable(str(folder))} has disappeared:"
        f" nothing is mounted on {printable(str(mount))}",
        "reconnect the drive, or choose another folder",
        place=path_to_text(mount),
        is_mount=True,
    )
