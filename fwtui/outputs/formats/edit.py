"""Editing of transcripts before they are written: corrections, tidying, joined sentences. Pure.

A text is edited in pieces (its words if their times are known, else the whole), so that words
keep their times.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from msgspec.structs import replace

from fwtui.core.segment import Segment, Transcript, Word
from fwtui.core.settings import OutputSettings

# Seconds of a pause, and of a length, that end a sentence without a full stop.
_PAUSE, _LONG = 2.0, 30.0
_END = re.compile(r"""(\.\.\.|[.?!…。．？！؟।])["'”’»)\]」』]*\s*$""")  # noqa: RUF001


def joined(segments: Iterable[Segment]) -> Iterator[Segment]:
    """One segment per sentence, renumbered. Segments are not cut: one may contain two ends."""
    number = 0
    parts: list[Segment] = []
    for segment in segments:
        if parts and (
            segment.start - parts[-1].end >= _PAUSE or segment.end - parts[0].start > _LONG
        ):
            number += 1
            yield _join(parts, number)
            parts = []
        parts.append(segment)
        if _END.search(segment.text):
            number += 1
            yield _join(parts, number)
            parts = []
    if parts:
        yield _join(parts, number + 1)


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


_SPACES = re.compile(r"\s+")
_BEFORE_PUNCTUATION = re.compile(r"\s+(?=[,.;:!?…](?!\w))")
# Not after a single letter: "e.g." and "U.S." do not end a sentence.
_SENTENCE_END = re.compile(r"([?!…]|(?<!\b\w)\.)[\"'”’»)\]]*\s*$")  # noqa: RUF001
# Scripts with spaces between words: only whole words are corrected there.
_SPACED = r"[\w](?<![\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff])"


def edited(
    transcript: Transcript, output: OutputSettings, rules: Mapping[str, str] | None = None
) -> Transcript:
    """The transcript edited as the settings ask; the same object if they ask for nothing.

    `rules` are corrections, as returned by `parse_replacements`.
    """
    if not (rules or output.tidy_text or output.join_sentences):
        return transcript
    segments: Iterable[Segment] = transcript.segments
    if rules:
        pattern = _pattern(rules)
        segments = [_corrected(segment, rules, pattern) for segment in segments]
    if output.tidy_text:
        segments = _tidy(segments)
    if output.join_sentences:
        segments = joined(segments)
    return replace(transcript, segments=tuple(segments))


def _pattern(rules: Mapping[str, str]) -> re.Pattern[str]:
    """Matches whole words in any case, the longest first, with any white space in between."""
    longest = sorted(rules, key=len, reverse=True)
    return re.compile("|".join(_whole(rule) for rule in longest), re.IGNORECASE)


def _whole(rule: str) -> str:
    inside = r"\s+".join(re.escape(word) for word in rule.split())
    before = r"(?<!\w)" if re.match(_SPACED, rule[0]) else ""
    behind = r"(?!\w)" if re.match(_SPACED, rule[-1]) else ""
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
        done.append(Word(merged[0].start, merged[-1].end, part, least))
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


def _tidy(segments: Iterable[Segment]) -> list[Segment]:
    tidy: list[Segment] = []
    begins = True
    for segment in segments:
        if segment.words:
            words = []
            for word in segment.words:
                text, begins = tidied(word.word, begins=begins)
                words.append(replace(word, word=text))
            text = "".join(word.word for word in words)
            tidy.append(replace(segment, text=text, words=tuple(words)))
        else:
            text, begins = tidied(segment.text, begins=begins)
            tidy.append(replace(segment, text=text))
    return tidy


def tidied(text: str, *, begins: bool) -> tuple[str, bool]:
    """A piece of text, tidied, and whether a sentence begins after it (`begins`: in front)."""
    text = _BEFORE_PUNCTUATION.sub("", _SPACES.sub(" ", text))
    letters: list[str] = []
    for place, letter in enumerate(text):
        if begins and letter.isalnum():
            letters.append(letter.upper() if len(letter.upper()) == 1 else letter)
            begins = False
            continue
        letters.append(letter)
        if letter.isspace() and _SENTENCE_END.search(text[:place]):
            begins = True
    return "".join(letters), begins or bool(_SENTENCE_END.search(text))
