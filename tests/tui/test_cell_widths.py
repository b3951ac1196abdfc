"""What is shown has the width that terminals count, whatever characters files and texts have."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich import cells
from rich.cells import cell_len, get_character_cell_size

from fwtui.core.events import Phase
from fwtui.core.text import agreed, printable
from fwtui.core.text import cells as columns
from fwtui.tui import rows
from fwtui.tui.cell_widths import use_terminal_widths
from fwtui.tui.formatting import clean, elapsed, fit, fit_left, fit_middle, width
from fwtui.tui.glyphs import UNICODE
from tests.tui.fakes import completed, job

CLUSTERS = {
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "scientist": "\U0001f469\U0001f3fd\u200d\U0001f52c",
    "skin tone": "\U0001f44d\U0001f3fe",
    "tone alone": "\U0001f3fb",
    "heart": "\u2764\ufe0f",
    "heart on fire": "\u2764\ufe0f\u200d\U0001f525",
    "text style": "\u2764\ufe0e",
    "keycap": "1\ufe0f\u20e3",
    "flag": "\U0001f1e9\U0001f1ea",
    "half a flag": "\U0001f1e9",
    "flag of England": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "Hindi": "\u0939\u093f\u0928\u094d\u0926\u0940",
    "Hindi with a joiner": "\u0915\u094d\u200d\u0937",
    "Tamil": "\u0ba4\u0bae\u0bbf\u0bb4\u0bcd",
    "Burmese": "\u1019\u103c\u1014\u103a\u1019\u102c",
    "Persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Korean in parts": "\u1112\u1161\u11ab",
    "filler": "\u3164\uffa0",
    "variant": "\u845b\U000e0100",
    "hexagram": "\u4dc0",
    "trigram": "\u2630",
    "circled": "\u3248",
    "rod": "\U0001d360",
    "not assigned": "\u0378\U0001fae9",
    "joiner alone": "\u200d",
    "selector alone": "\ufe0f",
    "enclosed": "a\u20dd",
}


def counted(text: str) -> int:
    """Cells as a terminal counts them that knows characters only, such as tmux 3.3a."""
    total = 0
    for sign in text:
        if unicodedata.category(sign) in {"Mn", "Me", "Cf"}:
            continue
        if "\u1160" <= sign <= "\u11ff" or "\ud7b0" <= sign <= "\ud7ff":
            continue
        is_wide = unicodedata.east_asian_width(sign) in "WF" or "\u4dc0" <= sign <= "\u4dff"
        total += 2 if is_wide else 1
    return total


@pytest.fixture(autouse=True)
def in_tmux() -> None:
    use_terminal_widths({"TMUX": "/tmp/x", "TERM": "tmux-256color"})


# Everything, with much of what is special.
SIGNS = st.one_of(
    st.characters(),
    st.sampled_from("".join(CLUSTERS.values())),
    st.characters(categories=["Mc", "Mn", "Me", "Cf", "So", "Sk", "No"]),
    st.sampled_from("ab 1.\u4f1a\uac00"),
)
TEXTS = st.one_of(
    st.text(SIGNS, max_size=30),
    st.lists(st.sampled_from(tuple(CLUSTERS.values())), max_size=6).map("".join),
)


@pytest.mark.parametrize("text", CLUSTERS.values(), ids=CLUSTERS)
def test_no_cluster_is_counted_otherwise(text: str) -> None:
    for around in (text, f"a{text}b", f"{text}{text}", f"\u4f1a{text}"):
        shown = clean(around)
        assert width(shown) == counted(shown) == columns(shown)


@given(TEXTS)
def test_what_is_cleaned_is_counted_alike(text: str) -> None:
    shown = clean(text)
    assert width(shown) == counted(shown) == sum(map(get_character_cell_size, shown))
    assert clean(shown) == shown
    plain = agreed(printable(text))
    assert columns(plain) == counted(plain)


@given(TEXTS, st.integers(1, 40))
def test_what_is_cut_is_as_wide_as_it_should_be(text: str, cells: int) -> None:
    shown = clean(text)
    for made in (fit, fit_middle, fit_left):
        assert counted(made(shown, cells)) == cells


@given(TEXTS, st.sampled_from((24, 46, 73, 120, 200)))
def test_a_row_is_as_wide_as_its_columns(name: str, cells: int) -> None:
    cols = rows.columns(cells)
    one = job(1, path=f"/data/{name or 'x'}")
    drawn = rows.row(one, None, Phase.IDLE, cols, UNICODE, selected=False)
    shown = "".join(text for text, _ in drawn)
    assert counted(shown) == cell_len(shown) == 4 + cols.name + cols.length + cols.result


def test_every_character_is_counted_alike() -> None:
    wrong = [
        hex(code)
        for code in (*range(0xA0, 0xD800), *range(0xE000, 0x32000), *range(0xE0000, 0xE0200))
        if width(shown := clean(chr(code))) != counted(shown)
    ]
    assert wrong == []


def test_clusters_stay_readable() -> None:
    shown = {name: clean(text) for name, text in CLUSTERS.items()}
    assert shown["family"] == "\U0001f468"
    assert shown["scientist"] == "\U0001f469"
    assert shown["heart on fire"] == shown["heart"] == "\u2764"
    assert (shown["keycap"], shown["flag"]) == ("1", "DE")
    assert shown["Hindi"] == CLUSTERS["Hindi"], "vowel signs are no clusters"
    assert shown["Tamil"] == CLUSTERS["Tamil"]
    assert shown["Persian"] == CLUSTERS["Persian"]


def test_terminals_that_are_known_to_count_marks_as_nothing_are_believed() -> None:
    table = vars(cells)["load_cell_table"]
    use_terminal_widths({"TERM": "xterm-kitty"})
    assert cell_len("\u093e") == 0
    use_terminal_widths({"TERM": "xterm-kitty", "TMUX": "x"})
    assert cell_len("\u093e") == 1
    use_terminal_widths({"TERM": "xterm-256color"})
    assert cell_len("\u093e") == 1
    assert vars(cells)["load_cell_table"] is table


@pytest.mark.parametrize("cells", range(24, 300))
def test_the_name_is_the_widest_column(cells: int) -> None:
    cols = rows.columns(cells)
    assert cols.name > max(cols.length, cols.progress, cols.speed, cols.time) or cells < 30
    assert 5 + cols.name + cols.length + cols.result == cells


def test_times_of_all_lengths_fit_their_column() -> None:
    cols = rows.columns(120)
    for seconds in (0.5, 59.0, 600.0, 3599.0, 3600.0, 36_000.0, 359_999.0):
        state = completed(work=seconds)
        drawn = rows.row(job(1, state=state), None, Phase.IDLE, cols, UNICODE, selected=False)
        assert elapsed(seconds) in drawn[-1][0]
        assert drawn[-1][0].startswith(" ")


@given(TEXTS, st.integers(12, 40))
def test_what_is_cut_at_the_left_keeps_its_end(text: str, cells: int) -> None:
    shown = clean(f"/a/long/folder/of/some/depth/{text}/talk.mp3")
    assert fit_left(shown, cells).rstrip().endswith("/talk.mp3")
    assert fit_left(shown, cells).startswith("\u2026") is (width(shown) > cells)
