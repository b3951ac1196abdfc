"""All models: sizes, languages, what is downloaded; download, pause, remove, use."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Button, Input, Static

from fwtui.batch.model_needs import ModelNeeds
from fwtui.core.settings import ModelSettings, Settings
from fwtui.core.text import percent
from fwtui.errors import ModelError
from fwtui.models.cache import hub_cache
from fwtui.models.catalogue import languages
from fwtui.models.client import remove
from fwtui.models.inventory import ModelEntry, Presence, find_model, list_models, model_folder
from fwtui.tui.formatting import (
    clean,
    file_size,
    fit,
    fit_middle,
    fit_right,
    fraction,
    memory_size,
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
FindNeeds = Callable[[Settings, Sequence[str]], Awaitable[dict[str, ModelNeeds]]]
NAME_CELLS = 30
NARROW_NAME_CELLS = 21
BAR_CELLS = 10


class ModelsList(Listing[ModelEntry]):
    """Models: name, size, languages, memory and speed, whether it is downloaded, or how far."""

    head = 1

    def __init__(self, glyphs: Glyphs, downloads: ModelDownloads) -> None:
        super().__init__(glyphs, empty=f"Loading{glyphs.ellipsis}", id="models-list")
        self._downloads = downloads
        self.needs: dict[str, ModelNeeds] = {}

    @property
    def _is_narrow(self) -> bool:
        return self.size.width < NARROW_WIDTH - 10

    @property
    def _name_cells(self) -> int:
        return NARROW_NAME_CELLS if self._is_narrow else NAME_CELLS

    def head_line(self, y: int, cells: int) -> Strip:  # noqa: ARG002
        spoken = "Lang." if self._is_narrow else "Languages"
        parts = [
            f"   {fit('Model', self._name_cells)}",
            fit_right("Size", 10),
            f"  {fit(spoken, self._spoken_cells)}",
            fit_right("Memory", 9),
            "" if self._is_narrow else fit_right("Speed", 8),
        ]
        return self.strip([("".join(parts), "dim")], cells)

    @property
    def _spoken_cells(self) -> int:
        return 7 if self._is_narrow else 14

    def _spoken(self, item: ModelEntry) -> str:
        if not item.languages:
            return ""
        text = languages(item.languages)
        return text if not self._is_narrow or item.languages == 1 else str(item.languages)

    def _needs(self, item: ModelEntry) -> Sequence[Piece]:
        needs = self.needs.get(item.name, ModelNeeds())
        memory = memory_size(needs.memory) if needs.memory else ""
        fits = needs.forecast is None or needs.forecast.fits
        pieces = [(fit_right(memory, 9), "good" if fits else "bad")]
        mark = self.glyphs.completed if fits else self.glyphs.failed
        pieces.append((f" {mark}" if memory else "  ", "good" if fits else "bad"))
        if not self._is_narrow:
            speed = f"{needs.speed:.1f}{self.glyphs.times}" if needs.speed else ""
            pieces.append((fit_right(speed, 6), "plain"))
        return pieces

    def key(self, item: ModelEntry) -> str:
        return item.name

    def pieces(self, item: ModelEntry) -> Sequence[Piece]:
        load = self._downloads.active.get(item.repo)
        names = clean(", ".join((item.name, *item.aliases)))
        if item.presence is Presence.FOLDER:
            names = shown_path(item.name)
        mark, ink = self._mark(item.presence, load)
        # In a narrow list how far a download is takes the place of the memory.
        in_part = load is not None or item.presence is Presence.PARTLY
        return [
            (f" {mark} ", ink),
            (
                fit_middle(names, self._name_cells, self.glyphs.ellipsis),
                "strong" if item.in_use else "plain",
            ),
            (fit_right(file_size(item.size) if item.size else "", 10), "dim"),
            (f"  {fit(self._spoken(item), self._spoken_cells)}", "dim"),
            *(() if self._is_narrow and in_part else self._needs(item)),
            ("  ", "plain"),
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
                status = "folder"
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

    def __init__(
        self,
        settings: Settings,
        downloads: ModelDownloads,
        glyphs: Glyphs,
        find_needs: FindNeeds,
    ) -> None:
        self._list = ModelsList(glyphs, downloads)
        super().__init__(self._list)
        self.details = Static("", markup=False, id="models-details")
        self._all_settings = settings
        self._settings: ModelSettings = settings.model
        self._find_needs = find_needs
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
                Button("Folder or ID", id="other"),
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
        self._list.needs = await self._find_needs(
            self._all_settings, [entry.name for entry in entries]
        )
        self._list.refresh()
        self.show_current()

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
        lines = [clean(entry.repo), folder] if entry.repo else [folder]
        return Content("\n".join([*lines, self._needs_text(entry)]))

    def _needs_text(self, entry: ModelEntry) -> str:
        needs = self._list.needs.get(entry.name)
        if needs is None or needs.forecast is None:
            return ""
        what = "GPU memory" if needs.forecast.gpu_needs is not None else "memory"
        text = f"Needs about {memory_size(needs.memory)} of {what}, {memory_size(needs.free)} free"
        fits = "fits" if needs.forecast.fits else "does not fit"
        parts = [f"{text}: {fits}"]
        if needs.speed:
            parts.append(f"{needs.speed:.1f}{self._list.glyphs.times} real time in earlier batches")
        return f" {self._list.glyphs.dot} ".join(parts)

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
        else:
            self.notify("This model is not being downloaded", markup=False)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_remove(self) -> None:
        entry = self._list.current
        if (
            entry is None
            or entry.presence not in _REMOVABLE
            or entry.repo in self._downloads.active
        ):
            self.notify("Nothing of this model to remove, or it is being downloaded", markup=False)
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
