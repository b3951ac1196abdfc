"""Quality check: finds passages of a transcript that somebody should listen to. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from fwtui.core.decoding import clip_points
from fwtui.core.finding import Finding, FindingKind
from fwtui.core.languages import LANGUAGES
from fwtui.core.scripts import has_no_spaces, is_letter, is_mark
from fwtui.core.segment import Segment, Transcript
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
    transcript: Transcript,
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
    if quality.check_text:
        limit = decoding.compression_ratio_threshold or _COMPRESSION
        found += limited(repetitions(transcript.segments, limit))
        found += limited(low_confidence(transcript.segments, quality.low_confidence))
    speech = plan.heard if plan.heard is not None else plan.speech
    if speech is not None and not clip_points(decoding.clip_timestamps):
        found += limited(missing_speech(speech, transcript.segments, quality.missing_speech_s))
    if quality.check_languages and not decoding.multilingual:
        found += limited(other_languages(spoken, plan.language))
    return tuple(sorted(found, key=lambda finding: (finding.start, finding.end)))


def fast_subtitles(transcript: Transcript, output: OutputSettings) -> tuple[Finding, ...]:
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


class _Word(NamedTuple):
    """A word as it is compared, the index of its segment, and its place in that one's text."""

    text: str
    segment: int
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


def repetitions(segments: Sequence[Segment], compression: float) -> Iterator[Finding]:
    """Passages with a repeated phrase, or with a compression ratio above `compression`."""
    marked: dict[int, str] = {
        number: f"compression ratio {segment.compression_ratio:.1f}"
        for number, segment in enumerate(segments)
        if segment.compression_ratio > compression
    }
    words = [word for number, one in enumerate(segments) for word in _words(one.text, number)]
    for loop in _loops([word.text for word in words], _MIN_WORDS):
        phrase = words[loop.begin : loop.begin + loop.length]
        if loop.end - loop.begin < _MIN_LETTERS and all(map(_is_single, phrase)):
            continue
        detail = f"{loop.times}× “{_said(phrase, segments)}”"
        for number in range(phrase[0].segment, words[loop.end - 1].segment + 1):
            marked[number] = detail
    for loop in _loops([_compared(segment.text) for segment in segments], _MIN_TIMES):
        phrase_segments = segments[loop.begin : loop.begin + loop.length]
        if not any(segment.text.strip() for segment in phrase_segments):
            continue
        said = _shortened("".join(segment.text for segment in phrase_segments))
        for number in range(loop.begin, loop.end):
            marked[number] = f"{loop.times}× “{said}”"
    return _passages(FindingKind.REPETITION, segments, marked)


def _words(text: str, segment: int) -> Iterator[_Word]:
    """The words of a text; single letters where there are no spaces, signs where no letters are."""
    only_signs = not any(map(is_letter, text))
    begin = None
    for place, letter in enumerate(text):
        inside = is_letter(letter) or (only_signs and not letter.isspace())
        alone = only_signs or has_no_spaces(letter)
        if begin is not None and (not inside or (alone and not is_mark(letter))):
            yield _Word(text[begin:place].casefold(), segment, begin, place)
            begin = None
        if inside and begin is None:
            begin = place
    if begin is not None:
        yield _Word(text[begin:].casefold(), segment, begin, len(text))


def _is_single(word: _Word) -> bool:
    """Whether a word is one letter of a script without spaces, or a sign."""
    return not is_letter(word.text[0]) or has_no_spaces(word.text[0])


def _said(phrase: Sequence[_Word], segments: Sequence[Segment]) -> str:
    """The text of the segments from the first to the last of these words."""
    first, last = phrase[0], phrase[-1]
    if first.segment == last.segment:
        return _shortened(segments[first.segment].text[first.begin : last.end])
    between = (segments[number].text for number in range(first.segment + 1, last.segment))
    begin, end = (
        segments[first.segment].text[first.begin :],
        segments[last.segment].text[: last.end],
    )
    return _shortened(" ".join([begin, *between, end]))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _compared(text: str) -> str:
    """A segment's text as it is compared: its words, or its signs if it has no words."""
    words = "".join(letter if is_letter(letter) else " " for letter in text.casefold()).split()
    return " ".join(words or text.split())


def _loops(words: Sequence[str], least: int) -> Iterator[_Loop]:
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


def low_confidence(segments: Sequence[Segment], threshold: float) -> Iterator[Finding]:
    """Passages whose mean log probability is below the threshold."""
    marked = {
        number: f"{segment.avg_logprob:.1f}"
        for number, segment in enumerate(segments)
        if segment.avg_logprob < threshold
    }
    return _passages(FindingKind.LOW_CONFIDENCE, segments, marked)


def _passages(
    kind: FindingKind, segments: Sequence[Segment], marked: dict[int, str]
) -> Iterator[Finding]:
    """One finding for neighbouring segments with the same detail; of log probs., the lowest."""
    numbers = sorted(marked)
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        if kind is FindingKind.LOW_CONFIDENCE:
            lowest = min((marked[number] for number in run), key=float)
            yield Finding(
                kind, segments[run[0]].start, segments[run[-1]].end, f"log prob. {lowest}"
            )
            continue
        for detail, part in groupby(run, key=lambda number: marked[number]):
            same = list(part)
            yield Finding(kind, segments[same[0]].start, segments[same[-1]].end, detail)


# --- speech without text -------------------------------------------------------------------------


def missing_speech(
    speech: Sequence[SpeechChunk], segments: Sequence[Segment], least: float
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
