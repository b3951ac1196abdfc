"""Markdown for reading: paragraphs, each with the time at which it begins."""

import re
from collections.abc import Iterator

from fwtui.core.segment import Segment, Transcript
from fwtui.core.settings import OutputSettings
from fwtui.writers.text import encoded, on_one_line
from fwtui.writers.timestamps import milliseconds

# Seconds of silence, or of speech, after which a paragraph ends.
_PAUSE, _LONG = 2.0, 60.0
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")


def chunks(transcript: Transcript, settings: OutputSettings) -> Iterator[bytes]:  # noqa: ARG001
    """The file's bytes, a paragraph at a time."""
    for number, paragraph in enumerate(_paragraphs(transcript)):
        text = " ".join(_MARKUP.sub(r"\\\1", on_one_line(s.text.strip())) for s in paragraph)
        break_before = "\n" if number else ""
        yield encoded(f"{break_before}**{_time(paragraph[0].start)}** {text}\n")


def _paragraphs(transcript: Transcript) -> Iterator[list[Segment]]:
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


def _time(seconds: float) -> str:
    """`h:mm:ss`."""
    minutes, second = divmod(max(0, milliseconds(seconds)) // 1000, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}"
