"""Who speaks when, in the format that speaker diarization is scored with (NIST RTTM).

Empty if speakers were not told apart.
"""

from collections.abc import Iterator

from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.layout import encoded, milliseconds


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:  # noqa: ARG001
    """The file's bytes, one turn at a time; white space in a name becomes an underscore."""
    recording = _word(transcript.recording)
    for turn in transcript.turns:
        start, end = milliseconds(turn.start), milliseconds(turn.end)
        times = f"{start / 1000:.3f} {max(0, end - start) / 1000:.3f}"
        speaker = _word(transcript.labels[turn.speaker])
        yield encoded(f"SPEAKER {recording} 1 {times} <NA> <NA> {speaker} <NA> <NA>\n")


def _word(text: str) -> str:
    return "_".join(text.split()) or "recording"
