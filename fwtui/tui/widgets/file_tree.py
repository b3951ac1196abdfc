"""Folders and files to choose from: a tree, or what a search found."""

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from textual import events, work
from textual.message import Message
from textual.strip import Strip

from fwtui.tui.folder_tree import FolderEntry, FolderTree, Kind, TreeRow, find_below, read_folder
from fwtui.tui.formatting import clean, clock, file_size, fit, fit_right, width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.paint import Piece

REST = 0.12
SIZE_CELLS, LENGTH_CELLS, NOTE_CELLS = 10, 9, 16


class FileTree(LineView):
    """Rows of `folders`, or of the files found by a search; space chooses.

    `lengths` has what is known in seconds, `note` says what else is known of a file.
    """

    BINDINGS = bindings("add")

    class SelectionChanged(Message):
        """Other files are chosen now."""

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
        super().__init__(glyphs, id=id)
        self.folders = FolderTree(folder)
        self.kind: Kind = "media"
        self.needle = ""
        self.cursor = 0
        self.is_reading = True
        self._lengths = lengths
        self._note = note
        self._rows: list[TreeRow] = []
        self._search = 0

    def on_mount(self) -> None:
        """Read the first folder."""
        self.go_to(self.folders.root)

    def count(self) -> int:
        """Rows that can be scrolled to."""
        return len(self._rows)

    @property
    def current(self) -> FolderEntry | None:
        """What the cursor is on."""
        return self._rows[self.cursor].entry if self.cursor < len(self._rows) else None

    # Reading.

    def go_to(self, folder: str, then: str = "") -> None:
        """Show another folder, with the cursor on the entry `then`."""
        self.folders.root, self.needle = folder, ""
        self._read(folder, then)

    def set_kind(self, kind: Kind) -> None:
        """Show only files of this kind."""
        self.kind = kind
        self.folders.inside.clear()
        if self.needle:
            self.search(self.needle)
        for folder in (self.folders.root, *self.folders.unfolded):
            self._read(folder)

    @work(group="read", exit_on_error=False)
    async def _read(self, folder: str, then: str = "") -> None:
        self.is_reading = True
        entries = await asyncio.to_thread(read_folder, folder, self.kind)
        self.folders.inside[folder] = entries
        self.is_reading = False
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
        await asyncio.sleep(REST)
        found = await asyncio.to_thread(
            find_below, self.folders.root, self.kind, needle, lambda: mine != self._search
        )
        self.cursor = 0
        self._show([TreeRow(entry, 0) for entry in found])

    def _show(self, rows: list[TreeRow], then: str = "") -> None:
        here = then or (self.current.path if self.current is not None else "")
        self._rows = rows
        places = [at for at, row in enumerate(rows) if row.entry.path == here]
        self.cursor = places[0] if places else max(0, min(self.cursor, len(rows) - 1))
        self.changed()
        self._reveal()
        self.post_message(self.FolderRead())

    # Moving.

    def _reveal(self) -> None:
        if self.rows <= 0:
            return
        if self.cursor < self.top:
            self.look_at(self.cursor)
        elif self.cursor >= self.top + self.rows:
            self.look_at(self.cursor - self.rows + 1)

    def action_go(self, lines: int) -> None:
        """Move the cursor."""
        before = self.cursor
        self.cursor = max(0, min(self.cursor + lines, self.count() - 1))
        self.refresh_line(before)
        self.refresh_line(self.cursor)
        self._reveal()

    def action_home(self) -> None:
        """To the first row."""
        self.action_go(-self.count())

    def action_end(self) -> None:
        """To the last row."""
        self.action_go(self.count())

    def action_unfold(self) -> None:
        """Open the folder, or go to its first entry."""
        entry = self.current
        if entry is None or not entry.is_folder or self.needle:
            return
        if entry.path in self.folders.unfolded:
            self.action_go(1)
            return
        self.folders.unfolded.add(entry.path)
        self._read(entry.path)

    def action_fold(self) -> None:
        """Close the folder, or go to the one that this is in."""
        entry = self.current
        if entry is None or self.needle:
            return
        if entry.path in self.folders.unfolded:
            self.folders.unfolded.discard(entry.path)
            self._show(self.folders.rows())
            return
        above = os.path.dirname(entry.path)  # noqa: PTH120
        if above != self.folders.root:
            self._show(self.folders.rows(), above)
        else:
            self.action_above()

    def action_above(self) -> None:
        """Show the folder that this one is in."""
        root = self.folders.root
        above = os.path.dirname(root)  # noqa: PTH120
        if above != root:
            self.folders.unfolded.add(root)
            self.go_to(above, root)

    def action_open(self) -> None:
        """Open or close a folder; choose a file."""
        entry = self.current
        if entry is None or not entry.is_folder:
            self.action_choose()
        elif entry.path in self.folders.unfolded:
            self.action_fold()
        else:
            self.action_unfold()

    def action_choose(self) -> None:
        """Choose the entry, or not any more, and go on."""
        entry = self.current
        if entry is not None:
            self.folders.toggle(entry)
            self.refresh()
            self.action_go(1)
            self.post_message(self.SelectionChanged())

    def action_choose_all(self) -> None:
        """All that is shown at the first level, or what was found; or none of it."""
        entries = [row.entry for row in self._rows if row.depth == 0]
        all_there = all(self.folders.is_chosen(entry.path) for entry in entries)
        for entry in entries:
            if self.folders.is_chosen(entry.path) == all_there:
                self.folders.toggle(entry)
        self.refresh()
        self.post_message(self.SelectionChanged())

    def on_focus(self) -> None:
        """The cursor looks different."""
        self.refresh_line(self.cursor)

    def on_blur(self) -> None:
        """The cursor looks different."""
        self.refresh_line(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Go to the row; on its mark: choose it; a second time: open it."""
        index = event.y + self.top
        if index >= self.count():
            return
        was_there = index == self.cursor
        self.action_go(index - self.cursor)
        if event.x < 4 + 2 * self._rows[index].depth:
            self.action_choose()
        elif was_there or event.chain == 2:
            self.action_open()

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """A row, or why there is none."""
        if not self._rows and y == 0:
            words = "Nothing found" if self.needle else "No media files in this folder"
            words = "Reading" + self.glyphs.ellipsis if self.is_reading else words
            return self.strip([("  " + words, "dim")], self.size.width)
        return super().render_line(y)

    def line(self, index: int, cells: int) -> Strip:
        """Mark, name, what is known."""
        row = self._rows[index]
        over = ""
        if index == self.cursor:
            over = "cursor" if self.has_focus else "cursor-away"
        return self.strip(self._pieces(row, cells), cells, over)

    def _pieces(self, row: TreeRow, cells: int) -> list[Piece]:
        entry, signs = row.entry, self.glyphs
        mark, ink = signs.unchecked, "faint"
        if self.folders.is_chosen(entry.path):
            mark, ink = signs.checked, "accent"
        elif entry.is_folder and self.folders.has_chosen(entry.path):
            mark, ink = signs.half_checked, "accent"
        pieces: list[Piece] = [(" " + "  " * row.depth + mark + " ", ink)]
        room = cells - 3 - 2 * row.depth
        if entry.is_folder:
            fold = signs.unfolded if entry.path in self.folders.unfolded else signs.folded
            return [*pieces, (f"{fold} ", "dim"), (fit(clean(entry.name), room - 2), "primary")]
        known = self._known(entry) if room > 60 else []
        room -= sum(width(text) for text, _ in known)
        name = entry.name
        if self.needle:
            name = entry.path[len(self.folders.root.rstrip(os.sep)) + 1 :]
        return [*pieces, ("  ", "plain"), (fit(clean(name), room - 2), "plain"), *known]

    def _known(self, entry: FolderEntry) -> list[Piece]:
        seconds = self._lengths.get(Path(entry.path))
        size = file_size(entry.size) if entry.size else ""
        return [
            (fit_right(self._note(entry.path), NOTE_CELLS), "warn"),
            (fit_right(size, SIZE_CELLS), "dim"),
            (fit_right(clock(seconds) if seconds else "", LENGTH_CELLS), "dim"),
            (" ", "plain"),
        ]
