"""What all applications under test have in common is made once."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from textual import constants
from textual.css.stylesheet import Stylesheet

from fwtui.config.locations import Locations
from fwtui.outputs.batch_history import HistoryStore


@pytest.fixture(scope="session", autouse=True)
def parsed_style_sheets() -> Iterator[dict[Any, list[Any]]]:
    """Let an application take rules that another one has made of the same text and variables.

    Textual keeps them for as long as an application lives; tests start hundreds, and a tenth of
    their time was parsing the same style sheets.
    """
    parse = Stylesheet._parse_rules
    known: dict[Any, list[Any]] = {}

    def parse_once(self: Stylesheet, *text: Any, **place: Any) -> list[Any]:
        key = (*text, *sorted(place.items()), *sorted(self._variables.items()))
        if key not in known:
            known[key] = parse(self, *text, **place)
        return known[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Stylesheet, "_parse_rules", parse_once)
        yield known


@pytest.fixture(autouse=True)
def all_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal of the tests shows every colour, whatever the tests are started in."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def no_animations(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is scrolled to is there at once, in this process and in programs that it starts."""
    monkeypatch.setattr(constants, "TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")


@pytest.fixture
def store() -> HistoryStore:
    """The history that the screen shows, without anything in it."""
    state = Locations.default().state
    state.mkdir(parents=True)
    return HistoryStore(state)


@pytest.fixture
def universal_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time zone of this machine, in which screens show times, is UTC."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "UTC")
        if hasattr(time, "tzset"):
            time.tzset()
        yield
    if hasattr(time, "tzset"):
        time.tzset()
