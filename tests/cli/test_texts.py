"""Words, languages, texts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwtui.cli.demo import accuracy, distance
from fwtui.core.languages import LANGUAGES, language_code
from fwtui.core.text import cells, clipped, clock, subtitle_time


@pytest.mark.parametrize(
    ("expected", "found", "share"),
    [
        ("one two three four", "One, two: three. FOUR!", 1.0),
        ("one two three four", "one two tree four", 0.75),
        ("one two three four", "one two four", 0.75),
        ("one two", "one two three", 0.5),
        ("one", "a b c d", 0.0),
        ("one two", "", 0.0),
        ("", "", 1.0),
        ("", "one", 0.0),
        ("fünf zwölf", "FÜNF zwolf", 0.5),
    ],
)
def test_accuracy_is_one_minus_the_word_error_rate(expected: str, found: str, share: float) -> None:
    assert accuracy(expected, found) == pytest.approx(share)


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_the_distance_is_a_metric(left: list[str], right: list[str]) -> None:
    assert distance(left, right) == distance(right, left)
    assert (distance(left, right) == 0) is (left == right)
    assert abs(len(left) - len(right)) <= distance(left, right) <= max(len(left), len(right))


def test_languages() -> None:
    assert len(LANGUAGES) == 100
    assert list(LANGUAGES)[:3] == ["en", "zh", "de"]
    for code, name in LANGUAGES.items():
        assert language_code(code) == language_code(name.title()) == code
    assert language_code("klingon") is None


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00"),
        (-0.4, "0:00"),
        (59.6, "1:00"),
        (3599, "59:59"),
        (3725, "1:02:05"),
        (36001, "10:00:01"),
        (-1, ""),
        (math.nan, ""),
        (math.inf, ""),
    ],
)
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_subtitle_time() -> None:
    assert subtitle_time(59.9996) == "01:00.000"
    assert subtitle_time(3600.25) == "01:00:00.250"


@given(st.text(max_size=40), st.integers(0, 50))
def test_clipped_text_fits_and_keeps_what_fits(text: str, width: int) -> None:
    assert cells(clipped(text, width)) <= width
    if cells(text) <= width:
        assert clipped(text, width) == text
