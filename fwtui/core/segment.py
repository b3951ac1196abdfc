"""Words, segments and transcripts.

Field names and their order are faster-whisper's, so that JSON output is byte-compatible with
whisper-ctranslate2's. Times are seconds from the start of the file.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import final

import msgspec

from fwtui.core.speakers import Turn


# A journal has thousands of words: what they do not have is not written.
class Word(msgspec.Struct, frozen=True, omit_defaults=True):
    """A word with its times (seconds) and probability (0 to 1); `word` keeps its leading space.

    `speaker` is the label or name of who said it, in finished transcripts only.
    """

    start: float
    end: float
    word: str
    probability: float
    speaker: str | None = None


class Segment(msgspec.Struct, frozen=True):
    """A segment of a transcript, as `faster_whisper.transcribe.Segment`.

    `seek` is the first frame of its chunk (10 ms each, in the signal that the model saw: after
    VAD, if that was on); `tokens` are the model's, including timestamps. `language` is set if the
    language of every chunk was detected (`multilingual`), and `speaker`, who said most of it, if
    speakers were told apart: both in finished transcripts only. `channel`: the one it was heard in,
    from 0, if each is transcribed by itself.
    """

    id: int
    seek: int
    start: float
    end: float
    text: str
    tokens: tuple[int, ...]
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    words: tuple[Word, ...] | None = None
    temperature: float | None = None
    language: str | None = None
    speaker: str | None = None
    channel: int | None = None


class Transcript(msgspec.Struct, frozen=True):
    """Text of a transcribed file, with what the output formats need.

    `source` is the output (`path_to_text`) that it was read back from; empty if it comes from the
    session. `turns`: who speaks when, by time; empty if speakers were not told apart. `labels`: the
    name or label of each speaker. `recording`: the file's name, for formats that hold it.
    """

    language: str
    segments: tuple[Segment, ...]
    duration: float = 0.0
    source: str = ""
    turns: tuple[Turn, ...] = ()
    labels: dict[int, str] = {}
    recording: str = ""

    @property
    def text(self) -> str:
        """The whole text: the segments' texts, joined as they are."""
        return "".join(segment.text for segment in self.segments)


@final
@dataclass(frozen=True)
class TranscriptStream:
    """A transcript whose segments are read anew each time they are iterated.

    One of a hundred hours with word times would take 400 MB.
    """

    language: str
    segments: Iterable[Segment]
    duration: float = 0.0
    turns: tuple[Turn, ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)
    recording: str = ""


AnyTranscript = Transcript | TranscriptStream


@dataclass(frozen=True)
class MappedSegments:
    """Segments changed by `change` each time they are iterated."""

    segments: Iterable[Segment]
    change: Callable[[Iterable[Segment]], Iterable[Segment]]

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.change(self.segments))
