"""The program's own themes, and the colours that it derives from other themes."""

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color, ColorParseError, rgb_to_lab
from textual.theme import Theme

DARK = Theme(
    name="fwtui-dark",
    dark=True,
    background="#12161c",
    surface="#171c24",
    panel="#1f2630",
    foreground="#d5dbe5",
    primary="#7fb2e5",
    secondary="#5f7fa3",
    accent="#7cc5b5",
    success="#8cc98a",
    warning="#e2b866",
    error="#ee8680",
    variables={"ink-dim": "#8f9bac", "ink-faint": "#3a4452", "cursor": "#26354a"},
)

LIGHT = Theme(
    name="fwtui-light",
    dark=False,
    background="#f4f5f2",
    surface="#fbfbf9",
    panel="#e8eae6",
    foreground="#22282f",
    primary="#1f5fa8",
    secondary="#5a7594",
    accent="#0b6e63",
    success="#23702a",
    warning="#8a5a00",
    error="#b3261e",
    variables={"ink-dim": "#5b6570", "ink-faint": "#c3c8cc", "cursor": "#d7e4f3"},
)

THEMES = (DARK, LIGHT)


class Ink(NamedTuple):
    """How a piece of text looks: CSS variables of the theme for colour and ground, and style.

    `reverse`: its colour is the ground, which needs no colours to be seen.
    """

    color: str = ""
    ground: str = ""
    bold: bool = False
    underline: bool = False
    reverse: bool = False


SPEAKER_INKS = tuple(f"speaker-{number}" for number in range(1, 7))
"""The colours of speakers, in turn; there are six that can be told apart in 16 colours."""

INKS = {
    **{name: Ink(name, bold=True) for name in SPEAKER_INKS},
    "plain": Ink("foreground"),
    "strong": Ink("foreground", bold=True),
    "dim": Ink("ink-dim"),
    "faint": Ink("ink-faint"),
    "primary": Ink("primary"),
    "accent": Ink("accent"),
    "good": Ink("success"),
    "warn": Ink("warning"),
    "bad": Ink("error", bold=True),
    "key": Ink("primary", bold=True),
    "curve": Ink("secondary"),
    "unsure": Ink("warning"),
    "doubtful": Ink("error", underline=True),
    "hit": Ink("warning", reverse=True),
    "hit-here": Ink("primary", bold=True, underline=True, reverse=True),
    "cursor": Ink(ground="cursor", bold=True),
    "cursor-away": Ink(ground="panel"),
}
"""The inks of the widgets that draw themselves, by name."""


TEXT_INKS = (
    *("foreground", "ink-dim", "primary", "accent", "success", "warning", "error"),
    *SPEAKER_INKS,
)
GROUNDS = ("background", "surface", "panel")
CONTRAST = 4.5  # of text to its ground, at least: WCAG 2.2, 1.4.3
_STEPS = 20


def complete(variables: dict[str, str], depth: str | None = None) -> dict[str, str]:
    """CSS variables, with the program's own added where a theme lacks them, for a colour depth.

    `depth`: the terminal's, as Rich names it. All text can be read on all grounds.
    """
    background = Color.parse(variables["background"])
    foreground = Color.parse(variables["foreground"])
    primary = Color.parse(variables["primary"])
    derived = {
        "ink-dim": background.blend(foreground, 0.62).hex,
        "ink-faint": background.blend(foreground, 0.2).hex,
        "cursor": background.blend(primary, 0.22).hex,
    }
    speakers = _SPEAKERS_ON_DARK if background.brightness < 0.5 else _SPEAKERS_ON_LIGHT
    found = derived | dict(zip(SPEAKER_INKS, speakers, strict=True)) | variables
    if depth == "256":
        found |= {name: _fitted(value) for name, value in found.items()}
    elif depth == "standard":
        found |= _ON_BLACK if background.brightness < 0.5 else _ON_WHITE
    if found["cursor"] == found["background"]:
        found["cursor"] = _apart(Color.parse(found["background"])).hex
    grounds = [Color.parse(found[name]) for name in GROUNDS]
    for name in TEXT_INKS:
        ink = Color.parse(found[name])
        if (shown := readable(ink, grounds, depth)) != ink:
            found[name] = shown.hex
    return found


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG defines it."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def readable(ink: Color, grounds: Sequence[Color], depth: str | None = None) -> Color:
    """The ink, or the colour nearest to it that can be read on all these grounds."""
    shown = [as_shown(ground, depth) for ground in grounds]

    def worst(color: Color) -> float:
        return min(contrast(as_shown(color, depth), ground) for ground in shown)

    if worst(ink) >= CONTRAST:
        return ink
    if depth == "256":
        good = [color for color in _xterm_palette() if worst(color) >= CONTRAST]
        return _nearest(ink, good) if good else max(_xterm_palette(), key=worst)
    end = max((Color(0, 0, 0), Color(255, 255, 255)), key=worst)
    shades = (ink.blend(end, step / _STEPS) for step in range(1, _STEPS + 1))
    return next((shade for shade in shades if worst(shade) >= CONTRAST), end)


@cache
def as_shown(color: Color, depth: str | None) -> Color:
    """The colour that a terminal shows: with 256 colours, the one that Rich chooses."""
    if depth != "256":
        return color
    triplet = RichColor.from_rgb(*color.rgb).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
    return Color(triplet.red, triplet.green, triplet.blue)


def _luminance(color: Color) -> float:
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in color.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@cache
def _fitted(value: str) -> str:
    """The nearest of the 256 colours; what is no opaque colour stays."""
    try:
        color = Color.parse(value)
    except ColorParseError:
        return value
    return value if color.a < 1 or color.ansi is not None else _nearest(color, _xterm_palette()).hex


def _nearest(color: Color, palette: Sequence[Color]) -> Color:
    """By what the eye sees, unlike Rich, for which a dark bluish grey is navy."""
    lightness, a, b = _lab(color)

    def distance(other: Color) -> float:
        other_lightness, other_a, other_b = _lab(other)
        return (lightness - other_lightness) ** 2 + (a - other_a) ** 2 + (b - other_b) ** 2

    return min(palette, key=distance)


@cache
def _lab(color: Color) -> tuple[float, float, float]:
    lab = rgb_to_lab(color)
    return lab.L, lab.a, lab.b


def _apart(ground: Color) -> Color:
    """The colour nearest to a ground that differs visibly from it."""
    return _nearest(
        ground, [color for color in _xterm_palette() if contrast(color, ground) >= 1.25]
    )


@cache
def _xterm_palette() -> tuple[Color, ...]:
    """The cube of 216 colours, and the ramp of greys, which Rich sends in the place of its own."""
    levels = product((0, 95, 135, 175, 215, 255), repeat=3)
    cube = (Color(red, green, blue) for red, green, blue in levels)
    ramp = (as_shown(Color(shade, shade, shade), "256") for shade in range(0, 256, 5))
    return (*dict.fromkeys(ramp), *(color for color in cube if color.hsl.s >= 0.15))


# Blue, amber, green, violet, red, turquoise.
_SPEAKERS_ON_DARK = ("#7fb2e5", "#e2b866", "#8cc98a", "#d39be0", "#ee8680", "#63cfcf")
_SPEAKERS_ON_LIGHT = ("#1f5fa8", "#8a5a00", "#23702a", "#7d3c9b", "#b3261e", "#0a6a72")

# The 16 colours as Rich takes them to be: no terminal is asked for its own.
_ON_BLACK = {
    **dict.fromkeys(GROUNDS, "#000000"),
    "cursor": "#0000AA",
    "foreground": "#FFFFFF",
    "ink-dim": "#AAAAAA",
    "primary": "#55FFFF",
    "secondary": "#00AAAA",
    "accent": "#00AAAA",
    "success": "#55FF55",
    "warning": "#FFFF55",
    "error": "#FF5555",
    "ink-faint": "#555555",
    **dict(
        zip(
            SPEAKER_INKS,
            ("#55FFFF", "#FFFF55", "#55FF55", "#FF55FF", "#FF5555", "#00AAAA"),
            strict=True,
        )
    ),
}
_ON_WHITE = {
    **dict.fromkeys(GROUNDS, "#FFFFFF"),
    "cursor": "#AAAAAA",
    "foreground": "#000000",
    "ink-dim": "#555555",
    "primary": "#0000AA",
    "secondary": "#0000AA",
    "accent": "#AA00AA",
    "success": "#555555",
    "warning": "#AA5500",
    "error": "#AA0000",
    "ink-faint": "#AAAAAA",
    **dict(
        zip(
            SPEAKER_INKS,
            ("#0000AA", "#AA5500", "#AA00AA", "#AA0000", "#555555", "#000000"),
            strict=True,
        )
    ),
}
