"""All text can be read: in every theme, with every number of colours that a terminal has."""

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from fwtui.tui.theme import (
    CONTRAST,
    GROUNDS,
    TEXT_INKS,
    THEMES,
    as_shown,
    complete,
    contrast,
    readable,
)

DEPTHS = ("truecolor", "256", "standard")
ALL = [*THEMES, *(theme for theme in BUILTIN_THEMES.values() if "ansi" not in theme.name)]


def variables(theme: Theme, depth: str) -> dict[str, str]:
    return complete(theme.to_color_system().generate() | theme.variables, depth)


def test_contrast_is_that_of_the_standard() -> None:
    black, white = Color(0, 0, 0), Color(255, 255, 255)
    assert contrast(black, white) == contrast(white, black) == pytest.approx(21.0)
    assert contrast(Color.parse("#767676"), white) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("theme", ALL, ids=lambda theme: theme.name)
def test_every_ink_can_be_read_on_every_ground(theme: Theme, depth: str) -> None:
    found = variables(theme, depth)
    for ground in GROUNDS:
        for ink in TEXT_INKS:
            ratio = contrast(*(as_shown(Color.parse(found[name]), depth) for name in (ink, ground)))
            assert ratio >= CONTRAST, f"{ink} on {ground}: {ratio:.1f}"


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("theme", ALL, ids=lambda theme: theme.name)
def test_the_cursor_is_seen_and_its_row_can_be_read(theme: Theme, depth: str) -> None:
    found = variables(theme, depth)
    cursor = as_shown(Color.parse(found["cursor"]), depth)
    assert cursor != as_shown(Color.parse(found["background"]), depth)
    for ink in TEXT_INKS:
        shown = as_shown(readable(Color.parse(found[ink]), [cursor], depth), depth)
        assert contrast(shown, cursor) >= CONTRAST, ink


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_grounds_keep_their_tone_with_256_colours(theme: Theme) -> None:
    """Greys that are slightly blue are not sent as navy or teal."""
    found = variables(theme, "256")
    for ground in GROUNDS:
        assert as_shown(Color.parse(found[ground]), "256").hsl.s < 0.15, ground
