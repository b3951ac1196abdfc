"""How a folder is to be watched: a form."""

import asyncio
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from fwtui.config.fields import Value, find_field
from fwtui.config.profiles import Profile
from fwtui.config.validate import usable_value
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.watch import WatchedFolder
from fwtui.errors import FwtuiError, UsageError
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.screens.dialog import Dialog, frame
from fwtui.tui.text import clean, fit_middle

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
    values |= {key: usable_value(find_field(key), texts[name]) for name, key in keys if texts[name]}
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
