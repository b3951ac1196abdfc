"""The folders that feed the queue: how they are; one more, another way, one less."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from fwtui.config.profiles import Profile
from fwtui.core.commands import AnyCommand, UnwatchFolder, WatchFolder
from fwtui.core.watch import FolderStatus, WatchedFolder
from fwtui.tui import format as fmt
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.model import BatchModel
from fwtui.tui.screens.dialog import Dialog, frame, text
from fwtui.tui.screens.watch_form import WatchForm
from fwtui.tui.text import clean, fit_middle, shown_path
from fwtui.tui.widgets.listing import Listing
from fwtui.tui.widgets.paint import Piece

LOOK_EVERY = 0.25
LABEL = 13
BESIDE_PATH = 34
_AFTER = {"leave": "stay where they are", "tag": "are tagged", "move": "are moved to "}


class FolderList(Listing):
    """A line a folder: its path, and how it is."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs, id="watched-list")
        self.folders: Sequence[FolderStatus] = ()

    def count(self) -> int:
        """Folders, or the line that says that there is none."""
        return max(1, len(self.folders))

    def pieces(self, index: int) -> Sequence[Piece]:
        """One folder."""
        if not self.folders:
            return [(" No folder is watched", "dim")]
        one = self.folders[index]
        sign, ink = self._sign(one)
        room = max(10, self.size.width - BESIDE_PATH)
        path = fit_middle(shown_path(one.folder.path), room, self.glyphs.ellipsis)
        waiting = f", {one.waiting:,} coming" if one.waiting else ""
        return [
            (f" {sign} ", ink),
            (f"{path:<{room}} ", "plain"),
            (f"{one.taken:,} taken{waiting}", "dim"),
        ]

    def _sign(self, one: FolderStatus) -> Piece:
        match one.state:
            case "watching" | "polling":
                return self.glyphs.completed, "good"
            case "missing":
                return self.glyphs.paused, "warn"
            case "failed":
                return self.glyphs.failed, "bad"
            case _:
                return self.glyphs.pending, "dim"

    @property
    def current(self) -> FolderStatus | None:
        """The folder under the cursor."""
        return self.folders[self.cursor] if self.cursor < len(self.folders) else None


class WatchedFolders(Dialog[None]):
    """Follows the model; what the user wants goes to the batch by `send`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("watch"),
        Binding("q", "leave", "Close", show=False),
    ]
    escape_result = None

    def __init__(
        self,
        model: BatchModel,
        send: Callable[[AnyCommand], None],
        profiles: Sequence[Profile],
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self._model = model
        self._send = send
        self._profiles = profiles
        self._glyphs = glyphs
        self._list = FolderList(glyphs)

    def compose(self) -> ComposeResult:
        """Folders, the one under the cursor, buttons."""
        yield frame(
            "Watched folders",
            self._list,
            VerticalScroll(text("", id="watched-fields"), classes="body", can_focus=False),
            buttons=(
                Button("Close", id="close"),
                Button("Let go", id="remove", variant="error"),
                Button("Change", id="change"),
                Button("Add", id="add-folder", variant="primary"),
            ),
            id="watched-dialog",
        )

    def on_mount(self) -> None:
        """Follow the batch."""
        self.set_class(self._glyphs.ascii, "plain-ascii")
        self._list.focus()
        self._follow()
        self.set_interval(LOOK_EVERY, self._follow)

    def on_resize(self, event: events.Resize) -> None:
        """The keys that fit."""
        super().on_resize(event)
        self.call_after_refresh(self.show_hints, "watch")

    def _follow(self) -> None:
        folders = self._model.folders
        if folders is not self._list.folders or not folders:
            self._list.folders = folders
            self._list.relist()
        self._show()

    def on_listing_moved(self) -> None:
        """Another folder."""
        self._show()

    def on_listing_chosen(self) -> None:
        """A double click changes."""
        self.action_change()

    def _show(self) -> None:
        one = self._list.current
        fields = describe(one, self._glyphs) if one is not None else Content(_NONE)
        self.query_one("#watched-fields", Static).update(fields)
        for name in ("#remove", "#change"):
            self.query_one(name, Button).disabled = one is None

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_add(self) -> None:
        """One more."""
        await self._ask(None)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_change(self) -> None:
        """Watch the folder in another way."""
        if isinstance(self.focused, Button):
            self.focused.press()
        elif (one := self._list.current) is not None:
            await self._ask(one.folder)

    async def _ask(self, folder: WatchedFolder | None) -> None:
        wanted = await self.app.push_screen_wait(WatchForm(folder, self._profiles, self._glyphs))
        if wanted is not None:
            self._send(WatchFolder(wanted))

    def action_remove(self) -> None:
        """Let go of the folder; its files in the queue stay there."""
        if (one := self._list.current) is not None:
            self._send(UnwatchFolder(one.folder.path))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same by the mouse."""
        match event.button.id:
            case "add-folder":
                self.action_add()
            case "change":
                self._list.focus()
                self.action_change()
            case "remove":
                self.action_remove()
            case _:
                self.dismiss(None)


_NONE = (
    "Recordings in a watched folder, and below it, come into the queue by themselves when they "
    "are complete. Each is taken once, whatever its name becomes; again when it is replaced."
)


def describe(one: FolderStatus, glyphs: Glyphs) -> Content:
    """How a folder is watched."""
    folder = one.folder
    dot = f" {glyphs.dot} "
    values = folder.values
    settings = [clean(folder.profile)] if folder.profile else []
    settings += [clean(str(values["decoding.language"]))] if "decoding.language" in values else []
    out = values.get("output.output_dir")
    after = _AFTER[folder.after] + (shown_path(folder.target) if folder.target else "")
    names = [f"only {clean(' '.join(folder.include))}"] if folder.include else []
    names += [f"without {clean(' '.join(folder.exclude))}"] if folder.exclude else []
    rows = [
        ("Folder", shown_path(folder.path)),
        ("It is", _state(one)),
        ("Settings", dot.join(settings) or "the batch's"),
        ("Transcripts", shown_path(str(out)) if out else "where the batch's are"),
        ("Files", dot.join(names) or "all recordings"),
        ("When done", after),
        ("Complete", f"when unchanged for {folder.settle_seconds:g} s"),
    ]
    parts = [
        part
        for label, value in rows
        for part in ((f"{label + ':':<{LABEL}}", "$ink-dim"), (f"{value}\n", ""))
    ]
    if one.problem:
        parts.append((f"\n{clean(one.problem)}\n", "$warning"))
    return Content.assemble(*parts).rstrip()


def _state(one: FolderStatus) -> str:
    words = {
        "starting": "being opened",
        "watching": "watched",
        "polling": f"looked through every {one.folder.poll_seconds:g} s",
        "missing": "not there",
        "failed": "not watched",
    }[one.state]
    if one.waiting:
        words += f", {fmt.files(one.waiting)} not complete yet"
    return words
