"""The keys as the user has them: those of `[keys]` in the settings file, else the defaults."""

import re
import string
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from itertools import combinations
from typing import Protocol, runtime_checkable

from msgspec import Struct, field
from textual.binding import ActiveBinding, Binding, BindingsMap
from textual.keys import Keys
from textual.message_pump import MessagePump

from fwtui.errors import ConfigError
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import KEYS, Key, shown

# Sections whose keys all work in the same place.
_TOGETHER = (
    frozenset({"everywhere", "queue", "panes", "moving"}),
    frozenset({"moving", "search", "log"}),
)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})


class Keymap(Struct, frozen=True):
    """The user's keys for some actions, by id."""

    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, key: Key) -> tuple[str, ...]:
        """The keys that call an action."""
        return self.changed.get(key.id, key.keys)

    def display(self, key: Key | str, *, ascii_only: bool = False) -> str:
        """The first key of an action (or of an id), as it is written for people."""
        if isinstance(key, str):
            key = next(one for one in KEYS if one.id == key)
        return shown(self.of(key)[0], ascii_only=ascii_only)

    @property
    def for_textual(self) -> dict[str, str]:
        """The argument for `App.set_keymap`."""
        return {name: ",".join(map(full_name, keys)) for name, keys in self.changed.items()}


DEFAULT_KEYMAP = Keymap()


@runtime_checkable
class HasKeymap(Protocol):
    """The application."""

    keymap: Keymap
    glyphs: Glyphs


def key_for(node: MessagePump, action: str) -> str:
    """The key of an action, by id, as the user of the app has it."""
    app = node.app
    if isinstance(app, HasKeymap):
        return app.keymap.display(action, ascii_only=app.glyphs.ascii)
    return DEFAULT_KEYMAP.display(action)


def active_key(node: MessagePump, key: Key, active: Mapping[str, ActiveBinding]) -> str | None:
    """The first key of an action that calls it now, as it is written; None: no key does.

    `active`: `Screen.active_bindings`. A pane in front may use a key for something else, and a text
    field keeps those that can be typed.
    """
    app = node.app
    keymap, ascii_only = (
        (app.keymap, app.glyphs.ascii) if isinstance(app, HasKeymap) else (DEFAULT_KEYMAP, False)
    )
    for name in keymap.of(key):
        found = active.get(full_name(name))
        if found is not None and found.binding.id == key.id:
            return shown(name, ascii_only=ascii_only)
    return None


def with_keys(node: MessagePump, text: str) -> str:
    """`text` with each `{action}` replaced by its key."""
    return _PLACEHOLDER.sub(lambda found: key_for(node, found[1]), text)


def make_keymap(wanted: Mapping[str, tuple[str, ...]]) -> Keymap:
    """The keymap with these keys. Raises ConfigError for unknown names and for clashes."""
    if not wanted:
        return DEFAULT_KEYMAP
    known = {key.id for key in KEYS}
    for name, keys in wanted.items():
        if name not in known:
            close = get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise ConfigError(f"Unknown action {name!r} in [keys]", f"did you mean {close}?")
        if not keys:
            raise ConfigError(f"Action {name!r} in [keys] has no key", "remove the line")
        for pressed in keys:
            if not is_key(pressed):
                raise ConfigError(
                    f"Unknown key {pressed!r} (action {name!r} in [keys])",
                    "keys are single characters, or names such as f5, enter, ctrl+x, shift+up",
                )
    keymap = Keymap(dict(wanted))
    for one, other, both in _clashes(keymap):
        title = f"Key {shown(both)} is assigned to both {one.id!r} and {other.id!r}"
        raise ConfigError(title, "assign another key to one of them in [keys]")
    return keymap


def is_key(name: str) -> bool:
    """Whether it is a key: one character, or a name that Textual knows."""
    if len(name) == 1:
        return name.isprintable()
    *modifiers, last = name.split("+")
    if not set(modifiers) <= _MODIFIERS:
        return False
    return (len(last) == 1 and last.isprintable()) or last in _names()


def full_name(name: str) -> str:
    """Textual's name of a key: `question_mark` for `?`."""
    if name == ",":
        return "comma"
    return next(iter(BindingsMap([Binding(name, "")]).key_to_bindings))


@cache
def _names() -> frozenset[str]:
    signs = {full_name(sign) for sign in string.punctuation}
    return frozenset({str(key.value) for key in Keys} | signs)


def _clashes(keymap: Keymap) -> Iterator[tuple[Key, Key, str]]:
    """Pairs of actions that one key would call at once, if the user has set one of them."""
    for one, other in combinations(KEYS, 2):
        if keymap.changed.keys().isdisjoint((one.id, other.id)):
            continue
        both = {one.where, other.where}
        same = one.where == other.where or any(both <= sections for sections in _TOGETHER)
        if same or "everywhere" in both:
            theirs = {full_name(name) for name in keymap.of(other)}
            for name in keymap.of(one):
                if full_name(name) in theirs:
                    yield one, other, name
