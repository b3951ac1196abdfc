"""Watched folders: their options and their status."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from fwtui.core.paths import text_to_path

Existing = Literal["take", "ignore"]
Poll = Literal["auto", "on", "off"]
After = Literal["leave", "move", "tag"]
Seconds = Annotated[float, Meta(ge=0)]


class WatchedFolder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder whose new files, also in subfolders, are queued.

    `path` is `path_to_text` of an absolute path. A file is complete when it has not changed for
    `settle_seconds`. `existing`: what happens to files that exist when the folder is watched for
    the first time. `poll`: scan every `poll_seconds` instead of relying on notifications; auto: on
    network shares. `after`: what happens to a file after its transcription; `move_to` is the folder
    that it is moved to then (empty: `transcribed` in the folder). `values` are settings by
    `section.name` that override the batch's; `profile` is the name of their profile, for people.
    """

    path: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    existing: Existing = "take"
    settle_seconds: Seconds = 3.0
    poll: Poll = "auto"
    poll_seconds: Annotated[float, Meta(ge=0.1)] = 5.0
    after: After = "leave"
    move_to: str = ""
    profile: str = ""
    values: dict[str, Any] = {}

    @property
    def target(self) -> str:
        """The folder for transcribed files; empty if they are not moved."""
        if self.after != "move":
            return ""
        return self.move_to or str(text_to_path(self.path) / "transcribed")


def moves_text(folder: WatchedFolder) -> str:
    """What happens to the recordings in a folder, as in "the session ..."."""
    if folder.after == "tag":
        return f"tags recordings in {folder.path}"
    return f"moves recordings from {folder.path} to {folder.target}"


class FolderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A watched folder at one moment.

    `waiting` files are not complete yet; `taken` counts files queued since the start. `problem`
    says why no files can be queued at the moment.
    """

    folder: WatchedFolder
    state: Literal["starting", "watching", "polling", "missing", "failed"] = "starting"
    waiting: int = 0
    taken: int = 0
    problem: str = ""
