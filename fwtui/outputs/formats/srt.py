"""SubRip subtitles."""

from collections.abc import Iterator

from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.cues import cues
from fwtui.outputs.formats.layout import encoded, timestamp


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:
    """The file's bytes, one subtitle at a time."""
    for number, cue in enumerate(cues(transcript, settings), start=1):
        start, end = (timestamp(ms, hours=True, marker=",") for ms in (cue.start, cue.end))
        yield encoded(f"{number}\n{start} --> {end}\n{cue.labelled('<u>', '</u>')}\n\n")
