"""Plain text: one line per segment, optionally with its times."""

from collections.abc import Iterator

from fwtui.core.attribution import by_speaker
from fwtui.core.segment import AnyTranscript, Segment
from fwtui.core.settings import OutputSettings
from fwtui.core.speakers import labelled
from fwtui.outputs.formats.layout import encoded, milliseconds, on_one_line, timestamp


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:
    """The file's bytes, one line at a time."""
    for segment in by_speaker(transcript.segments):
        text = labelled(segment.speaker, segment.text.strip())
        line = f"{_times(segment)} {on_one_line(text)}" if settings.add_timestamps else text
        yield encoded(f"{line}\n")


def _times(segment: Segment) -> str:
    start, end = (
        timestamp(milliseconds(seconds), hours=False, marker=".")
        for seconds in (segment.start, segment.end)
    )
    return f"[{start} --> {end}]"
