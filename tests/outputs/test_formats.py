"""What the goldens cannot say: hostile text, streaming, times, and our own txt format."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fwtui.core.segment import Segment, Transcript, Word
from fwtui.core.settings import OutputFormat, OutputSettings
from fwtui.core.speakers import Turn
from fwtui.outputs.formats.layout import milliseconds, timestamp
from fwtui.outputs.formats.registry import FORMATS, formats, render
from tests.outputs.cases import CASES, generated, segment, spoken

TEXT_FORMATS = tuple(name for name in FORMATS if name != "docx")  # that is a zip, made as a whole
TIMES = st.floats(allow_nan=True, allow_infinity=True)
TEXTS = st.text(max_size=12) | st.text(alphabet="a \n\r\t->\ud800", max_size=12)
WORDS = st.builds(Word, TIMES, TIMES, TEXTS, st.floats(0, 1))
SEGMENTS = st.builds(
    Segment,
    id=st.integers(0, 9),
    seek=st.integers(0, 9),
    start=TIMES,
    end=TIMES,
    text=TEXTS,
    tokens=st.tuples(st.integers(0, 9)),
    avg_logprob=st.floats(),
    compression_ratio=st.floats(),
    no_speech_prob=st.floats(),
    words=st.none() | st.lists(WORDS, max_size=5).map(tuple),
    temperature=st.none() | st.floats(0, 1),
)
TRANSCRIPTS = st.builds(Transcript, st.just("en"), st.lists(SEGMENTS, max_size=4).map(tuple))
LIMITS = st.none() | st.integers(1, 6)
SETTINGS = st.builds(
    OutputSettings,
    pretty_json=st.booleans(),
    highlight_words=st.booleans(),
    max_line_width=LIMITS,
    max_line_count=LIMITS,
    max_words_per_line=LIMITS,
    add_timestamps=st.booleans(),
)


def text_of(transcript: Transcript, name: str, settings: OutputSettings | None = None) -> str:
    return b"".join(render(transcript, name, settings or OutputSettings())).decode()


def test_formats() -> None:
    assert formats(OutputSettings()) == ("txt", "vtt", "srt", "tsv", "json")
    assert set(formats(OutputSettings())) < set(FORMATS)
    assert formats(OutputSettings(output_format="srt")) == ("srt",)


@pytest.mark.parametrize(
    ("first", "more", "expected"),
    [
        ("srt", "vtt", "srt vtt"),
        ("srt", " VTT , srt,lrc", "srt vtt lrc"),
        ("lrc", "all", "lrc txt vtt srt tsv json"),
        ("all", "docx,json", "txt vtt srt tsv json docx"),
        ("srt", "", "srt"),
        ("srt", "nonsense,,md", "srt md"),  # of a session that somebody has edited
    ],
)
def test_several_formats(first: OutputFormat, more: str, expected: str) -> None:
    settings = OutputSettings(output_format=first, more_formats=more)
    assert formats(settings) == tuple(expected.split())


@pytest.mark.parametrize(
    ("seconds", "hours", "expected"),
    [
        (0.0, False, "00:00.000"),
        (59.9996, False, "01:00.000"),
        (0.0005, False, "00:00.000"),
        (0.0015, False, "00:00.002"),
        (3599.9996, False, "01:00:00.000"),
        (61.5, True, "00:01:01.500"),
        (360000.0, True, "100:00:00.000"),
        (-1.0, False, "00:00.000"),
        (math.nan, False, "00:00.000"),
        (math.inf, False, "00:00.000"),
    ],
)
def test_timestamp(seconds: float, hours: bool, expected: str) -> None:
    assert timestamp(milliseconds(seconds), hours=hours, marker=".") == expected


OURS = Transcript(
    "en",
    (
        segment(0.0, 2.0, ' =1, "quoted" {text}'),
        segment(5.128, 7.5, " *more*\n\nof it "),
        segment(3661.999, 3664.0, "the end\\N"),
    ),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "lrc",
            '[00:00.00]=1, "quoted" {text}\n[00:05.12]*more* of it\n[61:01.99]the end\\N\n',
        ),
        (
            "csv",
            "start,end,text\r\n"
            '0.000,2.000,"\'=1, ""quoted"" {text}"\r\n'
            "5.128,7.500,*more* of it\r\n"
            "3661.999,3664.000,the end\\N\r\n",
        ),
        (
            "md",
            '**0:00:00** =1, "quoted" \\{text\\}\n\n'
            "**0:00:05** \\*more\\* of it\n\n"
            "**1:01:01** the end\\\\N\n",
        ),
    ],
)
def test_our_own_formats(name: str, expected: str) -> None:
    assert text_of(OURS, name) == expected


def test_ass_is_subtitles_whose_text_is_no_command() -> None:
    header, _, events = text_of(OURS, "ass").partition("[Events]\n")
    assert header.startswith("[Script Info]\nScriptType: v4.00+\n")
    assert events.splitlines()[1:] == [
        'Dialogue: 0,0:00:00.00,0:00:02.00,Default,,0,0,0,,=1, "quoted" (text)',
        "Dialogue: 0,0:00:05.12,0:00:07.50,Default,,0,0,0,,*more*\\Nof it",
        "Dialogue: 0,1:01:01.99,1:01:04.00,Default,,0,0,0,,the end\u29f5N",
    ]


def test_ass_highlights_words() -> None:
    said = spoken(0.0, " {a", " b")
    lines = text_of(Transcript("en", (said,)), "ass", OutputSettings(highlight_words=True))
    assert [line.rpartition(",,")[2] for line in lines.splitlines()[-2:]] == [
        "{\\u1}(a{\\u0} b",
        "(a {\\u1}b{\\u0}",
    ]


def test_txt_with_timestamps() -> None:
    transcript = Transcript(
        "en", (segment(0.0, 2.0, " text"), segment(3599.5, 3601.0, " more\n\nof it "))
    )
    assert text_of(transcript, "txt", OutputSettings(add_timestamps=True)) == (
        "[00:00.000 --> 00:02.000] text\n[59:59.500 --> 01:00:01.000] more of it\n"
    )


def test_line_breaks_in_a_text_stay_inside_their_subtitle() -> None:
    transcript = Transcript("en", (segment(0.0, 1.0, " a\r\n \n\nb\nc\rd "),))
    assert text_of(transcript, "srt") == "1\n00:00:00,000 --> 00:00:01,000\na\nb\nc\nd\n\n"


def test_line_breaks_in_words_stay_inside_their_subtitle() -> None:
    transcript = Transcript("en", (spoken(0.0, " a", "\n\n", "b"),))
    assert text_of(transcript, "vtt") == "WEBVTT\n\n00:00.000 --> 00:01.500\na\nb\n\n"


def test_a_tsv_row_is_one_line() -> None:
    transcript = Transcript("en", (segment(0.0, 1.0, " a\tb\r\n\nc\rd"),))
    assert text_of(transcript, "tsv") == "start\tend\ttext\n0\t1000\ta b c d\n"


@given(transcript=TRANSCRIPTS, settings=SETTINGS)
def test_any_transcript_can_be_written(transcript: Transcript, settings: OutputSettings) -> None:
    for name in TEXT_FORMATS:
        assert b"".join(render(transcript, name, settings)).decode() is not None
    rows = b"".join(render(transcript, "tsv", settings)).split(b"\n")
    assert len(rows) == len(transcript.segments) + 2
    assert all(row.count(b"\t") == 2 for row in rows[:-1])


@given(transcript=TRANSCRIPTS, pretty=st.booleans())
def test_json_is_what_python_would_write_in_one_go(transcript: Transcript, pretty: bool) -> None:
    written = b"".join(render(transcript, "json", OutputSettings(pretty_json=pretty)))
    data = json.loads(written)
    again = json.dumps(data, indent=4, ensure_ascii=False) if pretty else json.dumps(data)
    assert written == again.encode(errors="replace")
    assert list(data) == ["text", "segments", "language"]


@given(transcript=TRANSCRIPTS, settings=SETTINGS)
def test_srt_has_as_many_blocks_as_numbers(
    transcript: Transcript, settings: OutputSettings
) -> None:
    """No text, whatever is in it, can end a subtitle before its last line."""
    blocks = text_of(transcript, "srt", settings).split("\n\n")
    numbered = [block for block in blocks if block.strip()]
    for number, block in enumerate(numbered, start=1):
        assert block.strip("\n").split("\n")[0] == str(number)


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_writers_stream(name: str) -> None:
    turns = tuple(Turn(at, at + 1, 0) for at in range(200))
    speech = replace(generated(3, 300), turns=turns, labels={0: "A"})
    pieces = list(render(speech, name, OutputSettings()))
    assert len(pieces) > 100
    assert max(map(len, pieces)) < 4000


def test_cases_cover_both_layouts() -> None:
    assert any(s.words for t in CASES.values() for s in t.segments)
    assert any(s.words is None for t in CASES.values() for s in t.segments)
