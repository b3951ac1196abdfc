import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from fwtui.core.paths import path_to_text
from fwtui.tui.formatting import (
    base_name,
    clean,
    fit,
    fit_middle,
    fit_right,
    sentence,
    shown_path,
    width,
    wrap,
)

HOSTILE = (
    "[red]alarm[bold].mp3",
    "[/]",
    "\x1b[31mred\x1b[0m.wav",
    "two\nlines\r\n.mp3",
    "tab\there",
    "\x9b2J clear",
    "evil\u202egpj.exe",
    "zero\u200bwidth\ufeff",
    "会議の録音.mp3",
    "👩‍👩‍👧‍👦 family.mp4",
    "e" + "\u0301" * 200,
    "שלום עולם.mp3",
    "a" * 255,
    "\udcff\udcfe.mp3",
    "",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_become_one_printable_line(name: str) -> None:
    text = clean(name)
    assert not set(text) & {chr(code) for code in [*range(32), *range(0x7F, 0xA0)]}
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028")
    text.encode()
    for cells in (0, 1, 2, 7, 20, 60):
        assert width(fit(text, cells)) == cells
        assert width(fit_middle(text, cells)) == cells
        assert width(fit_right(text, cells)) == cells


@given(st.text(max_size=60), st.integers(0, 40))
def test_fitting_is_exact_for_any_text(text: str, cells: int) -> None:
    fitted = fit_middle(clean(text), cells)
    assert cell_len(fitted) == cells


@given(st.text(max_size=200), st.integers(2, 40))
def test_wrapped_lines_fit_and_lose_nothing(text: str, cells: int) -> None:
    shown = clean(text)
    lines = wrap(shown, cells)
    assert all(width(line) <= cells for line in lines)
    assert "".join("".join(lines).split()) == "".join(shown.split())


def test_sentences_begin_with_a_capital_but_names_stay() -> None:
    assert sentence("check that it plays") == "Check that it plays"
    for text in ("fwtui doctor checks it", "decoding.beam_size is 0", "--device cpu", ""):
        assert sentence(text) == text


def test_names_keep_their_ends() -> None:
    assert fit_middle("oral-history-tape-12-side-a.wav", 20) == "oral-histor…de-a.wav"


def test_base_names_of_both_systems() -> None:
    assert base_name("/data/talks/a.mp3") == "a.mp3"
    assert base_name("D:\\Audio\\file1.mp3") == "file1.mp3"
    assert base_name("/data/back\\slash.mp3") == "back\\slash.mp3"
    assert clean(base_name(path_to_text("/data/\udcff.mp3"))) == "\\udcff.mp3"


def test_home_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert shown_path("/home/ann/out/a.txt") == "~/out/a.txt"
    assert shown_path("/home/anna/a.txt") == "/home/anna/a.txt"
