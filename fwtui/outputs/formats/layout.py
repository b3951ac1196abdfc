"""Text, times and bytes that cannot break the structure of an output file."""

import math
import re
from collections.abc import Iterator

from fwtui.core.attribution import by_speaker
from fwtui.core.scripts import is_east_asian
from fwtui.core.segment import AnyTranscript, Segment

_LINE_BREAK = re.compile(r"\r\n?")
_BLANK_LINES = re.compile(r"\n\s*\n")
_BREAKS = re.compile(r"[\r\n]+")


def encoded(text: str) -> bytes:
    """The text in UTF-8; lone surrogates become question marks."""
    return text.encode("utf-8", errors="replace")


def without_blank_lines(text: str) -> str:
    """The text without empty lines, which would end a subtitle; line breaks stay."""
    return _BLANK_LINES.sub("\n", _LINE_BREAK.sub("\n", text))


def on_one_line(text: str) -> str:
    """The text with a space for every line break."""
    return _BREAKS.sub(" ", text)


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, rounded half to even; a time that is not a number is 0."""
    ms = seconds * 1000.0
    return round(ms) if math.isfinite(ms) else 0


def timestamp(ms: int, *, hours: bool, marker: str) -> str:
    """`[hh:]mm:ss<marker>mmm`; without hours below one hour unless `hours`.

    Times before the start of the file become its start.
    """
    whole, ms = divmod(max(0, ms), 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    prefix = f"{hour:02d}:" if hours or hour > 0 else ""
    return f"{prefix}{minute:02d}:{second:02d}{marker}{ms:03d}"


# Seconds of silence, or of speech, after which a paragraph ends.
_PAUSE, _LONG = 2.0, 60.0


def paragraphs(transcript: AnyTranscript) -> Iterator[list[Segment]]:
    """The segments of each paragraph; none is empty, and none has two speakers."""
    paragraph: list[Segment] = []
    for segment in by_speaker(transcript.segments):
        if paragraph and (
            segment.speaker != paragraph[-1].speaker
            or segment.start - paragraph[-1].end >= _PAUSE
            or segment.end - paragraph[0].start > _LONG
        ):
            yield paragraph
            paragraph = []
        paragraph.append(segment)
    if paragraph:
        yield paragraph


def running_text(paragraph: list[Segment]) -> str:
    """The text of a paragraph on one line; Chinese and Japanese have no spaces in between."""
    text = ""
    for segment in paragraph:
        part = on_one_line(segment.text.strip())
        space = " " if text and part and not is_east_asian(text[-1] + part[0]) else ""
        text += space + part
    return text


def heading(paragraph: list[Segment]) -> str:
    """What a paragraph begins with: its start time, and its speaker if that is known."""
    speaker = paragraph[0].speaker
    time = start_time(paragraph)
    return time if speaker is None else f"{time} {speaker}:"


def start_time(paragraph: list[Segment]) -> str:
    """Start of a paragraph as `h:mm:ss`."""
    minutes, second = divmod(max(0, milliseconds(paragraph[0].start)) // 1000, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}"
