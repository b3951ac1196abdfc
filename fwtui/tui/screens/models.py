"""All models: what they take, which are here; download, pause, remove, use."""

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from fwtui.core.settings import ModelSettings
from fwtui.errors import ModelError
from fwtui.models.cache import hub_cache
from fwtui.models.catalogue import languages
from fwtui.models.client import remove
from fwtui.models.inventory import ModelEntry, Presence, find_model, list_models, model_folder
from fwtui.tui.formatting import (
    clean,
    file_size,
    fit,
    fit_right,
    fraction,
    percent,
    shown_path,
    time_span,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.model_downloads import Downloads, Load
from fwtui.tui.screens.dialog import ConfirmDialog, Dialog, MessageDialog, frame
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece, bar

LOOK_EVERY = 0.25
NARROW_WIDTH = 100
NAME_CELLS = 30
NARROW_NAME_CELLS = 21
BAR_CELLS = 10


class ModelsList(Listing):
    """A line a model: name, size, languages, whether it is here or how far it is."""

    def __init__(self, glyphs: Glyphs, downloads: Downloads) -> None:
        super().__init__(glyphs, id="models-list")
        self.entries: Sequence[ModelEntry] = ()
        self._downloads = downloads

    def count(self) -> int:
        """Models, or the line that says that they are looked for."""
        return max(1, len(self.entries))

    def pieces(self, index: int) -> Sequence[Piece]:
        """One model."""
        if not self.entries:
            return [(f" Reading{self.glyphs.ellipsis}", "dim")]
        one = self.entries[index]
        load = self._downloads.loads.get(one.repo)
        names = clean(", ".join((one.name, *one.aliases)))
        cells = NAME_CELLS if self.size.width >= NARROW_WIDTH - 10 else NARROW_NAME_CELLS
        mark, ink = self._mark(one, load)
        return [
            (f" {mark} ", ink),
            (fit(names, cells, self.glyphs.ellipsis), "strong" if one.in_use else "plain"),
            (fit_right(file_size(one.size) if one.size else "", 10), "dim"),
            (f"  {fit(languages(one.languages) if one.languages else '', 14)}", "dim"),
            *self._state(one, load),
        ]

    def _mark(self, one: ModelEntry, load: Load | None) -> Piece:
        if load is not None:
            return self.glyphs.running, "accent"
        if one.presence in {Presence.HERE, Presence.FOLDER}:
            return self.glyphs.completed, "good"
        if one.presence is Presence.PARTLY:
            return self.glyphs.paused, "warn"
        return self.glyphs.pending, "dim"

    def _state(self, one: ModelEntry, load: Load | None) -> Sequence[Piece]:
        if load is not None and not load.total:
            return [(f"asking the hub{self.glyphs.ellipsis}", "dim")]
        if load is not None:
            share = fraction(load.done, load.total)
            if load.checking and share >= 1:
                return [("checking", "accent")]
            left = load.pace.seconds_left(load.total)
            words = f" {percent(share)}  {file_size(round(load.pace.speed))}/s"
            if left is not None:
                words += f"  {time_span(left)}"
            return [*bar(share, BAR_CELLS, self.glyphs), (words, "plain")]
        match one.presence:
            case Presence.HERE:
                words = "here"
            case Presence.FOLDER:
                words = "your folder"
            case Presence.PARTLY:
                words = f"{file_size(one.partial)} of it is here"
            case Presence.ABSENT:
                words = ""
        gap = "  " if words else ""
        return [(words, "plain"), (f"{gap}in use" if one.in_use else "", "accent")]

    @property
    def current(self) -> ModelEntry | None:
        """The model under the cursor."""
        return self.entries[self.cursor] if self.cursor < len(self.entries) else None


class ModelsDialog(Dialog[str | None]):
    """Gives the name of the model to use, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("models")
    escape_result = None

    def __init__(self, settings: ModelSettings, downloads: Downloads, glyphs: Glyphs) -> None:
        super().__init__()
        self._settings = settings
        self._downloads = downloads
        self._glyphs = glyphs
        self._list = ModelsList(glyphs, downloads)
        self._began = False
        self._was_loading: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """Models, where the one under the cursor is, buttons."""
        self._list.add_class("pane")
        yield frame(
            "Models",
            self._list,
            Static("", markup=False, id="models-facts"),
            buttons=(
                Button("Close", id="close"),
                Button("Remove", id="remove", variant="error"),
                Button("Other", id="other"),
                Button("Pause", id="pause"),
                Button("Download", id="download"),
                Button("Use", id="use", variant="primary"),
            ),
            id="models-dialog",
        )

    def on_mount(self) -> None:
        """Read what is here, and follow the downloads."""
        self.set_class(self._glyphs.ascii, "plain-ascii")
        self._list.focus()
        self._read()
        self.set_interval(LOOK_EVERY, self._follow)

    def on_resize(self, event: events.Resize) -> None:
        """The keys that fit."""
        super().on_resize(event)
        self.set_class(event.size.width < NARROW_WIDTH, "narrow")
        self.call_after_refresh(self.show_hints, "models")

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read(self) -> None:
        self._list.entries = await asyncio.to_thread(list_models, self._settings)
        if not self._began:
            self._began = True
            wanted = (i for i, one in enumerate(self._list.entries) if self._is_first(one))
            self._list.cursor = next(wanted, 0)
        self._list.relist()

    def _is_first(self, one: ModelEntry) -> bool:
        """What the cursor is on at the beginning: what is loading, else what is in use."""
        loading = self._downloads.loads
        return one.repo in loading if loading else one.in_use

    def _follow(self) -> None:
        loading = frozenset(self._downloads.loads)
        if loading != self._was_loading:
            self._was_loading = loading
            self._read()
        elif loading:
            self._list.refresh()
            self._show()

    def on_listing_highlighted(self) -> None:
        """Another model."""
        self._show()

    def on_listing_selected(self) -> None:
        """A double click uses it."""
        self.action_use()

    def _show(self) -> None:
        one = self._list.current
        facts = ""
        if one is not None:
            place = shown_path(str(model_folder(one, self._settings)))
            facts = f"{clean(one.repo)}\n{place}" if one.repo else place
        self.query_one("#models-facts", Static).update(Content(facts))
        loading = one is not None and one.repo in self._downloads.loads
        can = {
            "use": one is not None,
            "download": one is not None and one.presence in _LOADABLE and not loading,
            "pause": loading,
            "remove": one is not None and one.presence in _REMOVABLE and not loading,
        }
        for name, yes in can.items():
            self.query_one(f"#{name}", Button).disabled = not yes

    # Actions.

    def action_use(self) -> None:
        """Take it for the batch."""
        if isinstance(self.focused, Button):
            self.focused.press()
        elif (one := self._list.current) is not None:
            self.dismiss(one.name)

    def action_download(self) -> None:
        """Begin, or go on."""
        one = self._list.current
        if one is None or one.presence not in _LOADABLE:
            self.notify("It is on this machine", markup=False)
            return
        self._begin(one.name)

    def _begin(self, name: str) -> None:
        try:
            self._downloads.begin(name, self._settings)
        except ModelError as error:
            self._tell(error)
        self._follow()

    @work(group="pause", exit_on_error=False)
    async def action_pause(self) -> None:
        """Pause the download under the cursor."""
        one = self._list.current
        if one is not None and await self._downloads.pause(one.repo):
            self.notify(f"{clean(one.name)}: paused, what is here is kept", markup=False)
            self._follow()

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_remove(self) -> None:
        """Delete it, if the user is sure."""
        one = self._list.current
        if one is None or one.presence not in _REMOVABLE or one.repo in self._downloads.loads:
            return
        question = (
            f"Delete {clean(one.name)} from this machine?\n\n"
            "Other programs that use Hugging Face's cache may use the same files."
        )
        if not await self.app.push_screen_wait(ConfirmDialog("Remove", question, "Remove", "Keep")):
            return
        try:
            freed = await remove(one.repo, str(hub_cache(self._settings.model_dir)))
        except ModelError as error:
            self._tell(error)
        else:
            self.notify(f"{clean(one.name)} removed: {file_size(freed)}", markup=False)
        self._read()

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_other(self) -> None:
        """Another model, by id or folder."""
        name = await self.app.push_screen_wait(ModelNameDialog())
        if not name:
            return
        try:
            one = await asyncio.to_thread(find_model, name, self._settings)
        except ModelError as error:
            self._tell(error)
            return
        if one.presence in _LOADABLE:
            self._begin(one.name)
        else:
            self.dismiss(one.name)

    def _tell(self, error: ModelError) -> None:
        words = clean(error.title) + (f"\n\n{clean(error.hint)}" if error.hint else "")
        self.app.push_screen(MessageDialog("That did not work", words, bad=True))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same by the mouse."""
        one = self._list.current
        actions: dict[str | None, Callable[[], object]] = {
            "use": lambda: self.dismiss(one.name if one is not None else None),
            "download": self.action_download,
            "pause": self.action_pause,
            "other": self.action_other,
            "remove": self.action_remove,
        }
        actions.get(event.button.id, lambda: self.dismiss(None))()


_LOADABLE = frozenset({Presence.ABSENT, Presence.PARTLY})
_REMOVABLE = frozenset({Presence.HERE, Presence.PARTLY})


class ModelNameDialog(Dialog[str]):
    """Gives a Hugging Face id or a folder, empty for none."""

    escape_result = ""

    def compose(self) -> ComposeResult:
        """A line to type."""
        yield frame(
            "Another model",
            Input(placeholder="owner/name on Hugging Face, or a folder", id="model-name"),
            Static(
                "A model in CTranslate2's form. ct2-transformers-converter makes it of others.",
                markup=False,
                id="model-note",
            ),
            buttons=(
                Button("Cancel", id="cancel"),
                Button("Take it", id="take", variant="primary"),
            ),
        )

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()

    def on_input_submitted(self) -> None:
        """Enter takes it."""
        self.dismiss(self.query_one(Input).value.strip())

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take it or leave it."""
        taken = event.button.id == "take"
        self.dismiss(self.query_one(Input).value.strip() if taken else "")
