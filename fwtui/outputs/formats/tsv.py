"""Tab-separated values: start and end in whole milliseconds, and the text."""

from collections.abc import Iterator

from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.layout import encoded, milliseconds, on_one_line


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:  # noqa: ARG001
    """The file's bytes, one row at a time; tabs and line breaks in a text become spaces."""
    yield b"start\tend\ttext\n"
    for segment in transcript.segments:
        text = on_one_line(segment.text.strip().replace("\t", " "))
        yield encoded(f"{milliseconds(segment.start)}\t{milliseconds(segment.end)}\t{text}\n")
