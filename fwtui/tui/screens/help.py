"""All keys, from the one registry."""

from textual.content import Content

from fwtui.tui.keys import KEYS, TITLES, shown
from fwtui.tui.screens.dialog import Tell
from fwtui.tui.text import wrap

KEY_CELLS = 17
TEXT_CELLS = 50


def help_text(*, ascii_only: bool = False) -> Content:
    """Keys by where they work."""
    parts: list[tuple[str, str]] = []
    for where, title in TITLES.items():
        parts.append((("\n" if parts else "") + title + "\n", "bold $primary"))
        for key in KEYS:
            if key.where == where:
                names = "  ".join(shown(name, ascii_only=ascii_only) for name in key.keys)
                parts.append((f"  {names:<{KEY_CELLS}}", "$accent"))
                first, *rest = wrap(key.tooltip, TEXT_CELLS)
                lines = [first, *(" " * (KEY_CELLS + 2) + line for line in rest)]
                parts.append(("\n".join(lines) + "\n", ""))
    return Content.assemble(*parts).rstrip()


def help_dialog(*, ascii_only: bool = False) -> Tell:
    """The help screen."""
    return Tell("Keys", help_text(ascii_only=ascii_only))
