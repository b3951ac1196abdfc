"""Text from outside made safe to show: no controls, no escapes, measured in terminal cells."""

import ntpath
import os
import re

from rich.cells import cell_len, chop_cells, set_cell_size

from fwtui.core.paths import text_to_path
from fwtui.core.settings import OutputSettings

REPLACEMENT = "�"

# C0 and C1 controls, lone surrogates (undecodable names) and noncharacters.
_BROKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Line and paragraph breaks and tabs would tear a row apart.
_BREAKS = re.compile("\r\n|[\t\n\r\u2028\u2029]")
# Bidirectional overrides and isolates reorder what stands around them; the others are invisible.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_WINDOWS = re.compile(r"[A-Za-z]:\\|\\\\")
_MOST_COMBINING = re.compile("([\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff]{3})[\u0300-\u036f]+")


def clean(text: str) -> str:
    """`text` in one line that a terminal shows as it is; never raises."""
    if text.isascii() and text.isprintable():
        return text
    text = _BREAKS.sub(" ", text)
    text = _INVISIBLE.sub("", _BROKEN.sub(REPLACEMENT, text))
    return _MOST_COMBINING.sub(r"\1", text)


def width(text: str) -> int:
    """Cells that clean text takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, cells: int, ellipsis: str = "…") -> str:
    """Clean text cut or padded to exactly `cells`; what is cut off is marked."""
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


def base_name(path: str) -> str:
    """The file's name of a `path_to_text` path, of either system's kind; not cleaned."""
    if path.startswith("/"):  # a hundred thousand of them, at once
        return path.rpartition("/")[2]
    if path.startswith("\0"):
        return text_to_path(path).name
    if _WINDOWS.match(path):
        return ntpath.basename(path)
    return os.path.basename(path)  # noqa: PTH119


def shown_path(path: str) -> str:
    """A `path_to_text` path, cleaned, with the home folder as ~."""
    text = os.fspath(text_to_path(path)) if path.startswith("\0") else path
    home = os.path.expanduser("~")  # noqa: PTH111
    if home != "~" and text.startswith(home + os.sep):
        text = "~" + text[len(home) :]
    return clean(text)


def outputs_place(output: OutputSettings) -> str:
    """Where transcripts go, for people."""
    if output.output_layout == "source":
        return "beside the recordings"
    return shown_path(output.output_dir)
