"""The program's own themes, and the colours that it derives from other themes."""

from typing import NamedTuple

from textual.color import Color
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
    """How a piece of text looks: CSS variables of the theme for colour and ground, and style."""

    color: str = ""
    ground: str = ""
    bold: bool = False
    underline: bool = False


INKS = {
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
    "cursor": Ink(ground="cursor", bold=True),
    "cursor-away": Ink(ground="panel"),
}
"""The inks of the widgets that draw themselves, by name."""


def complete(variables: dict[str, str]) -> dict[str, str]:
    """CSS variables, with the program's own added where a theme lacks them."""
    background = Color.parse(variables["background"])
    foreground = Color.parse(variables["foreground"])
    primary = Color.parse(variables["primary"])
    derived = {
        "ink-dim": background.blend(foreground, 0.62).hex,
        "ink-faint": background.blend(foreground, 0.2).hex,
        "cursor": background.blend(primary, 0.22).hex,
    }
    return {**derived, **variables}
