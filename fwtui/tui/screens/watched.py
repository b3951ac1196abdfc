"""The folders that feed the queue: how they are; one more, another way, one less."""

import asyncio
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from fwtui.config.fields import Value, find_field
from fwtui.config.profiles import Profile
from fwtui.config.validate import validated_value
from fwtui.core.commands import AnyCommand, UnwatchFolder, WatchFolder
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.watched_folder import FolderStatus, WatchedFolder
from fwtui.errors import FwtuiError, UsageError
from fwtui.tui.formatting import clean, file_count, fit_middle, shown_path
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.model import BatchModel
from fwtui.tui.screens.dialog import Dialog, frame, text
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece

FORM_LABEL = 15
MOST_NAME_CELLS = 12
_FIELDS = {
    "path": ("Folder", "the folder to watch, with all below it"),
    "output": ("Transcripts in", "a folder; empty: where the batch's are"),
    "language": ("Language", "such as en or German; empty: as the batch"),
    "include": ("Only", "patterns: *.wav 'week 1/*'; empty: all recordings"),
    "exclude": ("Without", "patterns of files or folders"),
    "move_to": ("Moved to", "a folder; empty: transcribed, in the watched one"),
    "settle": ("Unchanged for", "seconds, then a file is complete"),
}
_CHOICES: dict[str, tuple[str, dict[str, str]]] = {
    "existing": ("There already", {"take": "Take", "ignore": "Ignore"}),
    "after": ("When done", {"leave": "Leave", "move": "Move", "tag": "Tag"}),
    "poll": ("Notice by", {"auto": "Auto", "off": "Events", "on": "Looking"}),
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
)
_ORDER += ("after", "move_to", "poll")
_NO_PROFILE = ""


class WatchForm(Dialog[WatchedFolder | None]):
    """Gives the folder as it is to be watched; None: the user thought better of it."""

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
        """A line for each, what is wrong, buttons."""
        yield frame(
            "Watch a folder" if self._folder is None else "Change a watched folder",
            VerticalScroll(*(self._row(key) for key in _ORDER), classes="body", can_focus=False),
            Static("", markup=False, id="watch-wrong"),
            buttons=(
                Button("Cancel", id="cancel"),
                Button("Watch", id="watch", variant="primary"),
            ),
            id="watch-form",
        )

    def _row(self, key: str) -> Horizontal:
        if key in _FIELDS:
            label, hint = _FIELDS[key]
            words = clean(self._texts[key])
            field = Input(words, placeholder=hint, id=f"watch-{key}", select_on_focus=False)
            field.disabled = key == "path" and self._folder is not None
            return Horizontal(_label(label), field, classes="form-row")
        label = "Profile" if key == "profile" else _CHOICES[key][0]
        buttons = [
            Button(Content(words), id=f"{key}-{number}")
            for number, words in enumerate(self._options[key].values())
        ]
        return Horizontal(_label(label), *buttons, classes="choices form-row")

    def on_mount(self) -> None:
        """Begin with the first that can be changed."""
        self.set_class(self._glyphs.ascii, "plain-ascii")
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
        """A choice, or an end."""
        match (event.button.id or "").rpartition("-"):
            case (_, _, "watch"):
                self._confirm()
            case (_, _, "cancel"):
                self.dismiss(None)
            case (key, _, number):
                self._chosen[key] = list(self._options[key])[int(number)]
                self._mark(key)

    def on_input_submitted(self) -> None:
        """Enter is enough."""
        self._confirm()

    @work(exclusive=True, group="confirm", exit_on_error=False)
    async def _confirm(self) -> None:
        texts = {key: self._text(key) for key in _FIELDS}
        profile = self._profiles.get(self._chosen["profile"])
        try:
            wanted = await asyncio.to_thread(made, texts, self._chosen, profile, self._folder)
        except FwtuiError as error:
            words = f"{error.title}: {error.hint}" if error.hint else error.title
            self.query_one("#watch-wrong", Static).update(Content(clean(words)))
        else:
            self.dismiss(wanted)

    def _text(self, key: str) -> str:
        """What a line says; one that was not changed says what it stood for."""
        words, before = self.query_one(f"#watch-{key}", Input).value, self._texts[key]
        return before if words == clean(before) else words.strip()


def made(
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
        raise UsageError("The seconds must be a number, 0 or more") from error
    if folder.target == folder.path:
        raise UsageError("Done files cannot be moved to the watched folder itself")
    return folder


def _folder(words: str) -> str:
    path = _absolute(words)
    if not words or not text_to_path(path).is_dir():
        raise UsageError(f"There is no folder {words}" if words else "Name the folder to watch")
    return path


def _absolute(words: str) -> str:
    return path_to_text(Path(words).expanduser().absolute())


def _patterns(words: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(words))
    except ValueError as error:
        raise UsageError("A quote in the patterns has no end") from error


def _texts(folder: WatchedFolder | None) -> dict[str, str]:
    """What stands in the lines at first."""
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


def _label(words: str) -> Static:
    return Static(words, markup=False, classes="form-label")


def _short(name: str, glyphs: Glyphs) -> str:
    return fit_middle(clean(name), MOST_NAME_CELLS, glyphs.ellipsis).strip()


LOOK_EVERY = 0.25
LABEL = 13
BESIDE_PATH = 34
_AFTER = {"leave": "stay where they are", "tag": "are tagged", "move": "are moved to "}


class FoldersList(Listing):
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


class WatchedDialog(Dialog[None]):
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
        self._list = FoldersList(glyphs)

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

    def on_listing_highlighted(self) -> None:
        """Another folder."""
        self._show()

    def on_listing_selected(self) -> None:
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
        words += f", {file_count(one.waiting)} not complete yet"
    return words
