"""Editing of transcripts before they are written: corrections, tidying, joined sentences. Pure.

A text is edited in pieces (its words if their times are known, else the whole), so that words
keep their times.
"""

import dataclasses
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import overload

from msgspec.structs import replace

from fwtui.core.attribution import by_speaker
from fwtui.core.scripts import is_mark, is_unspaced, marks_class
from fwtui.core.segment import (
    AnyTranscript,
    MappedSegments,
    Segment,
    Transcript,
    TranscriptStream,
    Word,
)
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.sentences import Ending, begins_sentence, ending

LanguageOf = Callable[[Segment], str]

# Seconds of a pause, and of a length, that end a sentence without a full stop.
_PAUSE, _LONG = 2.0, 30.0


def joined(segments: Iterable[Segment], language: LanguageOf) -> Iterator[Segment]:
    """One segment per sentence, renumbered. Segments are not cut: one may contain two ends.

    Sentences of several speakers are cut where the speaker changes.

    Where the script has no spaces, segments are only joined up to a mark that ends a sentence:
    others would be a line without end.
    """
    number = 0
    for sentence in _sentences(segments, language):
        for parts in sentence:
            number += 1
            yield _join(parts, number)


def _sentences(segments: Iterable[Segment], language: LanguageOf) -> Iterator[list[list[Segment]]]:
    """Groups of segments: the parts of each sentence, or each part alone."""
    parts: list[Segment] = []
    for segment in by_speaker(segments):
        if parts and _ends_before(parts, segment, language):
            yield _grouped(parts, language)
            parts = []
        parts.append(segment)
    if parts:
        yield _grouped(parts, language)


def _ends_before(parts: Sequence[Segment], following: Segment, language: LanguageOf) -> bool:
    return (
        following.speaker != parts[-1].speaker
        or following.start - parts[-1].end >= _PAUSE
        or following.end - parts[0].start > _LONG
        or begins_sentence(following.text, parts[-1].text, language(parts[-1]))
    )


def _grouped(parts: list[Segment], language_of: LanguageOf) -> list[list[Segment]]:
    language = language_of(parts[-1])
    if ending(parts[-1].text, language) is Ending.NO and any(
        is_unspaced(p.text, language) for p in parts
    ):
        return [[part] for part in parts]
    return [parts]


def _join(parts: list[Segment], number: int) -> Segment:
    """The parts as one segment, with the quality figures of the worst part."""
    first, last = parts[0], parts[-1]
    known = [part.words for part in parts if part.words is not None]
    return replace(
        first,
        id=number,
        end=last.end,
        text="".join(part.text for part in parts),
        tokens=tuple(token for part in parts for token in part.tokens),
        avg_logprob=min(part.avg_logprob for part in parts),
        compression_ratio=max(part.compression_ratio for part in parts),
        no_speech_prob=max(part.no_speech_prob for part in parts),
        words=tuple(word for words in known for word in words)
        if len(known) == len(parts)
        else None,
    )


# No-break and other special spaces are there on purpose.
_SPACES = re.compile(r"[ \t\n\r\f\v]+")
_BEFORE_PUNCTUATION = re.compile(r"\s+(?=([,.!?…]|[:;](?![()DP-]))(?!\w))")  # not ":-)"
# French has a space before its high punctuation, and inside its quotes.
_BEFORE_LOW_PUNCTUATION = re.compile(r"\s+(?=[,.…](?!\w))")
_HIGH_PUNCTUATION_SPACED = frozenset({"", "br", "fr", "oc"})
# One-letter words before which nothing is a capital: "'s ochtends", "'n man".
_CLITICS = {"nl": "'’", "af": "'’"}  # noqa: RUF001
_DOTTED_I = frozenset({"az", "tr"})
# Scripts with spaces between words: only whole words are corrected there.
_SPACED = (
    r"[\w](?<![\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\ua980-\ua9ff"
    r"\uaa60-\uaa7f\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])"
)


@overload
def edited(
    transcript: Transcript,
    output: OutputSettings,
    rules: Mapping[str, str] | None = None,
    language_of: LanguageOf | None = None,
) -> Transcript: ...


@overload
def edited(
    transcript: AnyTranscript,
    output: OutputSettings,
    rules: Mapping[str, str] | None = None,
    language_of: LanguageOf | None = None,
) -> AnyTranscript: ...


def edited(
    transcript: AnyTranscript,
    output: OutputSettings,
    rules: Mapping[str, str] | None = None,
    language_of: LanguageOf | None = None,
) -> AnyTranscript:
    """The transcript edited as the settings ask; the same object if they ask for nothing.

    `rules` are corrections, as returned by `parse_replacements`; `language_of` gives the language
    of a segment's text, if that is not always the transcript's.
    """
    if not (rules or output.tidy_text or output.join_sentences):
        return transcript
    language = transcript.language
    of = language_of or (lambda _: language)
    pattern = _pattern(rules) if rules else None

    def change(segments: Iterable[Segment]) -> Iterable[Segment]:
        if rules and pattern:
            segments = (_corrected(segment, rules, pattern) for segment in segments)
        if output.tidy_text:
            segments = _tidy(segments, of)
        return joined(segments, of) if output.join_sentences else segments

    if isinstance(transcript, TranscriptStream):
        return dataclasses.replace(transcript, segments=MappedSegments(transcript.segments, change))
    return replace(transcript, segments=tuple(change(transcript.segments)))


def _pattern(rules: Mapping[str, str]) -> re.Pattern[str]:
    """Matches whole words in any case, the longest first, with any white space in between."""
    longest = sorted(rules, key=len, reverse=True)
    return re.compile("|".join(_whole(rule) for rule in longest), re.IGNORECASE)


def _whole(rule: str) -> str:
    inside = r"\s+".join(re.escape(word) for word in rule.split())
    letter = rf"[\w{marks_class()}]"
    before = f"(?<!{letter})" if re.match(_SPACED, rule[0]) else ""
    last = next((one for one in reversed(rule) if not is_mark(one)), rule[-1])
    behind = f"(?!{letter})" if re.match(_SPACED, last) else ""
    return f"{before}{inside}{behind}"


def _corrected(segment: Segment, rules: Mapping[str, str], pattern: re.Pattern[str]) -> Segment:
    def right(found: re.Match[str]) -> str:
        return rules.get(" ".join(found[0].split()).casefold(), found[0])

    text = pattern.sub(right, segment.text)
    if text == segment.text:
        return segment
    words = segment.words and _corrected_words(segment.words, pattern, right)
    return replace(segment, text=text, words=words)


def _corrected_words(
    words: Sequence[Word], pattern: re.Pattern[str], right: Callable[[re.Match[str]], str]
) -> tuple[Word, ...]:
    """Merge the words that one correction replaces into one word, with their times."""
    text = "".join(word.word for word in words)
    ends = list(accumulate(len(word.word) for word in words))
    done: list[Word] = []
    at = 0  # of the next word
    for first, last, part in _groups(text, ends, pattern, right):
        done += words[at:first]
        merged = words[first : last + 1]
        least = min(word.probability for word in merged)
        speaker = merged[0].speaker
        done.append(Word(merged[0].start, merged[-1].end, part, least, speaker))
        at = last + 1
    return (*done, *words[at:])


def _groups(
    text: str,
    ends: Sequence[int],
    pattern: re.Pattern[str],
    right: Callable[[re.Match[str]], str],
) -> Iterator[tuple[int, int, str]]:
    """First and last index of the words that corrections replace, and the text for them."""
    groups: list[tuple[int, int, list[re.Match[str]]]] = []
    for found in pattern.finditer(text):
        first, last = bisect_right(ends, found.start()), bisect_left(ends, found.end())
        if groups and first <= groups[-1][1]:
            before = groups.pop()
            groups.append((before[0], max(last, before[1]), [*before[2], found]))
        else:
            groups.append((first, last, [found]))
    for first, last, matches in groups:
        at = ends[first - 1] if first else 0
        part = ""
        for found in matches:
            part += text[at : found.start()] + right(found)
            at = found.end()
        yield first, last, part + text[at : ends[last]]


def _tidy(segments: Iterable[Segment], language_of: LanguageOf) -> Iterator[Segment]:
    begins = True
    for segment in segments:
        language = language_of(segment)
        if segment.words:
            words = []
            for word in segment.words:
                text, begins = tidied(word.word, language, begins=begins)
                words.append(replace(word, word=text))
            text = "".join(word.word for word in words)
            yield replace(segment, text=text, words=tuple(words))
        else:
            text, begins = tidied(segment.text, language, begins=begins)
            yield replace(segment, text=text)


def tidied(text: str, language: str, *, begins: bool) -> tuple[str, bool]:
    """A piece of text, tidied, and whether a sentence begins after it (`begins`: in front).

    Text of scripts without spaces between words is not changed.
    """
    if is_unspaced(text, language):
        return text, ending(text, language) is Ending.YES
    spaced = language in _HIGH_PUNCTUATION_SPACED
    unwanted = _BEFORE_LOW_PUNCTUATION if spaced else _BEFORE_PUNCTUATION
    text = unwanted.sub("", _SPACES.sub(" ", text))
    parts = re.split(r"(?<=\s)(?=\S)", text)
    done = ""
    for part in parts:
        if begins and any(letter.isalnum() for letter in part):
            capitalised, begins = _capitalised(part, language)
            done += capitalised
        else:
            done += part
        if part.strip():
            begins = begins or ending(done, language) is Ending.YES
    return done, begins


def _capitalised(word: str, language: str) -> tuple[str, bool]:
    """A word as the first of a sentence, and whether the next one is (after Dutch "'s")."""
    place = next(place for place, letter in enumerate(word) if letter.isalnum())
    stem = word.strip()
    if stem[0] in _CLITICS.get(language, "") and len(stem) == 2:
        return word, True
    first, rest = word[place], word[place + 1 :]
    if rest[:1].isupper():  # "iPhone"
        return word, False
    if language in _DOTTED_I and first == "i":
        return f"{word[:place]}İ{rest}", False
    if language == "nl" and word[place:].startswith("ij"):
        return f"{word[:place]}IJ{rest[1:]}", False
    # Not upper(): Georgian has capitals, but not for sentences.
    title = first.title()
    return f"{word[:place]}{title if len(title) == 1 else first}{rest}", False
