"""All models: sizes, languages, what is downloaded; download, pause, remove, use."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import work
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
from fwtui.tui.keymap import with_keys
from fwtui.tui.keys import bindings
from fwtui.tui.model_downloads import ModelDownload, ModelDownloads
from fwtui.tui.screens import NARROW_WIDTH
from fwtui.tui.screens.dialog import ConfirmDialog, Dialog, ListDialog, frame
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece, bar

REFRESH_SECONDS = 0.25
NAME_CELLS = 30
NARROW_NAME_CELLS = 21
BAR_CELLS = 10


class ModelsList(Listing[ModelEntry]):
    """Models: name, size, languages, whether it is downloaded or how far the download is."""

    def __init__(self, glyphs: Glyphs, downloads: ModelDownloads) -> None:
        super().__init__(glyphs, empty=f"Loading{glyphs.ellipsis}", id="models-list")
        self._downloads = downloads

    def key(self, item: ModelEntry) -> str:
        return item.name

    def pieces(self, item: ModelEntry) -> Sequence[Piece]:
        load = self._downloads.active.get(item.repo)
        names = clean(", ".join((item.name, *item.aliases)))
        cells = NAME_CELLS if self.size.width >= NARROW_WIDTH - 10 else NARROW_NAME_CELLS
        mark, ink = self._mark(item.presence, load)
        return [
            (f" {mark} ", ink),
            (fit(names, cells, self.glyphs.ellipsis), "strong" if item.in_use else "plain"),
            (fit_right(file_size(item.size) if item.size else "", 10), "dim"),
            (f"  {fit(languages(item.languages) if item.languages else '', 14)}", "dim"),
            *(self._presence(item) if load is None else self._progress(load)),
        ]

    def _mark(self, presence: Presence, load: ModelDownload | None) -> Piece:
        if load is not None:
            return self.glyphs.running, "accent"
        match presence:
            case Presence.HERE | Presence.FOLDER:
                return self.glyphs.completed, "good"
            case Presence.PARTLY:
                return self.glyphs.paused, "warn"
            case Presence.ABSENT:
                return self.glyphs.pending, "dim"

    def _progress(self, load: ModelDownload) -> Sequence[Piece]:
        if load.waiting:
            return [(clean(load.waiting), "warn")]
        if not load.total:
            return [(f"checking Hugging Face{self.glyphs.ellipsis}", "dim")]
        share = fraction(load.done, load.total)
        if load.checking and share >= 1:
            return [("verifying", "accent")]
        left = load.rate.seconds_left(load.total)
        status = f" {percent(share)}  {file_size(round(load.rate.speed))}/s"
        if left is not None:
            status += f"  {time_span(left)}"
        return [*bar(share, BAR_CELLS, self.glyphs), (status, "plain")]

    def _presence(self, item: ModelEntry) -> Sequence[Piece]:
        match item.presence:
            case Presence.HERE:
                status = "downloaded"
            case Presence.FOLDER:
                status = "local folder"
            case Presence.PARTLY:
                status = f"{file_size(item.partial)} downloaded"
            case Presence.ABSENT:
                status = ""
        gap = "  " if status else ""
        return [(status, "plain"), (f"{gap}in use" if item.in_use else "", "accent")]


_INCOMPLETE = frozenset({Presence.ABSENT, Presence.PARTLY})
_REMOVABLE = frozenset({Presence.HERE, Presence.PARTLY})


class ModelsDialog(ListDialog[str | None]):
    """Gives the name of the model to use, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("models")
    keys = "models"
    escape_result = None

    def __init__(self, settings: ModelSettings, downloads: ModelDownloads, glyphs: Glyphs) -> None:
        self._list = ModelsList(glyphs, downloads)
        super().__init__(self._list)
        self.details = Static("", markup=False, id="models-details")
        self._settings = settings
        self._downloads = downloads
        self._loaded = False
        self._downloading: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        self._list.add_class("pane")
        yield frame(
            "Models",
            self._list,
            self.details,
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
        self._read()
        self.set_interval(REFRESH_SECONDS, self._refresh)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read(self) -> None:
        entries = await asyncio.to_thread(list_models, self._settings)
        self._list.replace(entries)
        if not self._loaded:
            self._loaded = True
            first = (at for at, entry in enumerate(entries) if self._is_first(entry))
            self._list.move_to(next(first, 0))

    def _is_first(self, entry: ModelEntry) -> bool:
        """Whether the cursor begins here: on what is being downloaded, else on what is in use."""
        loads = self._downloads.active
        return entry.repo in loads if loads else entry.in_use

    def _refresh(self) -> None:
        downloading = frozenset(self._downloads.active)
        if downloading != self._downloading:
            self._downloading = downloading
            self._read()
        elif downloading:
            self._list.refresh()
            self.show_current()

    def describe(self) -> Content:
        entry = self._list.current
        if entry is None:
            return Content("")
        folder = shown_path(str(model_folder(entry, self._settings)))
        return Content(f"{clean(entry.repo)}\n{folder}" if entry.repo else folder)

    def show_current(self) -> None:
        super().show_current()
        entry = self._list.current
        downloading = entry is not None and entry.repo in self._downloads.active
        self.enable(
            use=entry is not None,
            download=entry is not None and bool(entry.repo) and not downloading,
            pause=downloading,
            remove=entry is not None and entry.presence in _REMOVABLE and not downloading,
        )

    # Actions.

    def select_current(self) -> None:
        self.action_use()

    def action_use(self) -> None:
        entry = self._list.current
        if entry is not None:
            self.dismiss(entry.name)

    def action_download(self) -> None:
        entry = self._list.current
        if entry is None or entry.presence is Presence.FOLDER:
            self.notify("This is a local folder", markup=False)
            return
        if entry.presence is Presence.HERE:
            self.notify("Already downloaded: verifying it", markup=False)
        self._download(entry.name)

    def _download(self, name: str) -> None:
        try:
            self._downloads.begin(name, self._settings)
        except ModelError as error:
            self.show_error(error)
        self._refresh()

    @work(group="pause", exit_on_error=False)
    async def action_pause(self) -> None:
        entry = self._list.current
        if entry is not None and await self._downloads.pause(entry.repo):
            note = f"Download of {clean(entry.name)} paused {self._list.glyphs.dot} "
            self.notify(note + with_keys(self, "{model_download} to continue"), markup=False)
            self._refresh()

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_remove(self) -> None:
        entry = self._list.current
        if (
            entry is None
            or entry.presence not in _REMOVABLE
            or entry.repo in self._downloads.active
        ):
            return
        question = (
            f"Delete {clean(entry.name)} from this machine?\n\n"
            "Other programs that use the Hugging Face cache may use the same files."
        )
        if not await self.app.push_screen_wait(
            ConfirmDialog("Remove model", question, "Remove", "Keep")
        ):
            return
        try:
            freed = await remove(entry.repo, str(hub_cache(self._settings.model_dir)))
        except ModelError as error:
            self.show_error(error)
        else:
            self.notify(f"{clean(entry.name)} removed, {file_size(freed)} freed", markup=False)
        self._read()

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_other(self) -> None:
        name = await self.app.push_screen_wait(ModelNameDialog())
        if not name:
            return
        try:
            entry = await asyncio.to_thread(find_model, name, self._settings)
        except ModelError as error:
            self.show_error(error)
            return
        if entry.presence in _INCOMPLETE:
            self._download(entry.name)
        else:
            self.dismiss(entry.name)


class ModelNameDialog(Dialog[str]):
    """Gives a Hugging Face id or a folder, empty for none."""

    escape_result = ""

    def compose(self) -> ComposeResult:
        yield frame(
            "Another model",
            Input(placeholder="owner/name on Hugging Face, or a folder", id="model-name"),
            Static(
                "A CTranslate2 model (convert others with ct2-transformers-converter).",
                markup=False,
                id="model-note",
            ),
            buttons=(
                Button("Cancel", id="close"),
                Button("Use", id="use", variant="primary"),
            ),
        )

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self) -> None:
        self.action_use()

    def action_use(self) -> None:
        self.dismiss(self.query_one(Input).value.strip())
