"""Quality check: finds passages of a transcript that somebody should listen to. Pure."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

from msgspec.structs import replace

from fwtui.core.channels import in_channel
from fwtui.core.decoding import clip_points
from fwtui.core.finding import Finding, FindingKind
from fwtui.core.known_phrases import is_credit, unspoken
from fwtui.core.languages import LANGUAGES
from fwtui.core.scripts import has_no_spaces, is_letter, is_mark
from fwtui.core.segment import AnyTranscript, MappedSegments, Segment
from fwtui.core.session import FilePlan, SpeechChunk, Spoken
from fwtui.core.settings import DecodingSettings, OutputSettings, QualitySettings
from fwtui.outputs.formats.cues import cues, too_fast
from fwtui.outputs.formats.registry import formats

# Findings kept per kind and file.
MAX_FINDINGS = 100
SAMPLE_RATE = 16_000
# Whisper's own threshold for loops, for users who have switched it off.
_COMPRESSION = 2.4
# A phrase is a loop if it is repeated so often in a row, with so many words in all; a segment that
# is repeated so often always is.
_MIN_TIMES, _MIN_WORDS = 4, 8
_MIN_LETTERS = 16  # instead of words, in scripts without spaces, and of signs
_LONGEST_PHRASE = 32  # words
# Below this probability the language of a window is a guess.
_SURE_LANGUAGE = 0.9
# Seconds in or around a segment that may have speech but no text.
_TOLERANCE = 0.5
_SUBTITLES = {"srt", "vtt", "ass"}


def check_transcript(
    transcript: AnyTranscript,
    plan: FilePlan,
    spoken: Sequence[Spoken],
    decoding: DecodingSettings,
    quality: QualitySettings,
    marked: Sequence[Finding] = (),
) -> tuple[Finding, ...]:
    """All findings, ordered by time; at most `MAX_FINDINGS` of a kind.

    `marked` are those of the engine.
    """
    found: list[Finding] = []
    for kind in dict.fromkeys(finding.kind for finding in marked):
        found += limited(finding for finding in marked if finding.kind is kind)
    parts = list(_parts(transcript.segments, plan))

    def each(check: Callable[[_Checked], Iterable[Finding]]) -> tuple[Finding, ...]:
        findings = (
            finding if part.channel is None else replace(finding, channel=part.channel)
            for part in parts
            for finding in check(part)
        )
        return limited(sorted(findings, key=_times) if len(parts) > 1 else findings)

    if quality.check_text:
        limit = decoding.compression_ratio_threshold or _COMPRESSION
        found += each(lambda part: repetitions(part.segments, limit))
        found += each(lambda part: low_confidence(part.segments, quality.low_confidence))
    if quality.check_unspoken:
        found += limited(credits_in(transcript.segments, marked))
    if not clip_points(decoding.clip_timestamps):
        least = quality.missing_speech_s
        found += each(lambda part: missing_speech(part.speech or (), part.segments, least))
    if quality.check_languages and not decoding.multilingual:
        found += each(lambda part: other_languages(part.spoken(spoken), part.language))
    return tuple(sorted(found, key=_times))


def _times(finding: Finding) -> tuple[float, float]:
    return finding.start, finding.end


class _Checked(NamedTuple):
    """What is checked by itself: a file, or a channel that was transcribed by itself."""

    segments: Iterable[Segment]
    language: str
    speech: Sequence[SpeechChunk] | None
    channel: int | None = None

    def spoken(self, found: Sequence[Spoken]) -> Sequence[Spoken]:
        """The languages in it."""
        return [one for one in found if one.channel == self.channel]


def _parts(segments: Iterable[Segment], plan: FilePlan) -> Iterator[_Checked]:
    for index in range(len(plan.channels)):
        own, number = plan.of_channel(index), plan.channels[index].number
        mapped = MappedSegments(segments, partial(in_channel, number=number))
        yield _Checked(mapped, own.language, _speech(own), number)
    if not plan.channels:
        yield _Checked(segments, plan.language, _speech(plan))


def _speech(plan: FilePlan) -> Sequence[SpeechChunk] | None:
    return plan.heard if plan.heard is not None else plan.speech


def fast_subtitles(transcript: AnyTranscript, output: OutputSettings) -> tuple[Finding, ...]:
    """Subtitles that are too fast to read, if there is a limit and subtitles are written."""
    limit = output.max_chars_per_second
    if limit is None or _SUBTITLES.isdisjoint(formats(output)):
        return ()
    found = (
        Finding(
            FindingKind.TOO_FAST,
            cue.start / 1000,
            cue.end / 1000,
            f"{speed:.0f} characters per second",
        )
        for cue, speed in too_fast(cues(transcript, output), limit)
    )
    return limited(found)


def limited(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The first `MAX_FINDINGS`; the last of them says how many more there are."""
    found = list(findings)
    if len(found) <= MAX_FINDINGS:
        return tuple(found)
    last = found[MAX_FINDINGS - 1]
    more = f"{last.detail}; and {len(found) - MAX_FINDINGS} more in the file".removeprefix("; ")
    return (*found[: MAX_FINDINGS - 1], Finding(last.kind, last.start, last.end, more))


# --- repetitions ---------------------------------------------------------------------------------


_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")


class _Word(NamedTuple):
    """A word as it is compared, and its place in its segment's text."""

    text: str
    begin: int
    end: int


class _Loop(NamedTuple):
    """Items `begin` to `end`: the first `length` of them, repeated `times` times."""

    begin: int
    end: int
    length: int

    @property
    def times(self) -> int:
        return (self.end - self.begin) // self.length


def repetitions(segments: Iterable[Segment], compression: float) -> Iterator[Finding]:
    """Passages with a repeated phrase, or with a compression ratio above `compression`.

    The segments are iterated twice; numbers are kept of them, not their text.
    """
    outline = _Outline.of(segments, compression)
    word_loops = [
        loop
        for loop in _loops(outline.words, _MIN_WORDS)
        if loop.end - loop.begin >= _MIN_LETTERS or not outline.is_single(loop)
    ]
    text_loops = [one for one in _loops(outline.texts, _MIN_TIMES) if outline.has_text(one)]
    spans = [
        (outline.segment_of(loop.begin), outline.segment_of(loop.begin + loop.length - 1))
        for loop in word_loops
    ]
    spans += [(loop.begin, loop.begin + loop.length - 1) for loop in text_loops]
    texts = _texts_of(segments, spans)
    marked = outline.marked
    for loop, span in zip(word_loops, spans, strict=False):
        detail = f"{loop.times}× “{outline.phrase(loop, span, texts)}”"
        for number in range(span[0], outline.segment_of(loop.end - 1) + 1):
            marked[number] = detail
    for loop in text_loops:
        phrase = range(loop.begin, loop.begin + loop.length)
        said = _shortened("".join(texts[number] for number in phrase))
        for number in range(loop.begin, loop.end):
            marked[number] = f"{loop.times}× “{said}”"
    return _passages(FindingKind.REPETITION, outline.times, marked)


def _texts_of(segments: Iterable[Segment], spans: Iterable[tuple[int, int]]) -> dict[int, str]:
    """The texts of the segments in these spans, both ends included."""
    wanted = {number for first, last in spans for number in range(first, last + 1)}
    if not wanted:
        return {}
    return {number: one.text for number, one in enumerate(segments) if number in wanted}


class _Outline:
    """A transcript in numbers: the hashes of each word and of each segment's text."""

    def __init__(self) -> None:
        self.words = array("q")
        self.texts = array("q")
        self.starts, self.ends = array("d"), array("d")
        self.marked: dict[int, str] = {}
        self._first_words = array("l")  # of each segment
        self._singles: set[int] = set()

    @classmethod
    def of(cls, segments: Iterable[Segment], compression: float) -> "_Outline":
        """The outline, with a mark at each text that compresses more than `compression`."""
        outline = cls()
        for number, segment in enumerate(segments):
            outline._add(segment)
            if segment.compression_ratio > compression:
                outline.marked[number] = f"compression ratio {segment.compression_ratio:.1f}"
        return outline

    def _add(self, segment: Segment) -> None:
        self.starts.append(segment.start)
        self.ends.append(segment.end)
        self._first_words.append(len(self.words))
        self.texts.append(hash(_compared(segment.text)))
        for word in _words(segment.text):
            self.words.append(hash(word.text))
            if _is_single(word.text):
                self._singles.add(hash(word.text))

    def times(self, number: int) -> tuple[float, float]:
        """Start and end of a segment."""
        return self.starts[number], self.ends[number]

    def segment_of(self, word: int) -> int:
        """The segment that a word is in."""
        return bisect_right(self._first_words, word) - 1

    def is_single(self, loop: _Loop) -> bool:
        """Whether a loop of words is one of signs, or of letters without spaces."""
        return all(word in self._singles for word in self.words[loop.begin : loop.end])

    def has_text(self, loop: _Loop) -> bool:
        """Whether the segments of a loop have any text."""
        nothing = hash("")
        return any(text != nothing for text in self.texts[loop.begin : loop.end])

    def phrase(self, loop: _Loop, span: tuple[int, int], texts: Mapping[int, str]) -> str:
        """What is repeated in a loop of words: the text from its first word to its last."""
        first, last = span
        begin = self._place(loop.begin, first, texts).begin
        end = self._place(loop.begin + loop.length - 1, last, texts).end
        if first == last:
            return _shortened(texts[first][begin:end])
        between = (texts[number] for number in range(first + 1, last))
        return _shortened(" ".join([texts[first][begin:], *between, texts[last][:end]]))

    def _place(self, word: int, segment: int, texts: Mapping[int, str]) -> _Word:
        return list(_words(texts[segment]))[word - self._first_words[segment]]


def _words(text: str) -> Iterator[_Word]:
    """The words of a text; single letters where there are no spaces, signs where no letters are."""
    only_signs = not any(map(is_letter, text))
    if text.isascii() and not only_signs:
        for found in _ASCII_WORD.finditer(text):
            yield _Word(found[0].lower(), *found.span())
        return
    begin = None
    for place, letter in enumerate(text):
        inside = is_letter(letter) or (only_signs and not letter.isspace())
        alone = only_signs or has_no_spaces(letter)
        if begin is not None and (not inside or (alone and not is_mark(letter))):
            yield _Word(text[begin:place].casefold(), begin, place)
            begin = None
        if inside and begin is None:
            begin = place
    if begin is not None:
        yield _Word(text[begin:].casefold(), begin, len(text))


def _is_single(word: str) -> bool:
    """Whether a word is one letter of a script without spaces, or a sign."""
    return not is_letter(word[0]) or has_no_spaces(word[0])


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _compared(text: str) -> str:
    """A segment's text as it is compared: its words, or its signs if it has no words."""
    if text.isascii():
        return " ".join(_ASCII_WORD.findall(text.lower()) or text.split())
    words = "".join(letter if is_letter(letter) else " " for letter in text.casefold()).split()
    return " ".join(words or text.split())


def _loops(words: Sequence[int], least: int) -> Iterator[_Loop]:
    """Repeated phrases of `least` items in all, each by its shortest form; none inside another."""
    found: list[_Loop] = []
    for length in range(1, min(_LONGEST_PHRASE, len(words) // 2) + 1):
        run = 0
        for index in range(len(words) - length + 1):
            same = index + length < len(words) and words[index] == words[index + length]
            if same:
                run += 1
                continue
            loop = _Loop(index - run, index + length, length)
            if run and loop.times >= _MIN_TIMES and loop.end - loop.begin >= least:
                found.append(loop)
            run = 0
    covered = 0
    for loop in sorted(found, key=lambda one: (one.begin, one.length)):
        if loop.end > covered:
            covered = loop.end
            yield loop


# --- confidence ----------------------------------------------------------------------------------


def low_confidence(segments: Iterable[Segment], threshold: float) -> Iterator[Finding]:
    """Passages whose mean log probability is below the threshold."""
    marked: dict[int, str] = {}
    times: dict[int, tuple[float, float]] = {}
    for number, segment in enumerate(segments):
        if segment.avg_logprob < threshold:
            marked[number] = f"{segment.avg_logprob:.1f}"
            times[number] = segment.start, segment.end
    return _passages(FindingKind.LOW_CONFIDENCE, times.__getitem__, marked)


def _passages(
    kind: FindingKind, times: Callable[[int], tuple[float, float]], marked: dict[int, str]
) -> Iterator[Finding]:
    """One finding for neighbouring segments with the same detail; of log probs., the lowest.

    `times` gives the start and end of a segment by its number.
    """
    numbers = sorted(marked)
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        if kind is FindingKind.LOW_CONFIDENCE:
            lowest = min((marked[number] for number in run), key=float)
            yield Finding(kind, times(run[0])[0], times(run[-1])[1], f"log prob. {lowest}")
            continue
        for detail, part in groupby(run, key=lambda number: marked[number]):
            same = list(part)
            yield Finding(kind, times(same[0])[0], times(same[-1])[1], detail)


# --- speech without text -------------------------------------------------------------------------


def missing_speech(
    speech: Sequence[SpeechChunk], segments: Iterable[Segment], least: float
) -> Iterator[Finding]:
    """Stretches of speech, of `least` seconds or more, without text."""
    texts = _merged((segment.start, segment.end) for segment in segments if segment.text.strip())
    first = 0
    for chunk in speech:
        at, end = chunk.start / SAMPLE_RATE, chunk.end / SAMPLE_RATE
        while first < len(texts) and texts[first][1] + _TOLERANCE <= at:
            first += 1
        for begin, until in texts[first:]:
            if begin - _TOLERANCE >= end:
                break
            if begin - _TOLERANCE - at >= least:
                yield Finding(FindingKind.MISSING_SPEECH, at, begin)
            at = max(at, until + _TOLERANCE)
        if end - at >= least:
            yield Finding(FindingKind.MISSING_SPEECH, at, end)


def _merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans of time in order, with adjacent ones joined."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1] + 2 * _TOLERANCE:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


# --- text without speech -------------------------------------------------------------------------


def credits_in(segments: Iterable[Segment], marked: Sequence[Finding]) -> Iterator[Finding]:
    """Credits of subtitles, which nobody says, that are not among the findings `marked`."""
    for segment in segments:
        if is_credit(segment.text) and not is_marked(segment, marked):
            found = unspoken(segment.start, segment.end, segment.text)
            yield found if segment.channel is None else replace(found, channel=segment.channel)


def is_marked(segment: Segment, findings: Iterable[Finding]) -> bool:
    """Whether the segment is one that the findings call text without speech."""
    middle = (segment.start + segment.end) / 2
    kind = FindingKind.UNSPOKEN
    return any(
        one.kind is kind
        and one.start <= middle <= one.end
        and one.channel in {None, segment.channel}
        for one in findings
    )


def left_out(finding: Finding) -> Finding:
    """The finding when text without speech is left out of the transcripts."""
    if finding.kind is not FindingKind.UNSPOKEN:
        return finding
    return replace(finding, detail=f"{finding.detail}; left out")


# --- languages -----------------------------------------------------------------------------------


def other_languages(spoken: Sequence[Spoken], language: str) -> Iterator[Finding]:
    """Stretches in another language than the file's, where that is certain."""
    sure = (one for one in spoken if one.probability >= _SURE_LANGUAGE)
    for code, group in groupby(sure, key=lambda one: one.language):
        if code == language:
            continue
        run = list(group)
        name = LANGUAGES.get(code, code).capitalize()
        yield Finding(FindingKind.LANGUAGE, run[0].start, run[-1].end, name)
