"""WebVTT subtitles."""

from collections.abc import Iterator

from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.cues import cues
from fwtui.outputs.formats.layout import encoded, timestamp

# What a browser would read as markup or as a line of times.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"})


def escaped_for_vtt(text: str) -> str:
    """A text as WebVTT shows it: `&`, `<` and `>` as references."""
    return text.translate(_ESCAPES)


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:
    """The file's bytes, one subtitle at a time."""
    yield b"WEBVTT\n\n"
    for cue in cues(transcript, settings):
        start, end = (timestamp(ms, hours=False, marker=".") for ms in (cue.start, cue.end))
        yield encoded(f"{start} --> {end}\n{cue.labelled('<u>', '</u>', escaped_for_vtt)}\n\n")
