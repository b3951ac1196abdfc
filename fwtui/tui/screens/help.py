"""All keys, from the key table."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen

from fwtui.tui.formatting import wrap
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import DEFAULT_KEYMAP, Keymap
from fwtui.tui.keys import KEYS, TITLES, Where, shown
from fwtui.tui.screens.dialog import HELP, Dialog, message_frame

KEY_CELLS = 17
TEXT_CELLS = 50


def help_text(
    *,
    ascii_only: bool = False,
    keymap: Keymap = DEFAULT_KEYMAP,
    first: Sequence[Where] = (),
    others: bool = True,
) -> Content:
    """The keys by section; the sections in `first` come first, or alone without `others`."""
    parts: list[tuple[str, str]] = []
    for where in dict.fromkeys((*first, *(TITLES if others else ()))):
        parts.append((("\n" if parts else "") + TITLES[where] + "\n", "bold $primary"))
        for key in KEYS:
            if key.where == where:
                names = "  ".join(shown(name, ascii_only=ascii_only) for name in keymap.of(key))
                parts.append((f"  {names:<{KEY_CELLS}}", "$accent"))
                first_line, *rest = wrap(key.tooltip, TEXT_CELLS)
                lines = [first_line, *(" " * (KEY_CELLS + 2) + line for line in rest)]
                parts.append(("\n".join(lines) + "\n", ""))
    return Content.assemble(*parts).rstrip()


def sections(node: DOMNode | None) -> list[Where]:
    """The sections of the keys that work on a node and those around it."""
    found: list[Where] = []
    ids = {key.id: key.where for key in KEYS}
    while node is not None:
        for bindings in node._bindings.key_to_bindings.values():
            found += [ids[one.id] for one in bindings if one.id in ids]
        node = node.parent if not isinstance(node, Screen) else None
    return list(dict.fromkeys(found))


def pane_first(found: Sequence[Where]) -> list[Where]:
    """The sections of a pane of the main screen: what is its own, moving in it, all else."""
    around: tuple[Where, ...] = ("queue", "panes", "everywhere")
    own = [where for where in reversed(found) if where not in around and where != "moving"]
    moving = [where for where in found if where == "moving"]
    rest = [where for where in around if where in found or where == "everywhere"]
    return [*own, *moving, *rest] if own else [*rest[:1], *moving, *rest[1:]]


class HelpDialog(Dialog[None]):
    """Keys, and what the marks mean; closed by the key that opened it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Close", show=False),
        Binding(HELP.key, "leave", show=False, id=HELP.id),
    ]
    escape_result = None

    def __init__(self, title: str, keys: Content) -> None:
        super().__init__()
        self._title, self._keys = title, keys

    def compose(self) -> ComposeResult:
        yield message_frame(self._title, self._keys)

    def on_mount(self) -> None:
        self.query_one("#close").focus()


def help_dialog(
    glyphs: Glyphs,
    *,
    keymap: Keymap = DEFAULT_KEYMAP,
    first: Sequence[Where] = (),
    others: bool = True,
) -> HelpDialog:
    """The dialog that shows the keys: those of the screen in front, or with `others` all."""
    keys = help_text(ascii_only=glyphs.ascii, keymap=keymap, first=first, others=others)
    parts = [keys, Content("\n\n"), legend(glyphs)] if others or "sessions" in first else [keys]
    title = "Keys" if others or not first else f"Keys {glyphs.dot} {TITLES[first[0]]}"
    return HelpDialog(title, Content("").join(parts))


def legend(glyphs: Glyphs) -> Content:
    """What the marks of files mean."""
    marks = (
        (glyphs.pending, "$ink-dim", "waiting"),
        (glyphs.preparing, "$primary", "being prepared"),
        (glyphs.running, "$primary", "running"),
        (glyphs.paused, "$warning", "paused, or in use by another fwtui"),
        (glyphs.completed, "$success", "done"),
        (glyphs.check, "$warning", "done, but to check: details show the passages"),
        (glyphs.failed, "$error", "failed"),
        (glyphs.cancelled, "$warning", "cancelled"),
        (glyphs.skipped, "$ink-dim", "skipped"),
        (glyphs.selected, "$accent", "selected"),
    )
    parts: list[tuple[str, str]] = [("Marks\n", "bold $primary")]
    for mark, ink, meaning in marks:
        parts += [(f"  {mark:<{KEY_CELLS}}", ink), (f"{meaning}\n", "")]
    return Content.assemble(*parts).rstrip()
