"""All keys, from the key table."""

from collections.abc import Sequence

from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen

from fwtui.tui.formatting import wrap
from fwtui.tui.keymap import DEFAULT_KEYMAP, Keymap
from fwtui.tui.keys import KEYS, TITLES, Where, shown
from fwtui.tui.screens.dialog import MessageDialog

KEY_CELLS = 17
TEXT_CELLS = 50


def help_text(
    *, ascii_only: bool = False, keymap: Keymap = DEFAULT_KEYMAP, first: Sequence[Where] = ()
) -> Content:
    """The keys by section; the sections in `first` come first."""
    parts: list[tuple[str, str]] = []
    for where in dict.fromkeys((*first, *TITLES)):
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


def help_dialog(
    *, ascii_only: bool = False, keymap: Keymap = DEFAULT_KEYMAP, first: Sequence[Where] = ()
) -> MessageDialog:
    """The dialog that shows all keys."""
    return MessageDialog("Keys", help_text(ascii_only=ascii_only, keymap=keymap, first=first))
