"""LRC lyrics: one line per segment, with its start time."""

import re
from collections.abc import Iterator

from fwtui.core.attribution import by_speaker
from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.layout import encoded, milliseconds, on_one_line

# What a player would read as another time or as a field: "[01:02.30]", "<01:02>", "[ar:...]".
_TAG = re.compile(r"[\[<](\s*(?:\d+|[A-Za-z#]+)\s*:[^\]>]*)[\]>]")


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:  # noqa: ARG001
    """The file's bytes, one line at a time; minutes exceed 59, as the format has no hours."""
    for segment in by_speaker(transcript.segments):
        seconds, ms = divmod(max(0, milliseconds(segment.start)), 1000)
        minutes, seconds = divmod(seconds, 60)
        text = _TAG.sub(r"(\1)", on_one_line(segment.text.strip()))
        if segment.speaker is not None:
            text = f"{segment.speaker}: {text}"  # a player would read brackets as a tag
        yield encoded(f"[{minutes:02d}:{seconds:02d}.{ms // 10:02d}]{text}\n")
