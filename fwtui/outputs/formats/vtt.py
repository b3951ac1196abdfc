"""WebVTT subtitles."""

from collections.abc import Iterator

from fwtui.core.segment import Transcript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.cues import cues
from fwtui.outputs.formats.layout import encoded, timestamp


def chunks(transcript: Transcript, settings: OutputSettings) -> Iterator[bytes]:
    """The file's bytes, one subtitle at a time."""
    yield b"WEBVTT\n\n"
    for cue in cues(transcript, settings):
        start, end = (timestamp(ms, hours=False, marker=".") for ms in (cue.start, cue.end))
        yield encoded(f"{start} --> {end}\n{cue.text}\n\n")
