"""Add files: a path to type or paste, a tree to choose in, and what would be added."""

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
from fwtui.tui.add_preview import AddPreview, KnownFiles, describe, remarks
from fwtui.tui.folder_tree import KINDS
from fwtui.tui.formatting import file_count, fit_middle, shown_path
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys
from fwtui.tui.path_parsing import split_paths
from fwtui.tui.screens.dialog import Dialog, frame
from fwtui.tui.widgets.file_tree import FileTree
from fwtui.tui.widgets.path_input import PathInput, one_line

Names = tuple[str, ...]
LOOK_AFTER = 0.2
# Longer queues are told by what was measured; it would take minutes to open every file.
MOST_MEASURED = 2_000
SHOW_EVERY = 0.1
TREE_HINTS = (
    "{add_choose} chooses, {add_search} searches, {add_kind} type, {add_known} only new, "
    "{add_confirm} adds"
)
PLACEHOLDER = "Files, folders, patterns or links: ~/talks  'week 1/*.mp3'"
PATH_HINTS = "Enter adds, Tab completes or goes to the tree, Esc leaves"


class AddDialog(Dialog[Names]):
    """Gives what to add: names as typed and chosen, or single files if some are left out.

    Empty when the user thought better of it. `look_around` reads what is known; it may block.
    """

    escape_result: Names = ()

    def __init__(
        self,
        glyphs: Glyphs,
        prefilled: str = "",
        folder: str = "",
        read_known_files: Callable[[], KnownFiles] = lambda: KnownFiles({}),
    ) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._look_around = read_known_files
        self._known = KnownFiles({})
        self._meter = DurationMeter()
        self._lengths: dict[Path, float | None] = {}
        self._prefilled = one_line(prefilled)
        self._addition: AddPreview | None = None
        self._only_new = False
        self.browser = FileTree(
            folder or os.getcwd(),  # noqa: PTH109
            glyphs,
            self._lengths,
            self._note,
            id="add-tree",
        )

    def compose(self) -> ComposeResult:
        """Path, tree, count, buttons."""
        yield frame(
            "Add files",
            PathInput(
                self._prefilled,
                placeholder=PLACEHOLDER,
                id="add-path",
                select_on_focus=False,
            ),
            Static("", markup=False, id="add-where"),
            self.browser,
            Input(placeholder="Some letters of the name or its folders", id="add-search"),
            Static("", markup=False, id="add-found"),
            Static("", markup=False, id="add-remarks"),
            buttons=(
                Button("Cancel", id="cancel"),
                Button("Add", id="add", variant="primary", disabled=True),
            ),
            id="add-dialog",
        )

    async def on_mount(self) -> None:
        """Look at what was pasted."""
        self.set_class(self._glyphs.ascii, "plain-ascii")
        self.query_one("#add-path").focus()
        self._where()
        self._look(0)
        self._learn()

    async def on_unmount(self) -> None:
        """Nobody waits for lengths any more."""
        await self._meter.close()

    def on_descendant_focus(self) -> None:
        """Say what the keys do here."""
        box = self.query_one("#add-dialog")
        hints = TREE_HINTS if self.focused is self.browser else PATH_HINTS
        box.border_subtitle = Content(with_keys(self, hints))

    @work(group="learn", exit_on_error=False)
    async def _learn(self) -> None:
        self._known = await asyncio.to_thread(self._look_around)
        self.browser.refresh()
        self._look(0)

    def _where(self) -> None:
        kind = "" if self.browser.kind == "media" else f"only {self.browser.kind}"
        new = "only new files" if self._only_new else ""
        root = fit_middle(shown_path(self.browser.folders.root), max(12, self.size.width - 60))
        parts = (root.rstrip(), kind, new)
        words = f" {self._glyphs.dot} ".join(part for part in parts if part)
        self.query_one("#add-where", Static).update(Content(words))

    # Looking at what is named.

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look again when typing rests; search at once."""
        if event.input.id == "add-search":
            self.browser.search(event.value)
        else:
            self._look(LOOK_AFTER)

    def on_file_tree_selection_changed(self) -> None:
        """Other files are chosen."""
        self._look(0)

    def on_file_tree_folder_read(self) -> None:
        """Another folder may be shown."""
        self._where()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self, after: float) -> None:
        text, chosen = self.query_one(PathInput).value, tuple(self.browser.folders.chosen)
        self._addition = None
        if not text.strip() and not chosen:
            self._say("Nothing chosen or named yet", "", 0)
            return
        self._say("Looking" + self._glyphs.ellipsis, "", 0)
        await asyncio.sleep(after)
        self._addition = await self._find(text, chosen)
        await self._measure(self._addition)

    async def _find(self, text: str, chosen: Names) -> AddPreview:
        kind, known = self.browser.kind, self._known if self._only_new else None
        everything = await asyncio.to_thread(_look_up, text, chosen, self._known)
        return everything.without(kind, known)

    def _note(self, path: str) -> str:
        return self._known.note(path)

    async def _measure(self, addition: AddPreview) -> None:
        self._tell(addition)
        loop = asyncio.get_running_loop()
        shown = loop.time()
        async for path, seconds in self._meter.measure(addition.files[:MOST_MEASURED]):
            self._lengths[path] = seconds
            if loop.time() - shown >= SHOW_EVERY:
                shown = loop.time()
                self._tell(addition)
        self._tell(addition)

    def _tell(self, addition: AddPreview) -> None:
        words = describe(addition, self._lengths, self._glyphs)
        more = with_keys(self, remarks(addition, only_new=self._only_new))
        self._say(words, more, addition.count)
        self.browser.refresh()

    def _say(self, words: str, more: str, count: int) -> None:
        self.query_one("#add-found", Static).update(Content(words))
        self.query_one("#add-remarks", Static).update(Content(more))
        button = self.query_one("#add", Button)
        button.disabled = not count
        button.label = Content(f"Add {file_count(count)}" if count else "Add")

    # Keys of the tree.

    def action_search(self) -> None:
        """Type some letters."""
        field = self.query_one("#add-search", Input)
        field.add_class("open")
        field.focus()

    def action_kind(self) -> None:
        """The next type of files."""
        self.browser.set_kind(KINDS[(KINDS.index(self.browser.kind) + 1) % len(KINDS)])
        self._where()
        self._look(0)

    def action_known(self) -> None:
        """Leave out what is known, or not."""
        self._only_new = not self._only_new
        self._where()
        self._look(0)

    def action_leave(self) -> None:
        """Escape: end the search, then leave."""
        field = self.query_one("#add-search", Input)
        if field.has_class("open"):
            field.value = ""
            field.remove_class("open")
            self.browser.focus()
        else:
            self.dismiss(())

    # The end.

    def action_confirm(self) -> None:
        """Add."""
        self._confirm()

    @work(exclusive=True, group="confirm", exit_on_error=False)
    async def _confirm(self) -> None:
        addition = self._addition
        if addition is None:
            text, chosen = self.query_one(PathInput).value, tuple(self.browser.folders.chosen)
            addition = await self._find(text, chosen)
        if addition.count:
            self.dismiss(addition.result)
        else:
            self._tell(addition)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter adds; after a search it goes to what was found."""
        if event.input.id == "add-search":
            self.browser.focus()
        else:
            self._confirm()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Add or leave."""
        if event.button.id == "add":
            self._confirm()
        else:
            self.dismiss(())


def _look_up(text: str, chosen: Names, known: KnownFiles) -> AddPreview:
    names = tuple(dict.fromkeys((*split_paths(text), *chosen)))
    return AddPreview.of(find_media(names), names, known)
