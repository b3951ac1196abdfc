"""Add files: type or paste paths, or select in a tree; shows what would be added."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Input, Static

from fwtui.batch.discovery import find_media
from fwtui.batch.durations import DurationMeter
from fwtui.core.child_process import current_folder
from fwtui.core.commands import AddPaths
from fwtui.tui.add_preview import AddPreview, KnownFiles, describe_found, describe_known
from fwtui.tui.folder_tree import KINDS
from fwtui.tui.formatting import base_name, clean, file_count, fit_left, shown_path
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys
from fwtui.tui.path_parsing import split_paths
from fwtui.tui.screens.dialog import Dialog, frame
from fwtui.tui.widgets.file_tree import FileTree
from fwtui.tui.widgets.path_input import PathInput, one_line

Names = tuple[str, ...]
# Seconds after the last key before the paths are looked up.
LOOK_UP_AFTER = 0.2
# The length of a longer list is estimated: it would take minutes to open every file.
MOST_MEASURED = 2_000
SHOW_EVERY = 0.1
COMPLETION_LINES = 3
COMPLETIONS_BESIDE = 12  # cells of the frame
TREE_HINTS = (
    "{add_choose} select",
    "{add_search} find",
    "{add_kind} audio/video",
    "{add_known} only new",
    "{add_above} up",
    "{add_confirm} add",
)
PLACEHOLDER = "Files, folders, patterns or links: ~/talks  'week 1/*.mp3'"
PATH_HINTS = ("Enter add", "Tab complete / tree", "Esc cancel")


class AddDialog(Dialog[AddPaths | None]):
    """Gives what to add: names as typed and selected, or single files if some are hidden.

    With the lengths that were measured. None when it is cancelled. `read_known_files` may block.
    """

    escape_result = None

    def __init__(
        self,
        glyphs: Glyphs,
        prefilled: str = "",
        folder: str = "",
        read_known_files: Callable[[], KnownFiles] = lambda: KnownFiles({}),
    ) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._read_known_files = read_known_files
        self._known = KnownFiles({})
        self._meter = DurationMeter()
        self._lengths: dict[Path, float | None] = {}
        self._prefilled = one_line(prefilled)
        self._preview: AddPreview | None = None
        self._only_new = False
        self._completed = ""  # the typed text whose completions are listed
        self.tree_view = FileTree(
            folder or str(current_folder()),
            glyphs,
            self._lengths,
            self._note,
            id="add-tree",
        )

    def compose(self) -> ComposeResult:
        yield frame(
            "Add files",
            PathInput(
                self._prefilled,
                placeholder=PLACEHOLDER,
                id="add-path",
                select_on_focus=False,
            ),
            Static("", markup=False, id="add-completions"),
            Static("", markup=False, id="add-folder"),
            self.tree_view,
            Input(placeholder="Some letters of the name or of its folders", id="add-search"),
            Static("", markup=False, id="add-found"),
            Static("", markup=False, id="add-remarks"),
            buttons=(
                Button("Cancel", id="close"),
                Button("Add", id="confirm", variant="primary", disabled=True),
            ),
            id="add-dialog",
        )

    def on_mount(self) -> None:
        self.query_one("#add-path").focus()
        self._show_folder()
        self._look_up(0)
        self._read_known()

    async def on_unmount(self) -> None:
        await self._meter.close()

    def on_descendant_focus(self) -> None:
        box = self.query_one("#add-dialog")
        hints = TREE_HINTS if self.focused is self.tree_view else PATH_HINTS
        box.border_subtitle = Content(with_keys(self, f" {self._glyphs.dot} ".join(hints)))

    @work(group="known", exit_on_error=False)
    async def _read_known(self) -> None:
        self._known = await asyncio.to_thread(self._read_known_files)
        self.tree_view.refresh()
        self._look_up(0)

    def _show_folder(self) -> None:
        kind = "" if self.tree_view.kind == "media" else f"{self.tree_view.kind} only"
        new = "new files only" if self._only_new else ""
        room = max(12, self.size.width - 60)
        root = fit_left(shown_path(self.tree_view.folders.root), room, self._glyphs.ellipsis)
        parts = (root.rstrip(), kind, new)
        line = f" {self._glyphs.dot} ".join(part for part in parts if part)
        self.query_one("#add-folder", Static).update(Content(line))

    # The preview of what would be added.

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "add-search":
            self.tree_view.search(event.value)
        else:
            if event.value != self._completed:
                self.query_one("#add-completions").display = False
            self._look_up(LOOK_UP_AFTER)

    def on_path_input_several(self, event: PathInput.Several) -> None:
        """List the completions below the field, until something else is typed."""
        self._completed = self.query_one(PathInput).value
        field = self.query_one("#add-completions", Static)
        room = max(1, self.size.width - COMPLETIONS_BESIDE) * COMPLETION_LINES
        names = [
            clean(base_name(name.rstrip(os.sep))) + (os.sep if name.endswith(os.sep) else "")
            for name in event.names
        ]
        text, left = "", len(names)
        for name in names:
            if len(text) + len(name) + 16 > room:
                break
            text, left = f"{text}  {name}" if text else name, left - 1
        field.update(Content(f"{text}  and {left:,} more" if left else text))
        field.display = True

    def on_file_tree_selection_changed(self) -> None:
        self._look_up(0)

    def on_file_tree_folder_read(self) -> None:
        self._show_folder()

    @work(exclusive=True, group="look up", exit_on_error=False)
    async def _look_up(self, after: float) -> None:
        text, selected = self._named
        self._preview = None
        if not text.strip() and not selected:
            self._show("Nothing selected yet", "", 0)
            return
        self._show(f"Searching{self._glyphs.ellipsis}", "", 0)
        await asyncio.sleep(after)
        self._preview = await self._find(text, selected)
        await self._measure(self._preview)

    @property
    def _named(self) -> tuple[str, Names]:
        """What is typed, and what is selected in the tree."""
        return self.query_one(PathInput).value, tuple(self.tree_view.folders.selected)

    async def _find(self, text: str, selected: Names) -> AddPreview:
        kind, known = self.tree_view.kind, self._known if self._only_new else None
        everything = await asyncio.to_thread(_find_files, text, selected, self._known)
        return everything.without(kind, known)

    def _note(self, path: str) -> str:
        return self._known.note(path)

    async def _measure(self, preview: AddPreview) -> None:
        self._show_preview(preview)
        loop = asyncio.get_running_loop()
        shown = loop.time()
        async for path, seconds in self._meter.measure(preview.files[:MOST_MEASURED]):
            self._lengths[path] = seconds
            if loop.time() - shown >= SHOW_EVERY:
                shown = loop.time()
                self._show_preview(preview)
        self._show_preview(preview)

    def _show_preview(self, preview: AddPreview) -> None:
        found = describe_found(preview, self._lengths, self._glyphs)
        known = with_keys(self, describe_known(preview, only_new=self._only_new))
        self._show(found, known, preview.count)
        self.tree_view.refresh()

    def _show(self, found: str, known: str, count: int) -> None:
        self.query_one("#add-found", Static).update(Content(found))
        self.query_one("#add-remarks", Static).update(Content(known))
        button = self.query_one("#confirm", Button)
        button.disabled = not count
        button.label = Content(f"Add {file_count(count)}" if count else "Add")

    # Keys of the tree.

    def action_search(self) -> None:
        field = self.query_one("#add-search", Input)
        field.add_class("open")
        field.focus()

    def action_kind(self) -> None:
        self.tree_view.set_kind(KINDS[(KINDS.index(self.tree_view.kind) + 1) % len(KINDS)])
        self._show_folder()
        self._look_up(0)

    def action_known(self) -> None:
        self._only_new = not self._only_new
        self._show_folder()
        self._look_up(0)

    def action_leave(self) -> None:
        field = self.query_one("#add-search", Input)
        if field.has_class("open"):
            field.value = ""
            field.remove_class("open")
            self.tree_view.focus()
        else:
            self.action_close()

    # The end.

    @property
    def unsaved(self) -> str:
        selected = len(self.tree_view.folders.selected)
        return f"{selected:,} selected files and folders are not added." if selected > 1 else ""

    @work(exclusive=True, group="confirm", exit_on_error=False)
    async def action_confirm(self) -> None:
        preview = self._preview
        if preview is None:
            preview = await self._find(*self._named)
        if preview.count:
            self.dismiss(AddPaths(preview.result, lengths=preview.lengths(self._lengths)))
        else:
            self._show_preview(preview)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "add-search":
            self.tree_view.focus()
        else:
            self.action_confirm()


def _find_files(text: str, selected: Names, known: KnownFiles) -> AddPreview:
    names = tuple(dict.fromkeys((*split_paths(text), *selected)))
    return AddPreview.of(find_media(names), names, known)
