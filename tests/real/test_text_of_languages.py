"""Text rules on what the model really writes, in scripts with and without spaces."""

from pathlib import Path

import pytest

from fwtui.core.scripts import is_mark, width
from fwtui.core.segment import Transcript
from fwtui.core.settings import DecodingSettings, OutputSettings
from fwtui.outputs.formats.cues import cues
from fwtui.outputs.formats.edit import edited
from tests.real.decoding import segments, windows_of


@pytest.mark.parametrize(
    ("name", "language"),
    [("french.mp3", None), ("jfk.flac", "ja")],
)
def test_lines_and_sentences(
    base: Path, recordings: Path, tmp_path: Path, name: str, language: str | None
) -> None:
    decoding = DecodingSettings(language=language, word_timestamps=True, beam_size=1)
    plan, found = windows_of(base, recordings / name, tmp_path, decoding)
    said = Transcript(plan.language, tuple(segments(found)), plan.duration)
    assert said.segments
    tidy = edited(said, OutputSettings(tidy_text=True, join_sentences=True))
    assert tidy.text == said.text  # Whisper's own spaces and capitals are right
    output = OutputSettings(max_line_width=12, max_line_count=2)
    lines = [line for cue in cues(tidy, output) for line in cue.text.split("\n")]
    assert "".join("".join(lines).split()) == "".join(said.text.split())
    longest = max((width(word) for word in said.text.split()), default=0)
    for line in lines:
        assert width(line) <= (max(12, longest) if language is None else 12)
        assert not is_mark(line[0])
        assert line[0] not in "、。！？」"  # noqa: RUF001
