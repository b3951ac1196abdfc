"""Names made safe to show, natural order, and amounts of memory."""

from pathlib import Path

import pytest

from fwtui.core.text import (
    Amount,
    cells,
    display_name,
    in_natural_order,
    parse_amount,
    printable,
    valid_unicode,
    without_name,
)


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


def test_names_in_messages_are_valid_unicode_and_the_same_everywhere() -> None:
    name = "caf\udce9.mp3"
    assert valid_unicode(name) == display_name(Path("/media", name)) == printable(name)
    assert valid_unicode("\x1b[31m é") == "\x1b[31m é"


@pytest.mark.parametrize(
    "ordered",
    [
        [],
        ["9", "10", "a1b", "A2", "a10", "b"],
        ["part 1", "part 2", "part 10"],
        ["take 2 of 10", "take 10 of 9", "take 10 of 10"],
        ["20240101", "20240101120000", "20240101120001"],
        ["A", "a", "b"],
        ["x 9" + "0" * 20, "x 1" + "0" * 22],
        ["01", "1", "001a", "2"],
        ["\u0663", "\u0664b", "\u0661\u0660"],
        ["2\udcff", "10\udcff"],
        [f"part-{number}.mp3" for number in range(1, 2000)],
    ],
)
def test_numbers_count_as_numbers(ordered: list[str]) -> None:
    assert in_natural_order(reversed(ordered)) == ordered
    assert in_natural_order(ordered) == ordered


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12GB", Amount(12288)),
        ("1.5 g", Amount(1536)),
        (" 900MiB ", Amount(900)),
        ("2048K", Amount(2)),
        ("1TB", Amount(2**20)),
        ("1048576B", Amount(1)),
        ("80%", Amount(80, is_share=True)),
        ("100 %", Amount(100, is_share=True)),
        ("off", None),
        ("None", None),
        ("", None),
    ],
)
def test_amounts(text: str, amount: Amount | None) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize("text", "12 GB -1GB 101% 0% 0MB 1e3MB 12GBs many".split())
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        parse_amount(text)


def test_a_share_is_of_a_whole() -> None:
    assert (Amount(25, is_share=True).of(800), Amount(300).of(800)) == (200, 300)


def test_titles_without_the_name_of_the_file() -> None:
    assert without_name("File not found: a.mp3", "a.mp3") == "File not found"
    assert without_name("a.mp3 has more than 20 hours of audio", "a.mp3").startswith("has more")
    assert without_name("a.mp3: bad", "a.mp3") == "bad"
    for title in ("a.mp3", "a.mp3x is bad", "Out of memory", "in a.mp3"):
        assert without_name(title, "a.mp3") == title
