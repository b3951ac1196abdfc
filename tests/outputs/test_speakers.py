"""Speakers in every format: golden files, subtitles of one speaker each, reading back."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fwtui.core.attribution import by_speaker, with_speakers
from fwtui.core.segment import Segment, Transcript, TranscriptStream
from fwtui.core.settings import OutputSettings
from fwtui.core.speakers import Turn, speaker_labels
from fwtui.outputs.formats.cues import cues
from fwtui.outputs.formats.edit import edited
from fwtui.outputs.formats.read import read_transcript
from fwtui.outputs.formats.registry import FORMATS, render, write_transcript
from tests.core.test_attribution import attributed, segments_in, turns_in
from tests.outputs.cases import segment, spoken

GOLDENS = Path(__file__).parent.parent / "data" / "speakers"
TURNS = (
    Turn(0.0, 2.4, 0),
    Turn(2.4, 5.0, 1),
    Turn(5.2, 8.0, 0),
    Turn(7.9, 9.5, 2),
)
SEGMENTS = (
    spoken(0.0, " Good", " morning", ",", " Ben.", length=0.6),
    spoken(2.5, " Morning.", " How", " are", " you?", " Fine,", " thanks", " & <you>?", length=0.7),
    segment(8.1, 9.4, " _Everybody_ is fine."),
    spoken(20.0, " (Nobody", " knows)", length=0.4),
)


def meeting(names: dict[int, str] | None = None) -> Transcript:
    labels = speaker_labels(TURNS, "SPEAKER", names or {1: "Anna, née Ó"})
    plain = Transcript("en", SEGMENTS, 21.0, turns=TURNS, labels=labels, recording="my talk.mp3")
    found = with_speakers(plain)
    assert isinstance(found, Transcript)
    return found


def text_of(transcript: Any, name: str, **settings: Any) -> str:
    return b"".join(render(transcript, name, OutputSettings(**settings))).decode()


LAYOUTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "pretty": {"pretty_json": True},
    "times": {"add_timestamps": True},
    "highlight": {"highlight_words": True, "max_words_per_line": 2},
    "lines": {"max_line_width": 30, "max_line_count": 2},
    "all": {"max_line_width": 30, "max_line_count": 2, "max_words_per_line": 3},
}
USED: dict[str, tuple[str, ...]] = {"json": ("plain", "pretty"), "txt": ("plain", "times")}
USED |= dict.fromkeys(("srt", "vtt", "ass"), ("plain", "highlight", "lines", "all"))
NAMES = [
    (layout, name) for name in FORMATS if name != "docx" for layout in USED.get(name, ("plain",))
]


@pytest.mark.parametrize(("layout", "name"), NAMES)
def test_golden(layout: str, name: str) -> None:
    golden = GOLDENS / f"meeting.{layout}.{name}"
    assert text_of(meeting(), name, **LAYOUTS[layout]) == golden.read_bytes().decode()


def test_docx_has_a_paragraph_for_each_turn() -> None:
    docx = pytest.importorskip("docx")
    document = docx.Document(io.BytesIO(b"".join(render(meeting(), "docx", OutputSettings()))))
    bold = [p.runs[0].text for p in document.paragraphs if p.runs[0].bold]
    assert bold == [
        "0:00:00 SPEAKER_00:",
        "0:00:02 Anna, née Ó:",
        "0:00:05 SPEAKER_00:",
        "0:00:08 SPEAKER_02:",
        "0:00:20",
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_without_turns_nothing_differs(name: str) -> None:
    """`speaker` fields, and code for them, change no byte of other transcripts."""
    plain = Transcript("en", SEGMENTS, 21.0)
    if name == "docx":
        return
    text = text_of(plain, name)
    assert "SPEAKER" not in text
    assert "speaker" not in text
    assert text == text_of(with_speakers(plain), name)
    assert name != "rttm" or text == ""


def test_tsv_and_the_text_of_json_are_whispers_own() -> None:
    plain = Transcript("en", SEGMENTS, 21.0)
    assert text_of(meeting(), "tsv") == text_of(plain, "tsv")
    found, usual = json.loads(text_of(meeting(), "json")), json.loads(text_of(plain, "json"))
    assert found["text"] == usual["text"]
    for one, other in zip(found["segments"], usual["segments"], strict=True):
        if "speaker" in one:
            assert list(one)[-1] == "speaker"
            assert one.pop("speaker")
        for word in one["words"] or ():
            assert ("speaker" in word) == (one["start"] < 20)
            if "speaker" in word:
                assert list(word)[-1] == "speaker"
                del word["speaker"]
        assert one == other


LIMITS = st.none() | st.integers(1, 40)
OUTPUT = st.builds(
    OutputSettings,
    highlight_words=st.booleans(),
    max_line_width=LIMITS,
    max_line_count=st.none() | st.integers(1, 3),
    max_words_per_line=st.none() | st.integers(1, 4),
    min_gap_ms=st.sampled_from([0, 80]),
    join_sentences=st.booleans(),
    tidy_text=st.booleans(),
)


def said_by(some: Any) -> dict[str | None, str]:
    """All that each speaker says, without white space, in lower case."""
    found: dict[str | None, str] = {}
    for speaker, text in some:
        found[speaker] = found.get(speaker, "") + "".join(text.split()).lower()
    return {speaker: text for speaker, text in found.items() if text}


@given(segments=segments_in(), turns=turns_in(), output=OUTPUT)
def test_no_subtitle_has_two_speakers(
    segments: tuple[Segment, ...], turns: tuple[Turn, ...], output: OutputSettings
) -> None:
    """Whatever the layout, each speaker says in the subtitles what the words say."""
    transcript = attributed(segments, turns)
    text = edited(transcript, output)
    wanted = said_by((one.speaker, one.text) for one in by_speaker(transcript.segments))
    assert said_by((one.speaker, one.text) for one in by_speaker(text.segments)) == wanted
    if not output.highlight_words:
        assert said_by((cue.speaker, cue.text) for cue in cues(text, output)) == wanted
    stream = TranscriptStream("en", segments, 0.0, turns, transcript.labels)
    streamed = edited(with_speakers(stream), output)
    for name in ("srt", "txt", "json", "csv", "rttm", "ass", "md", "lrc"):
        assert b"".join(render(streamed, name, output)) == b"".join(render(text, name, output))


@given(segments=segments_in(), turns=turns_in(), width=st.integers(20, 50))
def test_the_label_is_part_of_the_line(
    segments: tuple[Segment, ...], turns: tuple[Turn, ...], width: int
) -> None:
    transcript = attributed(segments, turns)
    settings = {"max_line_width": width, "max_line_count": 2}
    if not all(one.words for one in segments):
        return  # as in whisper, only words are put on lines
    for line in text_of(transcript, "srt", **settings).split("\n"):
        assert len(line) <= width or "-->" in line


@pytest.mark.parametrize("name", ["json", "srt", "vtt", "txt"])
@pytest.mark.parametrize("layout", ["plain", "times", "highlight"])
def test_speakers_are_read_back(tmp_path: Path, name: str, layout: str) -> None:
    output = OutputSettings(output_format=name, **LAYOUTS[layout])  # type: ignore[arg-type]
    found = read_transcript(write_transcript(meeting(), tmp_path / "talk", output))
    assert found is not None
    wanted = said_by((one.speaker, one.text) for one in by_speaker(meeting().segments))
    assert said_by((one.speaker, one.text) for one in by_speaker(found.segments)) == wanted
    if name == "json":
        assert found.segments == meeting().segments


@given(segments=segments_in(), turns=turns_in())
def test_what_json_says_is_what_it_is_made_of(
    segments: tuple[Segment, ...], turns: tuple[Turn, ...]
) -> None:
    transcript = attributed(segments, turns)
    again = json.loads(text_of(transcript, "json"))["segments"]
    assert [one.get("speaker") for one in again] == [s.speaker for s in transcript.segments]


def test_two_speakers_with_one_name_are_one_person() -> None:
    same = meeting({0: "Anna", 1: "Anna"})
    assert text_of(same, "md").count("Anna:") == 1
    assert re.findall(r"^\[.*?\]: (.*)$", text_of(same, "txt"), re.MULTILINE)[1] == (
        "Morning. How are you? Fine, thanks & <you>?"
    )


def test_a_name_cannot_be_a_formula() -> None:
    names = dict.fromkeys((0, 1, 2), "=HYPERLINK()")
    rows = list(csv.reader(io.StringIO(text_of(meeting(names), "csv"))))
    assert {row[3] for row in rows[1:]} == {"'=HYPERLINK()", ""}


def test_words_that_a_correction_merges_keep_their_speaker() -> None:
    found = edited(meeting(), OutputSettings(), {"good morning": "Hi"})
    words = found.segments[0].words or ()
    assert (words[0].word, words[0].speaker) == (" Hi", "SPEAKER_00")
    assert replace(found, segments=()) == replace(meeting(), segments=())
