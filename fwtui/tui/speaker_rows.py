"""The speakers of a file as rows of a list: how long, from when to when, and what they say."""

from collections.abc import Sequence

import msgspec

from fwtui.core.attribution import by_speaker
from fwtui.core.job import Completed, Job
from fwtui.core.segment import Segment
from fwtui.core.speakers import SpeakerTime, Turn
from fwtui.tui.model import LiveTranscript

MOST_PLAYED = 8.0  # seconds
MOST_PHRASE = 160  # characters


class SpeakerRow(msgspec.Struct, frozen=True):
    """A speaker of a file.

    `name` is empty where the user gave none; `label` is what the outputs say. `share` of all
    speech, `phrase` to recognise, and the passage to play (`start`, `length`, in seconds).
    """

    speaker: int
    name: str
    label: str
    time: SpeakerTime
    share: float
    phrase: str
    start: float
    length: float


def speaker_rows(job: Job, transcript: LiveTranscript) -> list[SpeakerRow]:
    """The speakers of a file by number; none before it is done."""
    times = job.state.speakers if isinstance(job.state, Completed) else ()
    spoken = sum(one.seconds for one in times)
    pieces = list(by_speaker(transcript.segments))
    names = job.speaker_names or {}
    rows = []
    for one in times:
        own = [turn for turn in transcript.turns if turn.speaker == one.speaker]
        label = transcript.labels.get(one.speaker, "")
        longest = max(own, key=lambda turn: turn.end - turn.start, default=None)
        said = _phrase([piece for piece in pieces if piece.speaker == label], own)
        begin = longest.start if longest is not None else one.first
        end = longest.end if longest is not None else one.last
        rows.append(
            SpeakerRow(
                speaker=one.speaker,
                name=names.get(one.speaker, ""),
                label=label,
                time=one,
                share=one.seconds / spoken if spoken else 0.0,
                phrase=said,
                start=begin,
                length=min(MOST_PLAYED, end - begin),
            )
        )
    return rows


def _phrase(pieces: Sequence[Segment], turns: Sequence[Turn]) -> str:
    """The longest text in the turns: two speakers may have one name."""

    def is_in(piece: Segment) -> bool:
        middle = (piece.start + piece.end) / 2
        return any(turn.start <= middle <= turn.end for turn in turns)

    own = [piece for piece in pieces if is_in(piece)] or pieces
    texts = [" ".join(piece.text.split()) for piece in own]
    best = max(texts, key=lambda text: min(len(text), MOST_PHRASE), default="")
    return best[:MOST_PHRASE]
