import pytest

from fwtui.core.text import cells, printable


@pytest.mark.parametrize(
    ("text", "shown", "width"),
    [
        ("plain name.mp3", "plain name.mp3", 14),
        ("a\tb\x1b[0m", "a\\x09b\\x1b[0m", 13),
        ("\u202eevil", "\\u202eevil", 10),
        ("\udcff", "\\udcff", 6),
        ("日本語", "日本語", 6),
        ("e\u0301", "e\u0301", 1),
        ("क्\u200dष", "क्\u200dष", 2),
    ],
)
def test_text_from_outside(text: str, shown: str, width: int) -> None:
    assert printable(text) == shown
    assert cells(printable(text)) == width
