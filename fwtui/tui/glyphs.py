"""The glyphs that the screens are drawn with, in Unicode and in ASCII."""

import codecs
import locale
import os
import sys
from collections.abc import Mapping

from msgspec import Struct

from fwtui.core.job import (
    Cancelled,
    Completed,
    Failed,
    Pending,
    Processing,
    Skipped,
    State,
    needs_check,
)


class Glyphs(Struct, frozen=True):
    """One set of glyphs, each a single cell wide."""

    pending: str = "○"
    preparing: str = "◌"
    running: str = "▶"
    paused: str = "‖"
    completed: str = "✓"
    check: str = "?"
    failed: str = "✗"
    cancelled: str = "■"
    skipped: str = "–"  # noqa: RUF001
    selected: str = "▌"
    bar_full: str = "━"
    bar_half: str = "╸"
    bar_empty: str = "─"
    bar_parts: str = "━╌━━"  # to check, skipped, cancelled, failed
    thumb: str = "▐"
    dot: str = "·"
    times: str = "×"
    ellipsis: str = "…"
    bullet: str = "•"
    ascending: str = "▴"
    descending: str = "▾"
    mark: str = "┃"
    peak: str = "│"
    folded: str = "▸"
    unfolded: str = "▾"
    checked: str = "■"
    half_checked: str = "◧"
    unchecked: str = "□"
    levels: str = " ▁▂▃▄▅▆▇█"
    ascii: bool = False

    def of(self, state: State) -> str:
        """The glyph of a job's state."""
        match state:
            case Pending():
                return self.pending
            case Processing(preparing=preparing):
                return self.preparing if preparing else self.running
            case Completed():
                return self.check if needs_check(state) else self.completed
            case Failed():
                return self.failed
            case Cancelled():
                return self.cancelled
            case Skipped():
                return self.skipped


_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")
UNICODE = Glyphs()
UNCOLORED = Glyphs(bar_parts="?–■✗")  # noqa: RUF001
ASCII = Glyphs(
    pending=".",
    preparing=":",
    running=">",
    paused="=",
    completed="+",
    failed="!",
    cancelled="#",
    skipped="-",
    selected="*",
    bar_full="#",
    bar_half="#",
    bar_empty="-",
    bar_parts="?=x!",
    thumb="|",
    dot="-",
    times="x",
    ellipsis="~",
    bullet="*",
    ascending="^",
    descending="v",
    mark="!",
    peak="|",
    folded="+",
    unfolded="-",
    checked="x",
    half_checked="-",
    unchecked=".",
    levels=" .:-=+*##",
    ascii=True,
)


def choose_glyphs(environ: Mapping[str, str] = os.environ) -> Glyphs:
    """Unicode, unless the locale or the terminal's stream cannot encode it.

    Without colours the parts of a bar differ in their signs.
    """
    # Python assumes UTF-8 in the C locale, but whoever sets it asks for ASCII.
    asked = next((word for name in _LOCALE if (word := environ.get(name))), "")
    if asked in {"C", "POSIX"}:
        return ASCII
    names = (locale.getpreferredencoding(False), getattr(sys.__stderr__, "encoding", None) or "")
    if not all(_is_utf8(name) for name in names):
        return ASCII
    return UNCOLORED if environ.get("NO_COLOR") else UNICODE


def _is_utf8(name: str) -> bool:
    try:
        return codecs.lookup(name).name == "utf-8"
    except LookupError:
        return False
