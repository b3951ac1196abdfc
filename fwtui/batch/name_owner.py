"""Whose transcript a name is, by the history of what was transcribed; blocks on the disk.

A name belongs to a recording, known by its content: it keeps its names wherever it is moved, and
no other recording takes them.
"""

import filecmp
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from pathlib import Path

from fwtui.audio.identity import Identity, identify
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.registry import existing
from fwtui.outputs.history import TranscribedFile, TranscriptionHistory


class NameOwner(Enum):
    """Whose transcripts exist under a name."""

    NOBODY = auto()
    """There are none."""
    UNKNOWN = auto()
    """The history does not know."""
    THIS = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Recording:
    """A recording to be transcribed, as the history knows it.

    `replaces`: it takes over the names of another that was at its path before.
    """

    path: Path
    history: TranscriptionHistory
    replaces: bool = False

    @cached_property
    def identity(self) -> Identity | None:
        """Its identity; None if it cannot be read: the engine reports why."""
        try:
            return identify(self.path)
        except OSError:
            return None

    def owner(self, stem: Path, output: OutputSettings) -> NameOwner:
        """Whose transcripts exist under a name (without extension). Raises OSError."""
        if not existing(stem, output):
            return NameOwner.NOBODY
        known = self.history.owner(path_to_text(stem))
        if known is None or self.identity is None:
            return NameOwner.UNKNOWN
        if self.replaces and known.source == path_to_text(self.path):
            return NameOwner.THIS
        return NameOwner.THIS if self.is_same(known) else NameOwner.OTHER

    def owner_text(self, stem: Path) -> str:
        """The path of the recording that a name belongs to; empty if it is not known."""
        known = self.history.owner(path_to_text(stem))
        return str(text_to_path(known.source)) if known else ""

    def own_stem(self, folder: Path, fits: Callable[[str], bool]) -> str | None:
        """A name below `folder` that is its own, with transcripts, and `fits`; the last one."""
        if self.identity is None:
            return None
        for known in self.history.with_content(self.identity.digest):
            stem = next(filter(fits, _names_in(text_to_path(known.stem), folder)), None)
            if stem is not None and known.has_outputs and self.is_same(known):
                return stem
        return None

    def is_same(self, earlier: TranscribedFile) -> bool:
        """Whether the content is the same: the time of change, or every byte, must agree as well.

        The digest covers only the edges of the file.
        """
        identity = self.identity
        if identity is None or identity.digest != earlier.content:
            return False
        if identity.modified == earlier.modified:
            return True
        source = text_to_path(earlier.source)
        try:
            unchanged = identify(source)
            return (unchanged.digest, unchanged.modified) == (
                earlier.content,
                earlier.modified,
            ) and filecmp.cmp(self.path, source, shallow=False)
        except OSError:
            return False


def _names_in(stem: Path, folder: Path) -> Iterator[str]:
    """A name as a job may have it: absolute, and relative to the output folder."""
    yield path_to_text(stem.as_posix())
    if stem.is_relative_to(folder):
        yield path_to_text(stem.relative_to(folder).as_posix())
