"""The tree of folders and media files to select from; read in threads, without Textual."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from fwtui.core.paths import MEDIA_SUFFIXES, VIDEO_SUFFIXES, is_kept_out
from fwtui.core.text import in_natural_order

Kind = Literal["media", "audio", "video"]
KINDS: tuple[Kind, ...] = ("media", "audio", "video")
MOST_FOUND = 20_000


@dataclass(frozen=True)
class FolderEntry:
    """A folder or a file; `size` in bytes, 0 for folders."""

    path: str
    is_folder: bool
    size: int = 0

    @property
    def name(self) -> str:
        """The last part of the path."""
        return os.path.basename(self.path)  # noqa: PTH119


@dataclass(frozen=True)
class TreeRow:
    """A visible entry of the tree, and how deep it is."""

    entry: FolderEntry
    depth: int


def is_kind(name: str, kind: Kind) -> bool:
    """Whether a file has a name of this kind."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
    if suffix not in MEDIA_SUFFIXES:
        return False
    return kind == "media" or (suffix in VIDEO_SUFFIXES) == (kind == "video")


def read_folder(folder: str, kind: Kind) -> list[FolderEntry]:
    """Folders, then files of that kind, without hidden ones; empty if it cannot be read."""
    found: list[FolderEntry] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                try:
                    if entry.is_dir():
                        if is_kept_out(entry.name):
                            continue
                        found.append(FolderEntry(entry.path, is_folder=True))
                    elif is_kind(entry.name, kind):
                        found.append(
                            FolderEntry(entry.path, is_folder=False, size=entry.stat().st_size)
                        )
                except OSError:
                    continue
    except OSError:
        return []
    named = {entry.name: entry for entry in found}
    ordered = (named[name] for name in in_natural_order(named))
    return sorted(ordered, key=lambda entry: not entry.is_folder)


def find_below(
    folder: str, kind: Kind, needle: str, is_over: Callable[[], bool], most: int = MOST_FOUND
) -> list[FolderEntry]:
    """Files below a folder that match the needle, the best first, of `most` at most.

    `is_over` is asked now and then whether to give up.
    """
    entries: list[FolderEntry] = []
    for parent, folders, names in os.walk(folder):
        if is_over() or len(entries) >= most:
            break
        folders[:] = in_natural_order(f for f in folders if not is_kept_out(f))
        entries += [
            FolderEntry(os.path.join(parent, name), is_folder=False)  # noqa: PTH118
            for name in in_natural_order(names)
            if is_kind(name, kind) and not name.startswith(".")
        ]
    start = len(folder.rstrip(os.sep)) + 1
    return best(needle, entries, lambda entry: entry.path[start:])


def best(
    needle: str, entries: Iterable[FolderEntry], text: Callable[[FolderEntry], str]
) -> list[FolderEntry]:
    """The entries with the needle's letters in this order, those closest together first."""
    letters = [re.escape(letter) for letter in needle.casefold() if not letter.isspace()]
    pattern = re.compile("(?=(" + ".*?".join(letters) + "))")
    scored: list[tuple[int, int, int, FolderEntry]] = []
    for place, entry in enumerate(entries):
        lengths = [len(found[1]) for found in pattern.finditer(text(entry).casefold())]
        if lengths:
            scored.append((min(lengths), len(entry.path), place, entry))
    return [entry for *_, entry in sorted(scored, key=lambda one: one[:3])]


@dataclass
class FolderTree:
    """Expanded folders, their entries, and what is selected (a folder: everything below it)."""

    root: str
    entries_of: dict[str, list[FolderEntry]] = field(default_factory=dict)
    expanded: set[str] = field(default_factory=set)
    selected: dict[str, None] = field(default_factory=dict)

    def rows(self) -> list[TreeRow]:
        """The visible rows, from the top."""
        return list(self._rows(self.root, 0))

    def _rows(self, folder: str, depth: int) -> Iterator[TreeRow]:
        for entry in self.entries_of.get(folder, ()):
            yield TreeRow(entry, depth)
            if entry.is_folder and entry.path in self.expanded:
                yield from self._rows(entry.path, depth + 1)

    def is_selected(self, path: str) -> bool:
        """Whether it, or a folder that it is in, is selected."""
        return self._selected_parent(path) is not None

    def has_selected(self, folder: str) -> bool:
        """Whether something below the folder is selected."""
        start = os.path.join(folder, "")  # noqa: PTH118
        return any(path.startswith(start) for path in self.selected)

    def _selected_parent(self, path: str) -> str | None:
        while path not in self.selected:
            above = os.path.dirname(path)  # noqa: PTH120
            if above == path:
                return None
            path = above
        return path

    def toggle(self, entry: FolderEntry) -> None:
        """Select or deselect an entry; the other entries of a selected folder stay selected."""
        above = self._selected_parent(entry.path)
        if above is None:
            for path in [path for path in self.selected if _is_below(path, entry.path)]:
                del self.selected[path]
            self.selected[entry.path] = None
            return
        del self.selected[above]
        path = entry.path
        while path != above:
            folder = os.path.dirname(path)  # noqa: PTH120
            for other in self.entries_of.get(folder, ()):
                if other.path != path:
                    self.selected[other.path] = None
            path = folder


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(folder, ""))  # noqa: PTH118
