"""Pictures of a terminal: what tmux has captured, as SVG with every character in its cell."""

import io
import re

from rich.ansi import AnsiDecoder
from rich.cells import cell_len
from rich.console import Console

_RUN = re.compile(r'x="([\d.]+)"( y="[\d.]+") textLength="[\d.]+"([^>]*)>([^<]*)</text>')
_CHARACTER = re.compile(r"&[^;]+;|.", re.DOTALL)
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
    return _RUN.sub(_placed, console.export_svg(title=title))


def _placed(run: "re.Match[str]") -> str:
    """The run with a place for each character: not all viewers know `textLength`."""
    at, places, text = float(run[1]), [], ""
    for part in _CHARACTER.findall(run[4]):
        if part != _BLANK:
            places.append(f"{at:g}")
            text += part
        at += _CELL * (1 if part.startswith("&") else cell_len(part))
    return f'x="{" ".join(places)}"{run[2]}{run[3]}>{text}</text>'
