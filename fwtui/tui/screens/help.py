"""All keys, from the one registry."""

from textual.content import Content

from fwtui.tui.keys import KEYS, TITLES, shown
from fwtui.tui.screens.dialog import Tell

KEY_CELLS = 18


def help_text(*, ascii_only: bool = False) -> Content:
    """Keys by where they work."""
    parts: list[tuple[str, str]] = []
    for where, title in TITLES.items():
        parts.append((("\n" if parts else "") + title + "\n", "bold $primary"))
        for key in KEYS:
            if key.where == where:
                names = "  ".join(shown(name, ascii_only=ascii_only) for name in key.keys)
                parts.append((f"  {names:<{KEY_CELLS}}", "$accent"))
                parts.append((key.tooltip + "\n", ""))
    return Content.assemble(*parts)


def help_dialog(*, ascii_only: bool = False) -> Tell:
    """The help screen."""
    return Tell("Keys", help_text(ascii_only=ascii_only))
