"""What would be added: the files, their length, and which are queued or transcribed already."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fwtui.batch.discovery import Found, Problem
from fwtui.batch.ytdlp import NEEDED, is_installed
from fwtui.core.job import Completed, Job
from fwtui.core.paths import expand_home, path_to_text, text_to_path
from fwtui.core.settings import OutputSettings
from fwtui.core.templates import DEFAULT_TEMPLATE
from fwtui.core.text import clock, left_out_text
from fwtui.outputs.formats.registry import formats
from fwtui.outputs.history import TranscriptionHistory
from fwtui.tui.folder_tree import Kind, is_kind
from fwtui.tui.formatting import clean, file_count, time_span
from fwtui.tui.glyphs import Glyphs

IN_QUEUE = "queued"
DONE = "done"
TRANSCRIBED = "transcribed"


@dataclass(frozen=True)
class KnownFiles:
    """`queued` has notes by `path_to_text`, `outputs` the names of files in the output folder.

    `sources` are recordings with transcripts there; `owners` the names that belong to one.
    """

    queued: Mapping[str, str]
    outputs: frozenset[str] = frozenset()
    endings: tuple[str, ...] = ()
    sources: frozenset[str] = frozenset()
    owners: Mapping[str, str] = field(default_factory=dict)

    def note(self, path: str) -> str:
        """What is known of a file; empty for a new one."""
        text = path_to_text(Path(path))
        queued = self.queued.get(text)
        if queued is not None:
            return queued
        stem = Path(path).stem
        is_own = text in self.sources or self.owners.get(stem, text) == text
        if text in self.sources or (is_own and self.has_outputs(stem)):
            return TRANSCRIBED
        return ""

    def has_outputs(self, stem: str) -> bool:
        """Whether all transcripts of this name are there."""
        return bool(self.outputs) and all(f"{stem}{end}" in self.outputs for end in self.endings)


def queued_notes(jobs: Iterable[Job]) -> Mapping[str, str]:
    """A note for each file of the queue."""
    return {job.path: DONE if isinstance(job.state, Completed) else IN_QUEUE for job in jobs}


def read_known_files(
    queued: Mapping[str, str], output: OutputSettings, state: Path | None = None
) -> KnownFiles:
    """The queued files, and the names in the output folder; blocks on the disk.

    `state` is the folder with the history of what was transcribed. Without names where outputs are
    not named after the recordings.
    """
    if (output.output_layout, output.output_name) != ("flat", DEFAULT_TEMPLATE):
        return KnownFiles(queued)
    try:
        names = frozenset(os.listdir(expand_home(output.output_dir)))  # noqa: PTH208
    except OSError:
        names = frozenset()
    endings = tuple(f".{name}" for name in formats(output))
    known = KnownFiles(queued, names, endings)
    if state is None:
        return known
    sources, owners = _transcribed(known, TranscriptionHistory(state), output)
    return replace(known, sources=sources, owners=owners)


def _transcribed(
    known: KnownFiles, history: TranscriptionHistory, output: OutputSettings
) -> tuple[frozenset[str], dict[str, str]]:
    """Recordings with transcripts in the output folder, and names of those that still exist."""
    sources: set[str] = set()
    owners: dict[str, str] = {}
    folder = path_to_text(expand_home(output.output_dir).absolute())
    for stem, source in history.sources_in(folder).items():
        name = text_to_path(stem).name
        if known.has_outputs(name):
            sources.add(source)
            if os.path.lexists(text_to_path(source)):  # otherwise it may have been moved
                owners[name] = source
    return frozenset(sources), owners


@dataclass(frozen=True)
class AddPreview:
    """`names` as they were given, the files that they stand for, and what is known of these.

    `links` are to be downloaded, if `can_download`.
    """

    names: tuple[str, ...]
    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    notes: Mapping[Path, str]
    hidden: int = 0
    left_out: str = ""
    links: tuple[str, ...] = ()
    can_download: bool = True

    @classmethod
    def of(cls, found: Found, names: tuple[str, ...], known: KnownFiles) -> "AddPreview":
        """Everything that was found."""
        files = tuple(map(Path, found.files))
        notes = {path: note for path in files if (note := known.note(str(path)))}
        here = not found.links or is_installed()
        left_out = left_out_text(found.left_out)
        return cls(
            names,
            files,
            found.problems,
            notes,
            left_out=left_out,
            links=found.links,
            can_download=here,
        )

    def without(self, kind: Kind, known: KnownFiles | None) -> "AddPreview":
        """Only files of this kind and, if `known` is given, those of which nothing is known."""
        kept = tuple(
            path
            for path in self.files
            if (kind == "media" or is_kind(path.name, kind))
            and not (known is not None and path in self.notes)
        )
        hidden = len(self.files) - len(kept)
        return replace(self, files=kept, hidden=hidden)

    @property
    def count(self) -> int:
        """How many rows there will be; none if links are among them and cannot be downloaded."""
        return len(self.files) + len(self.links) if self.can_download else 0

    @property
    def result(self) -> tuple[str, ...]:
        """What to add to the batch: the names, or the single files if some are hidden."""
        if not self.hidden:
            return self.names
        return *(path_to_text(path) for path in self.files), *self.links

    def lengths(self, measured: Mapping[Path, float | None]) -> dict[str, float]:
        """The lengths of its files that are known, by `path_to_text`."""
        found = ((path, measured.get(path)) for path in self.files)
        return {path_to_text(path): seconds for path, seconds in found if seconds}


def describe_found(
    preview: AddPreview, lengths: Mapping[Path, float | None], glyphs: Glyphs
) -> str:
    """How many files there are and how long they are, as far as they are measured."""
    if not preview.can_download:
        return str(NEEDED)
    parts = [_counted(preview), *_length(preview, lengths)]
    text = f" {glyphs.dot} ".join(parts)
    if preview.left_out:
        text += f" {glyphs.dot} left out: {clean(preview.left_out)}"
    if preview.problems:
        text += f"; {clean(preview.problems[0].failure.title)}"
    if len(preview.problems) > 1:
        text += f" and {len(preview.problems) - 1:,} more problems"
    return text


def _counted(preview: AddPreview) -> str:
    files, links = preview.files, len(preview.links)
    if not links:
        return file_count(len(files)) if files else "No media files found"
    counted = "1 link" if links == 1 else f"{links:,} links"
    return counted + (f" and {file_count(len(files))}" if files else " to download")


def _length(preview: AddPreview, lengths: Mapping[Path, float | None]) -> Iterator[str]:
    measured = [lengths[path] for path in preview.files if path in lengths]
    known = [seconds for seconds in measured if seconds is not None]
    if known and len(measured) == len(preview.files):
        yield f"{clock(sum(known))} total"
    elif known:
        estimate = sum(known) / len(measured) * len(preview.files)
        yield f"about {time_span(estimate)} ({len(measured):,} measured)"
    if unknown := len(measured) - len(known):
        yield f"{unknown:,} of unknown length"


def describe_known(preview: AddPreview, *, only_new: bool) -> str:
    """How many of the files are known already, and how many are hidden."""
    notes = [preview.notes[path] for path in preview.files if path in preview.notes]
    queued = notes.count(IN_QUEUE) + notes.count(DONE)
    parts: list[str] = []
    if queued:
        parts.append(f"{queued:,} already queued")
    if done := notes.count(TRANSCRIBED):
        parts.append(f"{done:,} already transcribed")
    if preview.hidden:
        parts.append(f"{preview.hidden:,} hidden")
    text = ", ".join(parts)
    return text if only_new or not notes else f"{text}: {{add_known}} hides them"
