"""Corrections, tidying, sentences: what they change, and that words keep their times."""

from pathlib import Path

import pytest

from fwtui.config.validate import load_replacements, parse_replacements
from fwtui.core.segment import Segment, Transcript
from fwtui.core.settings import OutputSettings
from fwtui.errors import ConfigError
from fwtui.outputs.formats.edit import edited
from tests.outputs.cases import CASES, segment, spoken


def texts(output: OutputSettings, *segments: Segment, rules: str = "") -> list[str]:
    transcript = Transcript("en", segments)
    return [s.text for s in edited(transcript, output, parse_replacements(rules)).segments]


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_touched_unless_it_is_asked_for(case: str) -> None:
    assert edited(CASES[case], OutputSettings()) is CASES[case]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (" we use open ai.", " we use OpenAI."),
        (" OPEN   AI and Open\nAi", " OpenAI and OpenAI"),
        (" reopen ais, open aim", " reopen ais, open aim"),  # whole words only
        (" a.b c", " x c"),
        (" a1b", " a1b"),  # a dot is a dot
        (" um, yes", " , yes"),
        (" 我们说你好吗", " 我们说您好吗"),
    ],
)
def test_corrections(text: str, right: str) -> None:
    rules = "# names\nopen ai => OpenAI\n\na.b=>x\num =>\n你好 => 您好\n"
    assert texts(OutputSettings(), segment(0, 1, text), rules=rules) == [right]


def test_a_correction_over_several_words_keeps_their_times() -> None:
    said = spoken(0.0, " we", " use", " open", " ai,", " open", "-", "ly", " open ai open ai")
    transcript = Transcript("en", (said,))
    (after,) = edited(
        transcript, OutputSettings(), parse_replacements("open ai => OpenAI")
    ).segments
    assert after.words is not None
    assert after.text == "".join(word.word for word in after.words)
    assert [(word.word, word.start, word.end) for word in after.words] == [
        (" we", 0.0, 0.5),
        (" use", 0.5, 1.0),
        (" OpenAI,", 1.0, 2.0),
        (" open", 2.0, 2.5),
        ("-", 2.5, 3.0),
        ("ly", 3.0, 3.5),
        (" OpenAI OpenAI", 3.5, 4.0),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"right\n", "line 1"), (b"a => b\n => c", "line 2"), (b"\xff\xfe", "UTF-8")],
)
def test_a_file_that_cannot_be_used_is_named(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        load_replacements(file)
    assert str(file) in caught.value.title
    with pytest.raises(ConfigError, match="No such file"):
        load_replacements(tmp_path / "none")


def test_tidying() -> None:
    tidy = OutputSettings(tidy_text=True)
    found = texts(
        tidy,
        segment(0, 1, " hello   there , e.g. this"),
        segment(1, 2, " goes on. 3.5 is not an end. “so” it is"),
        spoken(3, " it", " ends", " .", " élan", " is"),
    )
    assert found == [
        " Hello there, e.g. this",
        " goes on. 3.5 is not an end. “So” it is",
        " it ends. Élan is",
    ]


def test_sentences() -> None:
    said = (
        segment(0.0, 2.0, " We go"),
        segment(2.0, 3.0, " home."),
        segment(3.0, 4.0, " “Really?”"),
        segment(4.0, 5.0, " No end"),
        segment(8.0, 9.0, " after a pause"),
    )
    after = edited(Transcript("en", said), OutputSettings(join_sentences=True)).segments
    assert [(s.id, s.start, s.end, s.text) for s in after] == [
        (1, 0.0, 3.0, " We go home."),
        (2, 3.0, 4.0, " “Really?”"),
        (3, 4.0, 5.0, " No end"),
        (4, 8.0, 9.0, " after a pause"),
    ]
    assert after[0].tokens == said[0].tokens + said[1].tokens


def test_joined_words_stay_words_and_a_long_sentence_is_cut() -> None:
    words = (spoken(0.0, " a", " b"), spoken(1.0, " c."))
    (after,) = edited(Transcript("en", words), OutputSettings(join_sentences=True)).segments
    assert [word.word for word in after.words or ()] == [" a", " b", " c."]
    endless = [segment(10.0 * i, 10.0 * i + 10, " and so on") for i in range(7)]
    found = edited(Transcript("en", tuple(endless)), OutputSettings(join_sentences=True)).segments
    assert [s.end - s.start for s in found] == [30.0, 30.0, 10.0]
