"""Who said which word: words to speakers, and segments cut where the speaker changes. Pure."""

import dataclasses
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from msgspec.structs import replace

from fwtui.core.channels import by_time
from fwtui.core.segment import AnyTranscript, MappedSegments, Segment, TranscriptStream, Word
from fwtui.core.settings import SpeakerSettings
from fwtui.core.speakers import Turn, labels_of

# Seconds around a word in which a turn counts if there is none at the word itself.
_REACH = 0.5
# A speaker gets no fewer words, or seconds, in a row inside a segment: borders of turns and of
# words are not exact, and a flicker would shred the sentence.
LEAST_WORDS, LEAST_SECONDS = 2, 0.6
# Seconds that a word counts in any case: it may have no length.
_WORD_SECONDS = 0.01


class _Turns:
    """Who speaks in a passage."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._turns = sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))
        self._starts = [turn.start for turn in self._turns]
        self._longest = max((turn.end - turn.start for turn in self._turns), default=0.0)

    def speaker(self, start: float, end: float) -> int | None:
        """Who has most of the passage, or else of what is within reach of it."""
        for reach in (0.0, _REACH):
            shares = self._shares(start - reach, end + reach)
            if shares:
                return max(shares, key=lambda speaker: shares[speaker])
        return None

    def _shares(self, start: float, end: float) -> Mapping[int, float]:
        """Seconds of each speaker; looks only at turns that can reach the passage."""
        shares: dict[int, float] = {}
        first = bisect_left(self._starts, start - self._longest)
        for turn in self._turns[first : bisect_left(self._starts, end)]:
            if (both := min(turn.end, end) - max(turn.start, start)) > 0:
                shares[turn.speaker] = shares.get(turn.speaker, 0.0) + both
        return shares


def with_speakers(transcript: AnyTranscript) -> AnyTranscript:
    """The transcript with a speaker for each of its segments and words, by its turns."""
    if not transcript.turns:
        return transcript
    turns, labels = _Turns(transcript.turns), transcript.labels

    def change(segments: Iterable[Segment]) -> Iterator[Segment]:
        return (_attributed(segment, turns, labels) for segment in segments)

    if isinstance(transcript, TranscriptStream):
        return dataclasses.replace(transcript, segments=MappedSegments(transcript.segments, change))
    return replace(transcript, segments=tuple(change(transcript.segments)))


def by_channel(
    segments: tuple[Segment, ...],
    settings: SpeakerSettings,
    names: Mapping[int, str] | None = None,
    *,
    in_order: bool = True,
) -> tuple[Segment, ...]:
    """The segments, by time, with their speakers, of channels that are transcribed by themselves.

    `names`: those of the file's speakers. Others are left as they are.
    """
    numbers = sorted({one.channel for one in segments if one.channel is not None})
    if not numbers:
        return segments
    turns = [Turn(0.0, 0.0, number) for number in numbers]
    labels, nobody = labels_of(turns, settings, names), _Turns(())
    found = by_time(segments, numbers) if in_order else segments
    return tuple(_attributed(one, nobody, labels) for one in found)


def _attributed(segment: Segment, turns: _Turns, labels: Mapping[int, str]) -> Segment:
    if segment.channel is not None:  # transcribed by itself: all of it is of one speaker
        name = labels.get(segment.channel)
        words = segment.words and tuple(replace(word, speaker=name) for word in segment.words)
        return replace(segment, words=words, speaker=name)
    if not segment.words:
        speaker = turns.speaker(segment.start, segment.end)
        return replace(segment, speaker=None if speaker is None else labels[speaker])
    found = [turns.speaker(word.start, word.end) for word in segment.words]
    names = [None if speaker is None else labels[speaker] for speaker in found]
    names = speakers_of_words(segment.words, names)
    words = tuple(
        replace(word, speaker=name) for word, name in zip(segment.words, names, strict=True)
    )
    return replace(segment, words=words, speaker=_most(words, names))


def speakers_of_words(words: Sequence[Word], names: Sequence[str | None]) -> list[str | None]:
    """The speaker of each word of a segment, by who is heard at each of them.

    A word at which nobody is heard is of the segment's main speaker. Too short a run of a speaker
    is given to the one before, at the beginning to the one behind: first those inside the words of
    one other speaker, then the shortest.
    """
    main = _most(words, names)
    found = [main if name is None else name for name in names]
    while True:
        runs = [list(run) for _, run in groupby(range(len(words)), key=lambda at: found[at])]
        lengths = [max(0.0, words[run[-1]].end - words[run[0]].start) for run in runs]
        short = [
            at
            for at, run in enumerate(runs)
            if len(run) < LEAST_WORDS or not lengths[at] >= LEAST_SECONDS
        ]
        if len(runs) < 2 or not short:
            return found
        between = [at for at in short if 0 < at < len(runs) - 1]
        inside = [at for at in between if found[runs[at - 1][0]] == found[runs[at + 1][0]]]
        island = min(inside or short, key=lambda at: (lengths[at], at))
        other = runs[island - 1] if island else runs[1]
        for at in runs[island]:
            found[at] = found[other[0]]


def _most(words: Sequence[Word], names: Sequence[str | None]) -> str | None:
    seconds: dict[str, float] = {}
    for word, name in zip(words, names, strict=True):
        if name is not None:
            length = max(0.0, word.end - word.start) + _WORD_SECONDS
            seconds[name] = seconds.get(name, 0.0) + length
    return max(seconds, key=lambda name: seconds[name]) if seconds else None


def by_speaker(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The segments, those with several speakers cut where the speaker changes."""
    for segment in segments:
        words = segment.words
        if not words or all(word.speaker == words[0].speaker for word in words):
            yield segment
        else:
            yield from _pieces(segment, words)


def _pieces(segment: Segment, words: tuple[Word, ...]) -> Iterator[Segment]:
    runs = [tuple(run) for _, run in groupby(words, key=lambda word: word.speaker)]
    for number, run in enumerate(runs):
        yield replace(
            segment,
            start=run[0].start if number else segment.start,
            end=run[-1].end if number < len(runs) - 1 else segment.end,
            text="".join(word.word for word in run),
            words=run,
            speaker=run[0].speaker,
        )
