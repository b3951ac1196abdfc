"""Advanced SubStation Alpha subtitles in one simple style."""

from collections.abc import Iterator

from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.cues import Cue, cues
from fwtui.outputs.formats.layout import encoded

_HEADER = """\
[Script Info]
ScriptType: v4.00+
WrapStyle: 0
ScaledBorderAndShadow: yes
PlayResX: 1920
PlayResY: 1080

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, \
Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,64,&H00FFFFFF,&H0000FFFF,&H00000000,&H80000000,\
0,0,0,0,100,100,0,0,1,3,1,2,60,60,50,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
# A brace begins a command, a backslash an escape: similar characters that stay text.
_PLAIN = str.maketrans({"{": "(", "}": ")", "\\": "\u29f5", "\n": "\\N"})


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:
    """The file's bytes, one subtitle at a time."""
    yield encoded(_HEADER)
    for cue in cues(transcript, settings):
        text = cue.marked("{\\u1}", "{\\u0}", _plain)
        yield encoded(
            f"Dialogue: 0,{_time(cue.start)},{_time(cue.end)},Default,{_name(cue)},0,0,0,,{text}\n"
        )


def _name(cue: Cue) -> str:
    return " ".join(_plain(cue.speaker or "").replace(",", " ").split())


def _plain(text: str) -> str:
    return text.translate(_PLAIN)


def _time(ms: int) -> str:
    """`h:mm:ss.cc`."""
    seconds, ms = divmod(max(0, ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}.{ms // 10:02d}"
