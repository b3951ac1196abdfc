"""Comma-separated values for spreadsheets: start and end in seconds, and the text."""

import csv
import io
from collections.abc import Iterator

from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.layout import encoded, milliseconds, on_one_line

# A spreadsheet interprets a cell that begins like this as a formula.
_FORMULA = ("=", "+", "-", "@", "\t")


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:  # noqa: ARG001
    """The file's bytes, one row at a time (RFC 4180)."""
    yield b"start,end,text\r\n"
    for segment in transcript.segments:
        text = on_one_line(segment.text.strip())
        if text.startswith(_FORMULA):
            text = f"'{text}"
        line = io.StringIO()
        csv.writer(line).writerow([_seconds(segment.start), _seconds(segment.end), text])
        yield encoded(line.getvalue())


def _seconds(seconds: float) -> str:
    return f"{milliseconds(seconds) / 1000:.3f}"
