"""Comma-separated values for spreadsheets: start and end in seconds, text, and speaker if known."""

import csv
import io
from collections.abc import Iterator

from fwtui.core.attribution import by_speaker
from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.layout import encoded, milliseconds, on_one_line

# A spreadsheet interprets a cell that begins like this as a formula.
_FORMULA = ("=", "+", "-", "@", "\t")


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:  # noqa: ARG001
    """The file's bytes, one row at a time (RFC 4180)."""
    speakers = bool(transcript.turns)
    yield b"start,end,text,speaker\r\n" if speakers else b"start,end,text\r\n"
    for segment in by_speaker(transcript.segments):
        row = [_seconds(segment.start), _seconds(segment.end), _cell(segment.text)]
        line = io.StringIO()
        csv.writer(line).writerow([*row, _cell(segment.speaker or "")] if speakers else row)
        yield encoded(line.getvalue())


def _cell(text: str) -> str:
    text = on_one_line(text.strip())
    return f"'{text}" if text.startswith(_FORMULA) else text


def _seconds(seconds: float) -> str:
    return f"{milliseconds(seconds) / 1000:.3f}"
