"""Folders and files to select: as a tree, or as the result of a search."""

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from textual import events, work
from textual.message import Message

from fwtui.core.text import clock
from fwtui.tui.folder_tree import FolderEntry, FolderTree, Kind, TreeRow, find_below, read_folder
from fwtui.tui.formatting import clean, file_size, fit_left, fit_middle, fit_right, width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece

SEARCH_AFTER = 0.12
SIZE_CELLS, LENGTH_CELLS, NOTE_CELLS = 10, 9, 16


class FileTree(Listing[TreeRow]):
    """Rows of `folders`, or of the files found by a search.

    `lengths` has known lengths in seconds; `note` gives a remark on a file.
    """

    BINDINGS = bindings("add")

    class SelectionChanged(Message):
        """Other files are selected."""

    class FolderRead(Message):
        """A folder was read, or a search ended."""

    def __init__(
        self,
        folder: str,
        glyphs: Glyphs,
        lengths: Mapping[Path, float | None],
        note: Callable[[str], str],
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(glyphs, empty=f" Loading{glyphs.ellipsis}", id=id)
        self.folders = FolderTree(folder)
        self.kind: Kind = "media"
        self.needle = ""
        self._lengths = lengths
        self._note = note
        self._search = 0

    def on_mount(self) -> None:
        self.go_to(self.folders.root)

    def key(self, item: TreeRow) -> str:
        return item.entry.path

    @property
    def entry(self) -> FolderEntry | None:
        """The folder or file under the cursor."""
        return self.current.entry if self.current is not None else None

    # Reading.

    def go_to(self, folder: str, then: str = "") -> None:
        """Show another folder, with the cursor on the entry `then`."""
        self.folders.root, self.needle = folder, ""
        self._read(folder, then)

    def set_kind(self, kind: Kind) -> None:
        """Show only files of this kind."""
        self.kind = kind
        self.folders.entries_of.clear()
        if self.needle:
            self.search(self.needle)
        for folder in (self.folders.root, *self.folders.expanded):
            self._read(folder)

    @work(group="read", exit_on_error=False)
    async def _read(self, folder: str, then: str = "") -> None:
        self.empty = f" Loading{self.glyphs.ellipsis}"
        entries = await asyncio.to_thread(read_folder, folder, self.kind)
        self.folders.entries_of[folder] = entries
        self.empty = " No media files in this folder"
        if not self.needle:
            self._show(self.folders.rows(), then)

    @work(exclusive=True, group="search", exit_on_error=False)
    async def search(self, needle: str) -> None:
        """Show what is found below the folder; without a needle, the tree again."""
        self.needle = needle
        self._search += 1
        mine = self._search
        if not needle.strip():
            self.needle = ""
            self._show(self.folders.rows())
            return
        await asyncio.sleep(SEARCH_AFTER)
        found = await asyncio.to_thread(
            find_below, self.folders.root, self.kind, needle, lambda: mine != self._search
        )
        self.empty = " Nothing found"
        self.cursor = 0
        self.items = ()
        self._show([TreeRow(entry, 0) for entry in found])

    def _show(self, rows: list[TreeRow], then: str = "") -> None:
        self.replace(rows)
        paths = [row.entry.path for row in rows]
        if then in paths:
            self.move_to(paths.index(then))
        self.post_message(self.FolderRead())

    # Moving and selecting.

    def action_unfold(self) -> None:
        entry = self.entry
        if entry is None or not entry.is_folder or self.needle:
            return
        if entry.path in self.folders.expanded:
            self.action_go(1)
            return
        self.folders.expanded.add(entry.path)
        self._read(entry.path)

    def action_fold(self) -> None:
        entry = self.entry
        if entry is None or self.needle:
            return
        if entry.path in self.folders.expanded:
            self.folders.expanded.discard(entry.path)
            self._show(self.folders.rows())
            return
        above = os.path.dirname(entry.path)  # noqa: PTH120
        if above != self.folders.root:
            self._show(self.folders.rows(), above)
        else:
            self.action_above()

    def action_above(self) -> None:
        root = self.folders.root
        above = os.path.dirname(root)  # noqa: PTH120
        if above != root:
            self.folders.expanded.add(root)
            self.go_to(above, root)

    def action_open(self) -> None:
        entry = self.entry
        if entry is None or not entry.is_folder:
            self.action_choose()
        elif entry.path in self.folders.expanded:
            self.action_fold()
        else:
            self.action_unfold()

    def action_choose(self) -> None:
        entry = self.entry
        if entry is not None:
            self.folders.toggle(entry)
            self.refresh()
            self.action_go(1)
            self.post_message(self.SelectionChanged())

    def action_choose_all(self) -> None:
        entries = [row.entry for row in self.items if row.depth == 0]
        all_selected = all(self.folders.is_selected(entry.path) for entry in entries)
        for entry in entries:
            if self.folders.is_selected(entry.path) == all_selected:
                self.folders.toggle(entry)
        self.refresh()
        self.post_message(self.SelectionChanged())

    def on_click(self, event: events.Click) -> None:
        """Go to the row; select it by its mark; open it by a second click."""
        event.prevent_default()
        index = event.y + self.top
        if index >= len(self.items):
            return
        was_current = index == self.cursor
        self.move_to(index)
        if event.x < 4 + 2 * self.items[index].depth:
            self.action_choose()
        elif was_current or event.chain == 2:
            self.action_open()

    # Drawing.

    def pieces(self, item: TreeRow) -> list[Piece]:
        entry, glyphs = item.entry, self.glyphs
        mark, ink = glyphs.unchecked, "faint"
        if self.folders.is_selected(entry.path):
            mark, ink = glyphs.checked, "accent"
        elif entry.is_folder and self.folders.has_selected(entry.path):
            mark, ink = glyphs.half_checked, "accent"
        pieces: list[Piece] = [(" " + "  " * item.depth + mark + " ", ink)]
        room = self.size.width - 4 - 2 * item.depth
        if entry.is_folder:
            fold = glyphs.unfolded if entry.path in self.folders.expanded else glyphs.folded
            return [*pieces, (f"{fold} ", "dim"), (self._folder_name(entry, room - 2), "primary")]
        known = self._known(entry) if room > 60 else []
        room -= sum(width(text) for text, _ in known)
        text = fit_middle(clean(entry.name), room - 2, glyphs.ellipsis)
        if self.needle:
            path = entry.path[len(self.folders.root.rstrip(os.sep)) + 1 :]
            text = fit_left(clean(path), room - 2, glyphs.ellipsis)
        return [*pieces, ("  ", "plain"), (text, "plain"), *known]

    def _folder_name(self, entry: FolderEntry, cells: int) -> str:
        return fit_middle(clean(entry.name), cells, self.glyphs.ellipsis)

    def _known(self, entry: FolderEntry) -> list[Piece]:
        seconds = self._lengths.get(Path(entry.path))
        size = file_size(entry.size) if entry.size else ""
        return [
            (fit_right(self._note(entry.path), NOTE_CELLS), "warn"),
            (fit_right(size, SIZE_CELLS), "dim"),
            (fit_right(clock(seconds) if seconds else "", LENGTH_CELLS), "dim"),
            (" ", "plain"),
        ]
