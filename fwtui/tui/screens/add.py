"""Add files: a path to type, a tree to walk, and what would be added."""

import asyncio
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, DirectoryTree, Input, Static

from fwtui.batch.intake import MEDIA_SUFFIXES, Found, find_media
from fwtui.tui import format as fmt
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.pasted import common_start, completions, last_word, split_paths
from fwtui.tui.screens.dialog import Dialog, frame
from fwtui.tui.text import clean

Names = tuple[str, ...]
LOOK_AFTER = 0.2
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")


class PathInput(Input):
    """Tab completes; pasted lines become one line of quoted paths."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", show=False)]

    @work(exclusive=True, group="complete")
    async def action_complete(self) -> None:
        """Complete the path before the cursor, or go on to the tree."""
        start, typed = last_word(self.value)
        found = await asyncio.to_thread(completions, typed, MEDIA_SUFFIXES) if typed else []
        common = common_start(found)
        if not found or len(common) <= len(os.path.expanduser(typed)):  # noqa: PTH111
            self.screen.focus_next()
            return
        whole = shlex.quote(common)
        if (common.endswith(os.sep) and whole != common) or (len(found) > 1 and whole != common):
            # The name goes on: leave its quote open.
            whole = whole[:-1]
        self.value = self.value[:start] + whole
        self.cursor_position = len(self.value)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor(one_line(event.text))


class MediaTree(DirectoryTree):
    """Folders and media files, without hidden ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("plus,ctrl+j", "take", show=False),
    ]
    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "
    ICON_FILE = "  "

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        """Only what can be added; called in a thread."""
        return [
            path
            for path in paths
            if not path.name.startswith(".")
            and (path.suffix.lower() in MEDIA_SUFFIXES or path.is_dir())
        ]

    def action_take(self) -> None:
        """Take the file or the whole folder."""
        node = self.cursor_node
        if node is not None and node.data is not None:
            self.post_message(DirectoryTree.FileSelected(node, node.data.path))


class AddFiles(Dialog[Names]):
    """Gives the names to add, as typed; empty when the user thought better of it."""

    escape_result: Names = ()

    def __init__(self, glyphs: Glyphs, prefilled: str = "", folder: str = "") -> None:
        super().__init__()
        self._glyphs = glyphs
        self._prefilled = one_line(prefilled)
        self._folder = folder or os.getcwd()  # noqa: PTH109
        self._names: Names = ()
        self._found: Found | None = None

    def compose(self) -> ComposeResult:
        """Path, tree, count, buttons."""
        path = PathInput(
            self._prefilled,
            placeholder="Files, folders or patterns: ~/talks  'week 1/*.mp3'  (Tab completes)",
            id="add-path",
            select_on_focus=False,
        )
        tree = MediaTree(self._folder, id="add-tree")
        if self._glyphs.ascii:
            tree.ICON_NODE, tree.ICON_NODE_EXPANDED = "+ ", "- "
        yield frame(
            "Add files",
            path,
            tree,
            Static("", markup=False, id="add-found"),
            buttons=(
                Button("Cancel", id="cancel"),
                Button("Add", id="add", variant="primary", disabled=True),
            ),
            id="add-dialog",
        )

    def on_mount(self) -> None:
        """Look at what was pasted."""
        box = self.query_one("#add-dialog")
        box.border_subtitle = Content("Enter adds; in the tree it takes the file, + takes a folder")
        self.query_one("#add-path").focus()
        self._look(0)

    def on_input_changed(self) -> None:
        """Look again when typing rests."""
        self._look(LOOK_AFTER)

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self, after: float) -> None:
        text = self.query_one(PathInput).value
        self._found = None
        if not text.strip():
            self._say("Nothing named yet", 0)
            return
        self._say("Looking" + self._glyphs.ellipsis, 0)
        await asyncio.sleep(after)
        names, found = await asyncio.to_thread(_find, text)
        self._names, self._found = names, found
        self._say(describe(found), len(found.files))

    def _say(self, words: str, count: int) -> None:
        self.query_one("#add-found", Static).update(Content(words))
        button = self.query_one("#add", Button)
        button.disabled = not count
        button.label = Content(f"Add {fmt.files(count)}" if count else "Add")

    @work(exclusive=True, group="confirm", exit_on_error=False)
    async def _confirm(self) -> None:
        if self._found is not None:
            names, found = self._names, self._found
        else:
            names, found = await asyncio.to_thread(_find, self.query_one(PathInput).value)
        if found.files:
            self.dismiss(names)
        else:
            self._say(describe(found), 0)

    def on_input_submitted(self) -> None:
        """Enter adds."""
        self._confirm()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Add or leave."""
        if event.button.id == "add":
            self._confirm()
        else:
            self.dismiss(())

    def on_directory_tree_file_selected(self, event: DirectoryTree.FileSelected) -> None:
        """Write the path into the line, or take it out again."""
        path = self.query_one(PathInput)
        word = shlex.quote(str(event.path))
        before = path.value.rstrip()
        if f" {word} " in f" {before} ":
            path.value = f" {before} ".replace(f" {word} ", " ").strip()
        else:
            path.value = f"{before} {word}".strip()
        path.cursor_position = len(path.value)


def one_line(pasted: str) -> str:
    """What was pasted, as one line: several lines become several quoted paths."""
    lines = [_CONTROLS.sub("", line).strip() for line in pasted.splitlines() if line.strip()]
    if len(lines) <= 1:
        return lines[0] if lines else ""
    return " ".join(_quoted(line) for line in lines)


def _quoted(line: str) -> str:
    # What the terminal has quoted already stays as it is.
    return line if line[0] in "'\"" or "\\" in line else shlex.quote(line)


def describe(found: Found) -> str:
    """How many files, and what is wrong with the rest."""
    words = f"{fmt.files(len(found.files))} found" if found.files else "No media files found"
    if found.problems:
        words += f"; {clean(found.problems[0].failure.title)}"
    if len(found.problems) > 1:
        words += f" and {len(found.problems) - 1} more problems"
    return words


def _find(text: str) -> tuple[Names, Found]:
    names = split_paths(text)
    return names, find_media(names)
