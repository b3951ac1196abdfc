"""Rules for subtitles, and Word documents."""

import io
import subprocess
import sys

import pytest
from docx import Document

from fwtui.core.segment import Transcript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.cues import Cue, apart, cues, too_fast, with_length
from fwtui.outputs.formats.registry import render
from tests.outputs.cases import CASES, segment, spoken


@pytest.mark.parametrize(
    ("times", "after"),
    [
        ([(0, 1000), (1000, 2000)], [(0, 900), (1000, 2000)]),
        ([(0, 1000), (1050, 2000)], [(0, 950), (1050, 2000)]),
        ([(0, 1000), (1100, 2000)], [(0, 1000), (1100, 2000)]),
        ([(0, 1000), (500, 2000)], [(0, 500), (500, 2000)]),  # not below half of it
        ([(1000, 1100), (1100, 1200)], [(1000, 1050), (1100, 1200)]),
        ([], []),
    ],
)
def test_subtitles_are_kept_apart(
    times: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    found = apart((Cue(start, end, "x") for start, end in times), 100)
    assert [(cue.start, cue.end) for cue in found] == after


def test_subtitles_of_two_speakers_may_be_there_at_once() -> None:
    """Nothing of what is said at the same time is moved, or made shorter."""

    def cue(start: int, end: int, speaker: str | None) -> Cue:
        return Cue(start, end, "x", speaker=speaker)

    talk = [cue(0, 4000, "A"), cue(1000, 2000, "B"), cue(2000, 5000, "B"), cue(4000, 6000, "A")]
    assert list(with_length(talk)) == talk
    assert [one.end for one in apart(talk, 100)] == [4000, 1900, 5000, 6000]
    alone = [one._replace(speaker=None) for one in talk]
    starts = [one.start for one in with_length(alone)]
    assert starts[1] == 4000


def test_the_gap_is_in_the_files_and_not_where_words_are_highlighted() -> None:
    said = Transcript("en", (segment(0, 1, " a"), segment(1, 2, " b")))
    written = b"".join(render(said, "srt", OutputSettings(min_gap_ms=80))).decode()
    assert "00:00:00,000 --> 00:00:00,920" in written
    words = Transcript("en", (spoken(0, " a", " b"),))
    settings = OutputSettings(highlight_words=True)
    gap = OutputSettings(highlight_words=True, min_gap_ms=80)
    assert list(cues(words, settings)) == list(cues(words, gap))


def test_speed_counts_characters_as_they_are_read() -> None:
    slow, fast, none = Cue(0, 1000, "ten\nletter"), Cue(0, 500, "ten letter"), Cue(5, 5, "  ")
    assert list(too_fast([slow, fast, none], 10.0)) == [(fast, 20.0)]


def test_a_word_document_has_the_paragraphs_with_their_times() -> None:
    said = Transcript(
        "en",
        (segment(0, 1, " One\x07 <b>"), segment(1, 2, " two."), segment(3700, 3701, " \ud800late")),
    )
    written = b"".join(render(said, "docx", OutputSettings()))
    paragraphs = [paragraph.text for paragraph in Document(io.BytesIO(written)).paragraphs]
    assert paragraphs == ["0:00:00 One\ufffd <b> two.", "1:01:40 \ufffdlate"]


@pytest.mark.parametrize("case", CASES)
def test_any_transcript_can_be_a_word_document(case: str) -> None:
    assert Document(io.BytesIO(b"".join(render(CASES[case], "docx", OutputSettings()))))


def test_without_python_docx_the_extra_is_named_before_anything_starts() -> None:
    script = (
        "import sys\n"
        "sys.modules['docx'] = None\n"
        "from fwtui.cli.main import main\n"
        "sys.exit(main(['run', 'nothing.mp3', '--output_format', 'docx']))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "fwtui[docx]" in ended.stderr
