"""What is known of files before they are added: in the queue, done, transcribed earlier."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fwtui.batch.discovery import Found, Problem
from fwtui.batch.ytdlp import NEEDED, is_installed
from fwtui.core.job import Completed, Job
from fwtui.core.paths import path_to_text
from fwtui.core.settings import OutputSettings
from fwtui.core.templates import DEFAULT
from fwtui.outputs.formats.registry import formats
from fwtui.tui.folder_tree import Kind, is_kind
from fwtui.tui.formatting import clean, clock, file_count, time_span
from fwtui.tui.glyphs import Glyphs

IN_QUEUE = "in the queue"
DONE = "done"
TRANSCRIBED = "has a transcript"


@dataclass(frozen=True)
class KnownFiles:
    """`queued` has notes by `path_to_text`, `outputs` the names of files in the output folder."""

    queued: Mapping[str, str]
    outputs: frozenset[str] = frozenset()
    endings: tuple[str, ...] = ()

    def note(self, path: str) -> str:
        """A few words, or nothing for a new file."""
        queued = self.queued.get(path_to_text(Path(path)))
        if queued is not None:
            return queued
        stem = Path(path).stem
        if self.outputs and all(f"{stem}{ending}" in self.outputs for ending in self.endings):
            return TRANSCRIBED
        return ""


def queued_notes(jobs: Iterable[Job]) -> Mapping[str, str]:
    """A note for each file of the queue."""
    return {job.path: DONE if isinstance(job.state, Completed) else IN_QUEUE for job in jobs}


def read_known_files(queued: Mapping[str, str], output: OutputSettings) -> KnownFiles:
    """Also read the output folder; blocks on the disk.

    Where names are not those of the recordings, nothing is said of outputs.
    """
    if (output.output_layout, output.output_name) != ("flat", DEFAULT):
        return KnownFiles(queued)
    try:
        names = frozenset(os.listdir(Path(output.output_dir).expanduser()))  # noqa: PTH208
    except OSError:
        names = frozenset()
    endings = tuple(f".{name}" for name in formats(output.output_format))
    return KnownFiles(queued, names, endings)


@dataclass(frozen=True)
class AddPreview:
    """`names` as they were given, the files that they lead to, and what is known of these.

    `links` are to be downloaded, if `can_download`.
    """

    names: tuple[str, ...]
    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    notes: Mapping[Path, str]
    left_out: int = 0
    links: tuple[str, ...] = ()
    can_download: bool = True

    @classmethod
    def of(cls, found: Found, names: tuple[str, ...], known: KnownFiles) -> "AddPreview":
        """Everything that was found."""
        files = tuple(map(Path, found.files))
        notes = {path: note for path in files if (note := known.note(str(path)))}
        here = not found.links or is_installed()
        return cls(names, files, found.problems, notes, links=found.links, can_download=here)

    def without(self, kind: Kind, known: KnownFiles | None) -> "AddPreview":
        """Only files of this kind and, if `known` is given, those of which nothing is known."""
        kept = tuple(
            path
            for path in self.files
            if (kind == "media" or is_kind(path.name, kind))
            and not (known is not None and path in self.notes)
        )
        left_out = len(self.files) - len(kept)
        return replace(self, files=kept, left_out=left_out)

    @property
    def count(self) -> int:
        """How many rows there will be; none if links are among them and cannot be downloaded."""
        return len(self.files) + len(self.links) if self.can_download else 0

    @property
    def result(self) -> tuple[str, ...]:
        """What to hand to the batch: the names, or the single files if some are left out."""
        if not self.left_out:
            return self.names
        return *(path_to_text(path) for path in self.files), *self.links


def describe(addition: AddPreview, lengths: Mapping[Path, float | None], glyphs: Glyphs) -> str:
    """How many files and how long they are, as far as they are measured."""
    files, links = addition.files, len(addition.links)
    if not addition.can_download:
        return str(NEEDED)
    if links:
        words = "1 link" if links == 1 else f"{links:,} links"
        words += f" and {file_count(len(files))} found" if files else " to download"
    else:
        words = f"{file_count(len(files))} found" if files else "No media files found"
    measured = [lengths[path] for path in files if path in lengths]
    seconds = [value for value in measured if value is not None]
    if seconds:
        total = sum(seconds)
        if len(measured) == len(files):
            words += f" {glyphs.dot} {clock(total)} in all"
        else:
            about = total / len(measured) * len(files)
            words += f" {glyphs.dot} about {time_span(about)} ({len(measured):,} measured)"
    unknown = len(measured) - len(seconds)
    if unknown:
        words += f" {glyphs.dot} {unknown:,} without a length"
    if addition.problems:
        words += f"; {clean(addition.problems[0].failure.title)}"
    if len(addition.problems) > 1:
        words += f" and {len(addition.problems) - 1} more problems"
    return words


def remarks(addition: AddPreview, *, only_new: bool) -> str:
    """What of it is known already, and what is left out."""
    notes = [addition.notes[path] for path in addition.files if path in addition.notes]
    queued = notes.count(IN_QUEUE) + notes.count(DONE)
    parts: list[str] = []
    if queued:
        parts.append(f"{queued:,} in the queue already")
    if done := notes.count(TRANSCRIBED):
        parts.append(f"{done:,} with a transcript already")
    if addition.left_out:
        parts.append(f"{addition.left_out:,} left out")
    words = ", ".join(parts)
    return words if only_new or not notes else f"{words}: {{add_known}} leaves them out"
