"""Outputs read back: what each format keeps of a transcript."""

import math
from pathlib import Path

import pytest

from fwtui.core.segment import Segment, Transcript, Word
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.read import read_transcript
from fwtui.outputs.formats.registry import WHISPER_FORMATS, write_transcript

WORDS = (Word(1.0, 1.5, " One", 0.9), Word(1.5, 2.0, " two", 0.4))
SEGMENTS = (
    Segment(0, 0, 1.0, 2.0, " One two", (1, 2), -0.25, 1.1, 0.01, WORDS, 0.0),
    Segment(1, 0, 3700.5, 3702.25, " drei --> 会議 [red]\t", (), -0.25, 1.1, 0.01, None, 0.2),
)
FULL = Transcript("de", SEGMENTS, 3702.25)


def written(folder: Path, **settings: object) -> tuple[Path, ...]:
    output = OutputSettings(output_dir=str(folder), **settings)  # type: ignore[arg-type]
    return write_transcript(FULL, folder / "talk", output)


def texts(found: Transcript) -> list[str]:
    return [" ".join(segment.text.split()).replace("-->", "->") for segment in found.segments]


@pytest.mark.parametrize("form", WHISPER_FORMATS)
def test_every_format(tmp_path: Path, form: str) -> None:
    paths = written(tmp_path, output_format=form, add_timestamps=True)
    found = read_transcript(paths)
    assert found is not None
    assert texts(found) == ["One two", "drei -> 会議 [red]"]
    assert [(s.start, s.end) for s in found.segments] == [(1.0, 2.0), (3700.5, 3702.25)]
    assert found.source == str(paths[0])


def test_json_has_everything_and_comes_first(tmp_path: Path) -> None:
    found = read_transcript(reversed(written(tmp_path, output_format="all")))
    assert found is not None
    assert found.segments == SEGMENTS
    assert found.language == "de"
    assert found.source == str(tmp_path / "talk.json")


def test_a_plain_text_has_no_times(tmp_path: Path) -> None:
    found = read_transcript(written(tmp_path, output_format="txt"))
    assert found is not None
    assert texts(found) == ["One two", "drei -> 会議 [red]"]
    assert all(math.isnan(segment.start) for segment in found.segments)


def test_highlighted_words_are_one_subtitle(tmp_path: Path) -> None:
    found = read_transcript(written(tmp_path, output_format="srt", highlight_words=True))
    assert found is not None
    assert texts(found)[0] == "One two"
    assert (found.segments[0].start, found.segments[0].end) == (1.0, 2.0)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[1, 2]", b'{"segments": [{}]}', b"[" * 9999]
)
def test_what_is_no_output_any_more_is_passed_over(tmp_path: Path, content: bytes) -> None:
    paths = written(tmp_path, output_format="all")
    (tmp_path / "talk.json").write_bytes(content)
    found = read_transcript(paths)
    assert found is not None
    assert found.source == str(tmp_path / "talk.srt")
    for path in paths:
        path.unlink()
    assert read_transcript(paths) is None
