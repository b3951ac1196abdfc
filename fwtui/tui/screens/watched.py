"""Watched folders: list, add, change and remove them."""

import asyncio
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Static

from fwtui.config.fields import Value, find_field
from fwtui.config.profiles import Profile
from fwtui.config.validate import validated_value
from fwtui.core.commands import AnyCommand, UnwatchFolder, WatchFolder
from fwtui.core.paths import expand_home, path_to_text, text_to_path
from fwtui.core.watched_folder import FolderStatus, WatchedFolder
from fwtui.errors import FwtuiError, UsageError
from fwtui.tui.formatting import FieldRow, clean, fields, file_count, fit_middle, shown_path
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys
from fwtui.tui.keys import bindings
from fwtui.tui.model import BatchModel
from fwtui.tui.screens.dialog import Dialog, ListDialog, error_line, frame, scrolled
from fwtui.tui.widgets.button_row import ButtonRow
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece

MOST_NAME_CELLS = 12
MOST_SETTLE_SECONDS = 86400.0
_FIELDS = {
    "path": ("Folder", "the folder to watch, including subfolders"),
    "output": ("Output folder", "empty: the batch's output folder"),
    "language": ("Language", "such as en or German; empty: as in the batch"),
    "include": ("Include", "patterns: *.wav 'week 1/*'; empty: all recordings"),
    "exclude": ("Exclude", "patterns of files or folders"),
    "move_to": ("Move to", "empty: transcribed/ in the watched folder"),
    "settle": ("Unchanged for (s)", "seconds without changes after which a file is complete"),
}
_CHOICES: dict[str, tuple[str, dict[str, str]]] = {
    "existing": ("Existing files", {"take": "Transcribe", "ignore": "Ignore"}),
    "after": ("When done", {"leave": "Leave", "move": "Move", "tag": "Tag"}),
    "poll": ("Detection", {"auto": "Auto", "off": "Events", "on": "Polling"}),
}
_ORDER: tuple[str, ...] = (
    "path",
    "output",
    "language",
    "profile",
    "include",
    "exclude",
    "existing",
    "settle",
    "after",
    "move_to",
    "poll",
)
_NO_PROFILE = ""
# The lines whose values are settings.
_LINES = {"output.output_dir": "output", "decoding.language": "language"}


class WatchForm(Dialog[WatchedFolder | None]):
    """Gives the folder and how to watch it, or None."""

    escape_result = None

    def __init__(
        self, folder: WatchedFolder | None, profiles: Sequence[Profile], glyphs: Glyphs
    ) -> None:
        super().__init__()
        self._folder = folder
        self._profiles = {profile.name: profile for profile in profiles}
        self._glyphs = glyphs
        self._chosen = _choices(folder)
        self._texts = _texts(folder)
        names = {name: _short(name, glyphs) for name in self._profiles}
        self._options = {key: options for key, (_, options) in _CHOICES.items()}
        self._options["profile"] = {_NO_PROFILE: "The batch's", **names}

    def compose(self) -> ComposeResult:
        yield frame(
            "Watch a folder" if self._folder is None else "Edit a watched folder",
            scrolled(*(self._row(key) for key in _ORDER)),
            Static("", markup=False, id="watch-wrong"),
            buttons=(
                Button("Cancel", id="close"),
                Button("Watch" if self._folder is None else "Save", id="watch", variant="primary"),
            ),
            id="watch-form",
        )

    def _row(self, key: str) -> Horizontal:
        if key in _FIELDS:
            label, hint = _FIELDS[key]
            field = Input(
                clean(self._texts[key]), placeholder=hint, id=f"watch-{key}", select_on_focus=False
            )
            field.disabled = key == "path" and self._folder is not None
            return Horizontal(_label(label), field, classes="form-row")
        label = "Profile" if key == "profile" else _CHOICES[key][0]
        buttons = [
            Button(Content(name), id=f"{key}-{number}")
            for number, name in enumerate(self._options[key].values())
        ]
        row = ButtonRow(*buttons, classes="choices")
        return Horizontal(_label(label), row, classes="form-row")

    def on_mount(self) -> None:
        for key in self._options:
            self._mark(key)
        self.query_one("#watch-path" if self._folder is None else "#watch-output").focus()

    def _mark(self, key: str) -> None:
        for number, value in enumerate(self._options[key]):
            button = self.query_one(f"#{key}-{number}", Button)
            button.set_class(value == self._chosen[key], "on")
        if key == "after":
            self.query_one("#watch-move_to", Input).disabled = self._chosen[key] != "move"

    def on_button_pressed(self, event: Button.Pressed) -> None:
        key, dash, number = (event.button.id or "").rpartition("-")
        if dash:
            self._chosen[key] = list(self._options[key])[int(number)]
            self._mark(key)

    def on_input_submitted(self) -> None:
        self.action_watch()

    @work(exclusive=True, group="confirm", exit_on_error=False)
    async def action_watch(self) -> None:
        texts = {key: self._text(key) for key in _FIELDS}
        profile = self._profiles.get(self._chosen["profile"])
        try:
            folder = await asyncio.to_thread(
                folder_of_form, texts, self._chosen, profile, self._folder
            )
        except FwtuiError as error:
            self.query_one("#watch-wrong", Static).update(error_line(error))
            if error.setting in _LINES:
                self.query_one(f"#watch-{_LINES[error.setting]}").focus()
        else:
            self.dismiss(folder)

    @property
    def unsaved(self) -> str:
        texts = any(self._text(key) != before for key, before in self._texts.items())
        if not texts and self._chosen == _choices(self._folder):
            return ""
        return "The folder is not watched in this way yet."

    def _text(self, key: str) -> str:
        """The text of a line; that of a line that was not changed as it was, not cleaned."""
        typed, before = self.query_one(f"#watch-{key}", Input).value, self._texts[key]
        return before if typed == clean(before) else typed.strip()


def folder_of_form(
    texts: Mapping[str, str],
    chosen: Mapping[str, str],
    profile: Profile | None,
    before: WatchedFolder | None = None,
) -> WatchedFolder:
    """The folder that the form describes. Blocks on the disk; raises FwtuiError."""
    path = before.path if before is not None else _folder(texts["path"])
    values: dict[str, Value] = dict(profile.sets) if profile is not None else {}
    keys = (("output", "output.output_dir"), ("language", "decoding.language"))
    values |= {
        key: validated_value(find_field(key), texts[name]) for name, key in keys if texts[name]
    }
    moves = chosen["after"] == "move"
    plain: dict[str, Any] = {
        "path": path,
        "include": _patterns(texts["include"]),
        "exclude": _patterns(texts["exclude"]),
        "existing": chosen["existing"],
        "settle_seconds": texts["settle"] or WatchedFolder(path="").settle_seconds,
        "poll": chosen["poll"],
        "after": chosen["after"],
        "move_to": _absolute(texts["move_to"]) if moves and texts["move_to"] else "",
        "profile": profile.name if profile is not None else "",
        "values": values,
    }
    try:
        folder = msgspec.convert(plain, WatchedFolder, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError("The seconds must be a number of at least 0") from error
    if not 0 <= folder.settle_seconds <= MOST_SETTLE_SECONDS:
        raise UsageError(f"The seconds must be from 0 to {MOST_SETTLE_SECONDS:g}")
    if folder.target == folder.path:
        raise UsageError("Finished files cannot be moved to the watched folder itself")
    return folder


def _folder(typed: str) -> str:
    path = _absolute(typed)
    if not typed or not text_to_path(path).is_dir():
        raise UsageError(f"Folder not found: {typed}" if typed else "Enter the folder to watch")
    return path


def _absolute(typed: str) -> str:
    return path_to_text(expand_home(typed).absolute())


def _patterns(typed: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(typed))
    except ValueError as error:
        raise UsageError("A quote in the patterns is not closed") from error


def _texts(folder: WatchedFolder | None) -> dict[str, str]:
    """The initial texts of the lines."""
    if folder is None:
        empty = dict.fromkeys(_FIELDS, "")
        return empty | {"settle": f"{WatchedFolder(path='').settle_seconds:g}"}
    values = folder.values
    return {
        "path": str(text_to_path(folder.path)),
        "output": str(values.get("output.output_dir", "")),
        "language": str(values.get("decoding.language") or ""),
        "include": shlex.join(folder.include),
        "exclude": shlex.join(folder.exclude),
        "move_to": str(text_to_path(folder.move_to)) if folder.move_to else "",
        "settle": f"{folder.settle_seconds:g}",
    }


def _choices(folder: WatchedFolder | None) -> dict[str, str]:
    one = folder or WatchedFolder(path="")
    chosen: Iterator[tuple[str, str]] = ((key, getattr(one, key)) for key in _CHOICES)
    return {**dict(chosen), "profile": one.profile}


def _label(name: str) -> Static:
    return Static(name, markup=False, classes="form-label")


def _short(name: str, glyphs: Glyphs) -> str:
    return fit_middle(clean(name), MOST_NAME_CELLS, glyphs.ellipsis).strip()


REFRESH_SECONDS = 0.25
BESIDE_PATH = 34
NO_FOLDERS = (
    "New recordings in watched folders (and subfolders) are queued automatically once they are "
    "complete. Each file is transcribed once, even if renamed; again if it is replaced."
)


class FoldersList(Listing[FolderStatus]):
    """Watched folders: path and number of files."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs, empty="No watched folders", id="watched-list")

    def key(self, item: FolderStatus) -> str:
        return item.folder.path

    def pieces(self, item: FolderStatus) -> Sequence[Piece]:
        sign, ink = self._sign(item)
        room = max(10, self.size.width - BESIDE_PATH)
        path = fit_middle(shown_path(item.folder.path), room, self.glyphs.ellipsis)
        waiting = f", {item.waiting:,} incomplete" if item.waiting else ""
        return [
            (f" {sign} ", ink),
            (f"{path:<{room}} ", "plain"),
            (f"{item.taken:,} queued{waiting}", "dim"),
        ]

    def _sign(self, item: FolderStatus) -> Piece:
        match item.state:
            case "watching" | "polling":
                return self.glyphs.completed, "good"
            case "missing":
                return self.glyphs.paused, "warn"
            case "failed":
                return self.glyphs.failed, "bad"
            case "starting":
                return self.glyphs.pending, "dim"


class WatchedDialog(ListDialog[None]):
    """The watched folders of the model's batch; changes are sent to the batch by `send`."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("watch")
    keys = "watch"
    escape_result = None

    def __init__(
        self,
        model: BatchModel,
        send: Callable[[AnyCommand], None],
        profiles: Sequence[Profile],
        glyphs: Glyphs,
    ) -> None:
        self._list = FoldersList(glyphs)
        super().__init__(self._list)
        self._model = model
        self._send = send
        self._profiles = profiles
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        yield frame(
            "Watched folders",
            self._list,
            scrolled(self.details),
            buttons=(
                Button("Close", id="close"),
                Button("Stop watching", id="remove", variant="error"),
                Button("Edit", id="change"),
                Button("Add", id="add", variant="primary"),
            ),
            id="watched-dialog",
        )

    def on_mount(self) -> None:
        self._refresh()
        self.set_interval(REFRESH_SECONDS, self._refresh)

    def _refresh(self) -> None:
        folders = self._model.folders
        if folders is not self._list.items:
            self._list.replace(folders)

    def describe(self) -> Content:
        folder = self._list.current
        return describe_folder(folder, self._glyphs) if folder is not None else Content(NO_FOLDERS)

    def show_current(self) -> None:
        super().show_current()
        is_folder = self._list.current is not None
        self.enable(remove=is_folder, change=is_folder)

    def select_current(self) -> None:
        self.action_change()

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_add(self) -> None:
        await self._edit(None)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_change(self) -> None:
        current = self._list.current
        if current is not None:
            await self._edit(current.folder)
        else:
            self._say_none()

    def _say_none(self) -> None:
        note = with_keys(self, "No folder is watched: {watch_add} to add one")
        self.notify(note, timeout=2, markup=False)

    async def _edit(self, folder: WatchedFolder | None) -> None:
        form = WatchForm(folder, self._profiles, self._glyphs)
        changed = await self.app.push_screen_wait(form)
        if changed is not None:
            self._send(WatchFolder(changed))

    def action_remove(self) -> None:
        current = self._list.current
        if current is not None:
            self._send(UnwatchFolder(current.folder.path))
        else:
            self._say_none()


def describe_folder(status: FolderStatus, glyphs: Glyphs) -> Content:
    """How a folder is watched."""
    folder = status.folder
    dot = f" {glyphs.dot} "
    values = folder.values
    settings = [clean(folder.profile)] if folder.profile else []
    settings += [clean(str(values["decoding.language"]))] if "decoding.language" in values else []
    output = values.get("output.output_dir")
    names = [f"only {clean(' '.join(folder.include))}"] if folder.include else []
    names += [f"except {clean(' '.join(folder.exclude))}"] if folder.exclude else []
    rows = [
        ("Folder", shown_path(folder.path)),
        ("Status", _status(status)),
        ("Settings", dot.join(settings) or "the batch's"),
        ("Output folder", shown_path(str(output)) if output else "the batch's"),
        ("Files", dot.join(names) or "all recordings"),
        ("When done", _when_done(folder)),
        ("Complete", f"when unchanged for {folder.settle_seconds:g} s"),
    ]
    found = fields(FieldRow(label, value) for label, value in rows)
    problem = (f"\n\n{clean(status.problem)}" if status.problem else "", "$warning")
    return Content.assemble(found, problem)


def _when_done(folder: WatchedFolder) -> str:
    match folder.after:
        case "leave":
            return "files stay where they are"
        case "tag":
            return "files are tagged"
        case "move":
            return f"files are moved to {shown_path(folder.target)}"


def _status(status: FolderStatus) -> str:
    incomplete = f", {file_count(status.waiting)} not complete yet" if status.waiting else ""
    match status.state:
        case "starting":
            return f"starting{incomplete}"
        case "watching":
            return f"watching{incomplete}"
        case "polling":
            return f"checked every {status.folder.poll_seconds:g} s{incomplete}"
        case "missing":
            return f"folder not found{incomplete}"
        case "failed":
            return f"cannot be watched{incomplete}"
