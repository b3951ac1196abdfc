"""The pictures, short: a few screens in one size. All of them: `python -m tests.pictures`."""

import re
from pathlib import Path

import pytest

from tests.pictures.camera import svg
from tests.pictures.tour import demo_batch
from tests.pictures.walk import ScreenMissing, Walk, key_of, tmux_key

SIZE = (80, 24)


def test_every_word_of_a_picture_is_in_its_cell() -> None:
    picture = svg("\x1b[38;2;255;0;0m  会 a\nb & c\x1b[0m", (12, 2), "title")
    places = re.findall(r'x="([\d.]+)" y="[\d.]+" [^>]*>([^<]*)</text>', picture)
    assert [(float(x), text) for x, text in places if text.strip()] == [
        (24.4, "会"),
        (61.0, "a"),
        (0.0, "b"),
        (24.4, "&amp;"),
        (48.8, "c"),
    ]
    assert picture.count("#ff0000") == 1  # one colour, which goes on in the second line


@pytest.mark.parametrize(
    ("action", "key"),
    [("settings", ","), ("sessions", "C-o"), ("dialog_close", "Escape"), ("help", "?")],
)
def test_keys_have_their_names_in_tmux(action: str, key: str) -> None:
    assert tmux_key(key_of(action)) == key


@pytest.mark.terminal
def test_a_short_walk(tmp_path: Path) -> None:
    batch = demo_batch()
    walk = Walk(tmp_path, tmp_path / "pictures", SIZE, batch._replace(recordings=()))
    try:
        walk.start(*walk.options)
        walk.see("empty", "Nothing in the queue yet", "Quit", seconds=240)
        walk.visit("help", "help", "Keys", "Close")
        with pytest.raises(ScreenMissing, match="reports did not come up at 80x24: 'No such'"):
            walk.wait("reports", "No such", seconds=0)
    finally:
        walk.close()
    assert [path.name for path in walk.taken] == ["00-empty.svg", "01-help.svg"]
    assert all("</svg>" in path.read_text(encoding="utf-8") for path in walk.taken)
