"""Paragraphs for reading, for md and docx."""

from collections.abc import Iterator

from fwtui.core.segment import Segment, Transcript
from fwtui.outputs.formats.layout import milliseconds

# Seconds of silence, or of speech, after which a paragraph ends.
_PAUSE, _LONG = 2.0, 60.0


def paragraphs(transcript: Transcript) -> Iterator[list[Segment]]:
    """The segments of each paragraph; none is empty."""
    paragraph: list[Segment] = []
    for segment in transcript.segments:
        if paragraph and (
            segment.start - paragraph[-1].end >= _PAUSE or segment.end - paragraph[0].start > _LONG
        ):
            yield paragraph
            paragraph = []
        paragraph.append(segment)
    if paragraph:
        yield paragraph


def start_time(paragraph: list[Segment]) -> str:
    """Start of a paragraph as `h:mm:ss`."""
    minutes, second = divmod(max(0, milliseconds(paragraph[0].start)) // 1000, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}"
