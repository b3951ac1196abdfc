"""Pictures of a terminal: what tmux has captured, as SVG with every character in its cell."""

import io
import re

from rich.ansi import AnsiDecoder
from rich.cells import cell_len
from rich.console import Console

_RUN = re.compile(
    r'(<text[^>]*) x="([\d.]+)"( y="[\d.]+") textLength="[\d.]+"([^>]*)>([^<]*)</text>'
)
_WORD = re.compile(r"(?:&#160;)+|(?:(?!&#160;).)+", re.DOTALL)
_ENTITY = re.compile(r"&[^;]+;")
_BLANK = "&#160;"
_CELL = 12.2  # rich's width of a cell


def svg(painted: str, size: tuple[int, int], title: str) -> str:
    """A picture of escape sequences, as large as the terminal."""
    cells, lines = size
    console = Console(
        width=cells, height=lines, record=True, color_system="truecolor", file=io.StringIO()
    )
    decoder = AnsiDecoder()  # colours go on from line to line
    for line in painted.split("\n")[:lines]:
        console.print(decoder.decode_line(line), no_wrap=True, crop=True, highlight=False)
    return _RUN.sub(_words, console.export_svg(title=title))


def _words(run: "re.Match[str]") -> str:
    """The run with a place for each word: not all viewers know `textLength`."""
    at, words = float(run[2]), []
    for word in _WORD.findall(run[5]):
        cells = cell_len(_ENTITY.sub(" ", word))
        if not word.startswith(_BLANK):
            words.append(f'{run[1]} x="{at:g}"{run[3]}{run[4]}>{word}</text>')
        at += _CELL * cells
    return "".join(words)
