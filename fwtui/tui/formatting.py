"""Text for the screen: made safe to show, measured in terminal cells, numbers and times."""

import math
import ntpath
import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from unicodedata import category

from rich.cells import cell_len, chop_cells, set_cell_size
from textual.content import Content

from fwtui.core.paths import text_to_path
from fwtui.core.settings import OutputSettings
from fwtui.core.text import agreed, clock, escaped

# C0 and C1 controls, lone surrogates (undecodable names) and noncharacters.
_BROKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Line and paragraph breaks and tabs would tear a row apart.
_BREAKS = re.compile("\r\n|[\t\n\r\u2028\u2029]")
# Bidirectional overrides and isolates reorder what stands around them; the others are invisible.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_WINDOWS = re.compile(r"[A-Za-z]:\\|\\\\")
_COMMANDS = frozenset({"fwtui", "pip"})
_MOST_COMBINING = re.compile("([\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff]{3})[\u0300-\u036f]+")


def clean(text: str) -> str:
    """`text` in one line without controls, invisible characters and clusters; never raises.

    Everything from outside is shown through it: names, log, transcripts, dialogs.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _BREAKS.sub(" ", text)
    text = _INVISIBLE.sub("", _BROKEN.sub(lambda found: escaped(found[0]), text))
    return _MOST_COMBINING.sub(r"\1", agreed(text))


def width(text: str) -> int:
    """The cells that clean text occupies."""
    return len(text) if text.isascii() else cell_len(text)


def sentence(text: str) -> str:
    """The text with a capital letter, unless it begins with a name or a command."""
    first = text.partition(" ")[0].rstrip(",:;")
    is_word = first.isalpha() and first not in _COMMANDS
    return text[:1].upper() + text[1:] if is_word else text


def fit(text: str, cells: int, ellipsis: str = "…") -> str:
    """Clean text cut or padded to exactly `cells`; a cut is marked."""
    if cells <= 0:
        return ""
    taken = width(text)
    if taken <= cells:
        return text + " " * (cells - taken)
    if cells == 1:
        return ellipsis
    return set_cell_size(text, cells - 1) + ellipsis


def fit_middle(text: str, cells: int, ellipsis: str = "…") -> str:
    """Like `fit`, but cut in the middle: the ends of names tell them apart."""
    if width(text) <= cells or cells < 12:
        return fit(text, cells, ellipsis)
    tail = text[-(cells * 2 // 5) :]
    while width(tail) > cells * 2 // 5:
        tail = tail[1:]
    head = set_cell_size(text, cells - 1 - width(tail))
    return fit(head + ellipsis + tail, cells, ellipsis)


def fit_left(text: str, cells: int, ellipsis: str = "…") -> str:
    """Like `fit`, but cut at the left: the end of a path says the most."""
    if width(text) <= cells or cells <= 1:
        return fit(text, cells, ellipsis)
    tail = text[-cells + 1 :]
    while width(tail) > cells - 1:
        tail = tail[1:]
    return fit(ellipsis + tail, cells, ellipsis)


def fit_right(text: str, cells: int) -> str:
    """Clean text at the right edge of `cells`; longer text loses its end."""
    taken = width(text)
    return " " * (cells - taken) + text if taken <= cells else fit(text, cells)


def wrap(text: str, cells: int) -> list[str]:
    """Clean text broken at spaces into lines of at most `cells`; words longer than that are cut."""
    if cells <= 0:
        return []
    lines: list[str] = []
    line, used = "", 0
    for word in text.split():
        size = width(word)
        if used and used + 1 + size <= cells:
            line, used = f"{line} {word}", used + 1 + size
            continue
        if line:
            lines.append(line)
        pieces = chop_cells(word, cells) if size > cells else [word]
        lines.extend(pieces[:-1])
        line, used = pieces[-1], width(pieces[-1])
    return [*lines, line] if line or not lines else lines


def wrap_places(text: str, cells: int, hang: int = 0) -> list[int]:
    """Where in a clean text the lines begin into which it is broken, at spaces if that is sensible.

    The first has `cells`, the others `hang` less.
    """
    places = [0]
    start, room = 0, max(1, cells)
    while len(piece := text[start : start + room]) < len(text) - start or width(piece) > room:
        fitting = piece if piece.isascii() else next(iter(chop_cells(piece, room)), "")
        size = max(1, len(fitting))
        space = text.rfind(" ", start + size // 2, start + size + 1)
        start = space + 1 if space > start else start + size
        while start < len(text) and category(text[start]).startswith("M"):
            start += 1
        if start >= len(text):
            break
        places.append(start)
        room = max(1, cells - hang)
    return places


def base_name(path: str) -> str:
    """The file's name of a `path_to_text` path, of either system's kind; not cleaned."""
    if path.startswith("/"):  # a hundred thousand of them, at once
        return path.rpartition("/")[2]
    if path.startswith("\0"):
        return text_to_path(path).name
    if _WINDOWS.match(path):
        return ntpath.basename(path)
    return os.path.basename(path)  # noqa: PTH119


def shown_name(path: str) -> str:
    """The file's name of a `path_to_text` path, cleaned; the one way a file is named on screen."""
    return clean(base_name(path)) or "?"


def model_name(model: str) -> str:
    """A model as it is named on screen: its name, or the last part of its folder."""
    return clean(base_name(model.rstrip("/\\")))


def shown_path(path: str) -> str:
    """A `path_to_text` path, cleaned, with the home folder as ~."""
    text = os.fspath(text_to_path(path)) if path.startswith("\0") else path
    home = os.path.expanduser("~")  # noqa: PTH111
    if home != "~" and (text + os.sep).startswith(home + os.sep):
        text = "~" + text[len(home) :]
    return clean(text)


def outputs_location(output: OutputSettings) -> str:
    """Where transcripts are saved."""
    if output.output_layout == "source":
        return "the folders of the recordings"
    return shown_path(output.output_dir)


def elapsed(seconds: float) -> str:
    """A duration: like `clock`, but tenths of a second below ten seconds."""
    return f"{seconds:.1f} s" if 0 <= seconds < 9.95 else clock(seconds)


def timestamp(seconds: float) -> str:
    """A time inside a file, as h:mm:ss.t or mm:ss.t."""
    if not math.isfinite(seconds) or seconds < 0:
        seconds = 0.0
    tenths = round(seconds * 10)
    hours, rest = divmod(tenths, 36_000)
    minutes, tenths = divmod(rest, 600)
    text = f"{minutes:02}:{tenths // 10:02}.{tenths % 10}"
    return f"{hours}:{text}" if hours else text


def time_span(seconds: float) -> str:
    """A rough duration in at most two units: 45 s, 12 min, 3 h 05 min, 2 d 4 h."""
    if not math.isfinite(seconds) or seconds < 0:
        return "unknown"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def ends_at(now: datetime, seconds: float) -> str:
    """The clock time in `seconds`, with the weekday when that is not today."""
    if not math.isfinite(seconds) or not 0 <= seconds < 1e8:
        return ""
    then = now + timedelta(seconds=seconds)
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then:%a %H:%M}"


def speed_factor(factor: float) -> str:
    """Multiples of real time without the sign, three digits at most."""
    if not math.isfinite(factor) or factor <= 0:
        return ""
    return f"{factor:.1f}" if factor < 9.95 else f"{min(factor, 9999):.0f}"


def memory_size(megabytes: float) -> str:
    """MB (2**20 bytes) as MB or GB."""
    if megabytes < 1000:
        return f"{megabytes:.0f} MB"
    return f"{megabytes / 1024:.1f} GB"


def file_size(count: int) -> str:
    """Bytes as a file's size."""
    value = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TB"


def file_count(count: int) -> str:
    """`1 file`, `2 files`, `12,345 files`."""
    return f"{count:,} file{'' if count == 1 else 's'}"


def fraction(part: float, whole: float) -> float:
    """`part` of `whole` between 0 and 1; 0 when there is no whole."""
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0


StyledText = tuple[str, str]
"""Clean text and its style."""


class FieldRow(NamedTuple):
    """A label and its value: text in `style`, or parts with a style each."""

    label: str
    value: str | Sequence[StyledText]
    style: str = ""


def label_width(rows: Iterable[FieldRow]) -> int:
    """Cells of a column that holds all labels."""
    return max((width(row.label) for row in rows), default=0) + 2


def fields(rows: Iterable[FieldRow], *, labels: int = 0, cells: int = 0) -> Content:
    """The rows, one below the other, without a line break at the end.

    `labels`: cells of the first column (0: as many as the labels need). `cells`: the width in
    which the values are wrapped (0: they are not).
    """
    rows = list(rows)
    labels = labels or label_width(rows)
    return Content("\n").join(_row(row, labels, cells) for row in rows)


def _row(row: FieldRow, labels: int, cells: int) -> Content:
    label = (f"{row.label:<{labels}}", "$ink-dim")
    if not isinstance(row.value, str):
        return Content.assemble(label, *row.value)
    lines = (wrap(row.value, max(8, cells - labels)) or [""]) if cells else [row.value]
    return Content.assemble(label, (("\n" + " " * labels).join(lines), row.style))
