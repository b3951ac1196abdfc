"""The history of batches: what was transcribed when, how, and where the transcripts are."""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace
from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Button, Input

from fwtui.core.languages import LANGUAGES
from fwtui.core.paths import text_to_path
from fwtui.core.text import clock
from fwtui.errors import FwtuiError
from fwtui.outputs.batch_history import BatchEntry, FileEntry, HistoryQuery, HistoryStore
from fwtui.tui.formatting import (
    FieldRow,
    clean,
    fields,
    file_count,
    fit,
    fit_middle,
    fit_right,
    model_name,
    shown_name,
    shown_path,
    speed_factor,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys
from fwtui.tui.keys import bindings
from fwtui.tui.opening import edit_outputs, open_folder, page_outputs
from fwtui.tui.screens.dialog import DialogBox, ListDialog, frame
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece

PAGE = 200  # entries that are read at once
MOST_KEPT = 4000  # entries in memory
SEARCH_SECONDS = 0.15  # after a key, before the search begins
WHEN_CELLS = 18
STATE_CELLS = 15
END_CELLS = 14
MODEL_CELLS = 12
WIDE = 100  # cells from which on a file's model is shown

_SHOWN = {"model.model", "output.output_dir"}  # beside the other settings

Entry = BatchEntry | FileEntry
EMPTY = (
    "Nothing yet. Batches are listed here from their first finished file on, and stay when their "
    "sessions are deleted: what was transcribed when, with which settings, where the transcripts "
    "are, and whether they were checked. Unfinished work is in {sessions} Sessions."
)


class EntriesWanted(Message):
    """Entries from a place on are to be drawn that have not been read."""

    def __init__(self, numbers: Sequence[int]) -> None:
        super().__init__()
        self.numbers = numbers


class HistoryList(Listing[int]):
    """Batches or files, by their numbers; what is in view is read when it is drawn."""

    head = 1

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs, empty=f"Loading{glyphs.ellipsis}", id="history-list")
        self._entries: dict[int, Entry] = {}
        self._wanted: set[int] = set()
        self.of_files = False
        self.in_batch = False

    def key(self, item: int) -> int:
        return item

    def show(self, numbers: Sequence[int], first: Iterable[Entry], *, of_files: bool) -> None:
        """Show these batches or files, the `first` of which are known."""
        if of_files != self.of_files:
            self.items, self.cursor, self.top = (), 0, 0
        self.of_files = of_files
        self._entries = {entry.number: entry for entry in first}
        self._wanted.clear()
        self.replace(numbers)

    def put(self, entries: Iterable[Entry]) -> None:
        """Draw entries that have been read."""
        if len(self._entries) > MOST_KEPT:
            self._entries.clear()
            self._wanted.clear()
        self._entries |= {entry.number: entry for entry in entries}
        self.refresh()
        self.post_message(self.Highlighted(self))

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor, if it has been read."""
        return None if self.current is None else self._entries.get(self.current)

    def line(self, index: int, cells: int) -> Strip:
        if index < len(self.items) and self.items[index] not in self._entries:
            self._want(index)
        return super().line(index, cells)

    def _want(self, index: int) -> None:
        page = index // PAGE * PAGE
        if page not in self._wanted:
            self._wanted.add(page)
            self.post_message(EntriesWanted(self.items[page : page + PAGE]))

    def head_line(self, y: int, cells: int) -> Strip:  # noqa: ARG002
        when = "Finished" if self.of_files else "Started"
        parts = [f"   {fit(when, WHEN_CELLS)}"]
        if self.of_files:
            parts.append(fit("File", self._name_cells))
            parts.append(f"  {fit('State', STATE_CELLS)} Lang. {fit_right('Length', 8)}")
        else:
            parts.append(fit("Done", self._counts_cells))
            parts.append(f"{fit('Model', MODEL_CELLS)} {fit_right('Audio', 8)}  State")
        if self._has_model:
            parts.append("  Model")
        return self.strip([("".join(parts), "dim")], cells)

    @property
    def _has_model(self) -> bool:
        return self.of_files and self.size.width >= WIDE

    @property
    def _name_cells(self) -> int:
        model = MODEL_CELLS + 2 if self._has_model else 0
        return max(8, self.size.width - 1 - 3 - WHEN_CELLS - 2 - STATE_CELLS - 7 - 8 - model)

    @property
    def _counts_cells(self) -> int:
        used = 3 + WHEN_CELLS + MODEL_CELLS + 1 + 8 + 2 + END_CELLS
        return max(10, self.size.width - 1 - used)

    def pieces(self, item: int) -> Sequence[Piece]:
        match self._entries.get(item):
            case None:
                return [(f"   {self.glyphs.ellipsis}", "dim")]
            case BatchEntry() as batch:
                return self._batch(batch)
            case FileEntry() as file:
                return self._file(file)

    def _batch(self, one: BatchEntry) -> Sequence[Piece]:
        ends = one.end_text
        mark, ink = self.glyphs.completed, "good"
        if ends == "running":
            mark, ink = self.glyphs.running, "accent"
        elif ends == "unfinished" or one.ending != "finished":
            mark, ink = self.glyphs.pending, "warn"
        elif one.failed:
            mark, ink = self.glyphs.failed, "bad"
        elif one.to_check:
            mark, ink = self.glyphs.check, "warn"
        counts: list[Piece] = [(f"{one.done:,}/{one.total:,}", "plain")]
        if one.failed:
            counts.append((f" {self.glyphs.failed}{one.failed:,}", "bad"))
        if one.to_check:
            counts.append((f" {self.glyphs.check}{one.to_check:,}", "warn"))
        return [
            (f" {mark} ", ink),
            (fit(_when(one.started), WHEN_CELLS), "plain"),
            *_padded(counts, self._counts_cells),
            (fit(model_name(one.model), MODEL_CELLS, self.glyphs.ellipsis), "dim"),
            (fit_right(clock(one.audio) if one.audio else "", 9), "dim"),
            (f"  {fit(ends, END_CELLS, self.glyphs.ellipsis)}", "dim"),
        ]

    def _file(self, one: FileEntry) -> Sequence[Piece]:
        glyphs = self.glyphs
        mark, ink = glyphs.completed, "good"
        if one.state == "failed":
            mark, ink = glyphs.failed, "bad"
        elif one.state == "cancelled":
            mark, ink = glyphs.cancelled, "dim"
        elif one.to_check:
            mark, ink = glyphs.check, "warn"
        state = one.state_text.replace("·", glyphs.dot)
        pieces: list[Piece] = [
            (f" {mark} ", ink),
            (fit(_when(one.at), WHEN_CELLS), "dim"),
            (fit_middle(shown_name(one.path), self._name_cells, glyphs.ellipsis), "plain"),
            (f"  {fit(state, STATE_CELLS, glyphs.ellipsis)}", ink),
            (f" {fit(clean(one.language), 5)}", "dim"),
            (fit_right(clock(one.audio) if one.audio else "", 9), "dim"),
        ]
        if self._has_model:
            model = fit(model_name(one.model), MODEL_CELLS, glyphs.ellipsis)
            pieces.append((f"  {model}", "dim"))
        return pieces


def _when(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M}"


def _span(one: BatchEntry) -> str:
    """From when to when a batch was worked on."""
    if one.ended is None:
        return _when(one.started)
    started, ended = one.started.astimezone(), one.ended.astimezone()
    same = started.date() == ended.date()
    return f"{_when(started)} to {ended:%H:%M}" if same else f"{_when(started)} to {_when(ended)}"


def _padded(pieces: list[Piece], cells: int) -> list[Piece]:
    """The pieces, with room behind them."""
    used = sum(len(text) for text, _ in pieces)
    return [*pieces, (" " * max(1, cells - used), "plain")]


class HistoryDialog(ListDialog[None]):
    """Batches; Enter shows the files of one; words search the files of all.

    `add` puts files into the queue, whose paths are `queued`.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("history")
    keys = "history"
    escape_result = None

    def __init__(
        self,
        store: HistoryStore,
        glyphs: Glyphs,
        add: Callable[[tuple[str, ...]], None],
        queued: Callable[[str], bool],
    ) -> None:
        self._list = HistoryList(glyphs)
        super().__init__(self._list)
        self._store = store
        self._glyphs = glyphs
        self._add = add
        self._is_queued = queued
        self._field = Input(placeholder="Search path, model, language", id="history-search")
        self._batch: BatchEntry | None = None  # whose files are shown
        self._words: tuple[str, ...] = ()
        self._missing: dict[int, tuple[str, ...]] = {}  # transcripts that are gone, by file
        self.details.id = "history-details"

    def compose(self) -> ComposeResult:
        yield frame(
            "History",
            self._field,
            self._list,
            self.details,
            buttons=(
                Button("Close", id="close"),
                Button("Add again", id="again"),
                Button("Checked", id="checked"),
                Button("Folder", id="folder"),
                Button("Open", id="open", variant="primary"),
            ),
            id="history-dialog",
        )

    @property
    def first_focus(self) -> Widget:
        return self._list

    def on_mount(self) -> None:
        self._search()

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self.show_current)

    # What is listed.

    def on_input_changed(self, event: Input.Changed) -> None:
        words = tuple(event.value.split())
        if words != self._words:
            self._words = words
            self._search(SEARCH_SECONDS)

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        self._list.focus()

    @work(exclusive=True, group="search", exit_on_error=False)
    async def _search(self, wait: float = 0.0, then: int | None = None) -> None:
        """Show what is searched for, with the cursor on the entry of the number `then`."""
        if wait:
            await asyncio.sleep(wait)
        number = None if self._batch is None else self._batch.number
        query = HistoryQuery(words=self._words, batch=number)
        of_files = query.asks_for_files
        try:
            numbers, first = await asyncio.to_thread(self._read_first, query)
        except FwtuiError as error:
            self._list.empty = "The history cannot be read"
            self._list.show((), (), of_files=of_files)
            self.show_error(error)
            return
        self._list.empty = "Nothing found" if of_files else "No batches yet"
        self._list.show(numbers, first, of_files=of_files)
        if then is not None and then in numbers:
            self._list.move_to(list(numbers).index(then))
        self._title()

    def _read_first(self, query: HistoryQuery) -> tuple[Sequence[int], Sequence[Entry]]:
        if query.asks_for_files:
            numbers = self._store.file_numbers(query)
            return numbers, self._store.files(numbers[:PAGE])
        numbers = self._store.batch_numbers(query)
        return numbers, self._store.batches(numbers[:PAGE])

    @work(group="page", exit_on_error=False)
    async def on_entries_wanted(self, event: EntriesWanted) -> None:
        read = self._store.files if self._list.of_files else self._store.batches
        try:
            entries: Sequence[Entry] = await asyncio.to_thread(read, event.numbers)
        except FwtuiError as error:
            self.show_error(error)
            return
        self._list.put(entries)

    def _title(self) -> None:
        count = len(self._list.items)
        if self._batch is not None:
            title = f"History {self._glyphs.dot} batch {clean(self._batch.id)}"
            what = file_count(count)
        else:
            title = "History"
            what = file_count(count) if self._list.of_files else _batch_count(count)
        if count:
            title += f" {self._glyphs.dot} {what}{' found' if self._words else ''}"
        for box in self.query("#history-dialog").results(DialogBox):
            box.set_title(title)

    # The entry under the cursor.

    @property
    def _file(self) -> FileEntry | None:
        entry = self._list.entry
        return entry if isinstance(entry, FileEntry) else None

    def show_current(self) -> None:
        file = self._file
        if file is not None and file.number not in self._missing:
            self._look_for(file)
        super().show_current()
        is_done = file is not None and bool(file.outputs)
        self.enable(open=self._list.entry is not None, again=file is not None, checked=is_done)
        self.enable(folder=is_done or isinstance(self._list.entry, BatchEntry))

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look_for(self, file: FileEntry) -> None:
        """Look which of the file's transcripts are there; a share may take its time."""
        self._missing[file.number] = await asyncio.to_thread(missing_outputs, file)
        if self._file == file:
            super().show_current()

    def describe(self) -> Content:
        cells = max(20, self.details.size.width)
        match self._list.entry:
            case BatchEntry() as batch:
                return fields(self._batch_rows(batch), cells=cells)
            case FileEntry() as file:
                return fields(self._file_rows(file), cells=cells)
        if self._list.items or self._words or self._batch:
            return Content("")
        return Content(with_keys(self, EMPTY))

    def _batch_rows(self, one: BatchEntry) -> list[FieldRow]:
        dot = f" {self._glyphs.dot} "
        state = one.end_text
        if one.seconds:
            state += f"{dot}{clock(one.audio)} of audio in {clock(one.seconds)}"
        if one.end_text == "unfinished":
            state += with_keys(self, f"{dot}{{sessions}} Sessions resumes it")
        if one.problem:
            state += f"{dot}{clean(one.problem)}"
        rows = [
            FieldRow("Batch", f"{clean(one.id)}{dot}{_span(one)}"),
            FieldRow("State", state),
        ]
        if not one.is_earlier:
            folder = shown_path(one.folder) if one.folder else "beside the recordings"
            rows.append(FieldRow("Transcripts", folder))
            rows.append(FieldRow("Model", model_name(one.model)))
            others = {key: one.settings[key] for key in one.settings if key not in _SHOWN}
            rows.append(FieldRow("Settings", settings_text(others)))
        return rows

    def _file_rows(self, one: FileEntry) -> list[FieldRow]:
        dot = f" {self._glyphs.dot} "
        language = LANGUAGES.get(one.language, one.language).title()
        speed = f"{speed_factor(one.speed)}{self._glyphs.times}" if one.speed else ""
        state = one.state_text.replace(" · ", dot)
        if one.reason:
            state += f": {clean(one.reason)}"
        if one.checked is not None:
            state += f" on {_when(one.checked)}"
        if one.findings:
            state += f" ({one.findings:,} passage{'' if one.findings == 1 else 's'} marked)"
        about = (clean(language), model_name(one.model), speed, clean(one.batch))
        rows = [
            FieldRow("Recording", shown_path(one.path)),
            FieldRow("Transcript", self._transcript_text(one)),
            FieldRow("State", state),
            FieldRow("About", dot.join(part for part in about if part)),
        ]
        if one.settings is not None:
            rows.append(FieldRow("Settings", settings_text(one.settings)))
        return rows

    def _transcript_text(self, one: FileEntry) -> str:
        if not one.outputs:
            return "none"
        missing = self._missing.get(one.number, ())
        first, *others = one.outputs
        text = " ".join((shown_path(first), *(clean(Path(path).suffix) for path in others)))
        if len(missing) == len(one.outputs):
            return f"{text} (missing)"
        return f"{text} ({len(missing)} missing)" if missing else text

    # Actions.

    def _done_file(self) -> FileEntry | None:
        """The file under the cursor if it has a transcript; else notifies why not."""
        file = self._file
        if file is None:
            self._say("Choose a file: Enter shows those of a batch")
        elif not file.outputs:
            self._say("This file has no transcript")
        else:
            return file
        return None

    def _say(self, text: str) -> None:
        self.notify(text, timeout=3, markup=False)

    def select_current(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        entry = self._list.entry
        if isinstance(entry, BatchEntry):
            self._batch = entry
            self._search()
        elif entry is not None:
            self.action_view()

    def action_leave(self) -> None:
        if self._field.value:
            self._field.value = ""
            self._list.focus()
        elif self.focused is self._field:
            self._list.focus()
        elif self._batch is not None:
            number, self._batch = self._batch.number, None
            self._search(then=number)
        else:
            self.action_close()

    def action_search(self) -> None:
        self._field.focus()

    @work(exclusive=True, group="terminal", exit_on_error=False)
    async def action_edit(self) -> None:
        if (file := self._done_file()) is not None:
            await edit_outputs(self.app, file.outputs)

    @work(exclusive=True, group="terminal", exit_on_error=False)
    async def action_view(self) -> None:
        if (file := self._done_file()) is not None:
            await page_outputs(self.app, file.outputs)

    @work(exclusive=True, group="folder", exit_on_error=False)
    async def action_folder(self) -> None:
        entry = self._list.entry
        if isinstance(entry, BatchEntry):
            if entry.folder:
                await open_folder(self.app, text_to_path(entry.folder))
            else:
                self._say("Its transcripts are beside the recordings: open a file's folder")
        elif (file := self._done_file()) is not None:
            await open_folder(self.app, text_to_path(file.outputs[0]).parent)

    @work(exclusive=True, group="again", exit_on_error=False)
    async def action_again(self) -> None:
        file = self._file
        if file is None:
            self._say("Choose a file: Enter shows those of a batch")
            return
        name = shown_name(file.path)
        if self._is_queued(file.path):
            self._say(f"{name} is in the queue already")
        elif not await asyncio.to_thread(os.path.lexists, text_to_path(file.path)):
            self.notify(
                f"{shown_path(file.path)} is missing: it was moved, renamed or deleted, or its "
                "drive is not connected",
                severity="warning",
                markup=False,
            )
        else:
            self._add((str(text_to_path(file.path)),))
            self._say(f"{name} added to the queue")

    @work(exclusive=True, group="checked", exit_on_error=False)
    async def action_checked(self) -> None:
        file = self._done_file()
        if file is None:
            return
        when = None if file.checked is not None else datetime.now(UTC)
        try:
            await asyncio.to_thread(self._store.set_checked, [file.number], when)
        except FwtuiError as error:
            self.show_error(error)
            return
        self._list.put([replace(file, checked=when)])


def missing_outputs(file: FileEntry) -> tuple[str, ...]:
    """The transcripts of a file that are not on the disk; blocks on the disk."""
    return tuple(path for path in file.outputs if not os.path.lexists(text_to_path(path)))


def settings_text(settings: dict[str, object]) -> str:
    """Settings that differ from the defaults, in one line."""
    parts = (f"{name} = {value}" for name, value in sorted(settings.items()))
    return clean(", ".join(parts)) or "the defaults"


def _batch_count(count: int) -> str:
    return f"{count:,} batch{'' if count == 1 else 'es'}"
