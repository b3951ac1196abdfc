"""Line breaking of subtitles: segments to cues for srt, vtt and ass, the same as in whisper.

With word times, words are filled into lines and lines into subtitles by the user's limits. If
the first segment has no word times, every segment is one subtitle.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from fwtui.core.attribution import by_speaker
from fwtui.core.scripts import clusters, is_mark, is_unspaced, width
from fwtui.core.segment import AnyTranscript, Segment, Word
from fwtui.core.settings import OutputSettings
from fwtui.core.speakers import labelled
from fwtui.outputs.formats.layout import milliseconds, without_blank_lines

# Seconds between the starts of two words that end a subtitle, when subtitles span segments.
_LONG_PAUSE = 3.0
# Milliseconds that a subtitle lasts at least.
_LEAST = 10
# Whisper's "no limit": characters in a line, words in a line.
_UNLIMITED = 1000

_WORD = re.compile(r"^(\s*)(.*)$", re.DOTALL)
# Characters of a word of a script without spaces that is never cut.
_SHORT = 4


# Around a highlighted word, until a writer marks it up: characters for use inside a program.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_NO_MARKS = dict.fromkeys(map(ord, _OPEN + _CLOSE), "\ufffd")
# Chinese and Japanese marks and small letters that never begin a line.
_NOT_FIRST = frozenset("、。，．・：；？！‥…ー々〻ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ％")  # noqa: RUF001


class Cue(NamedTuple):
    """One subtitle; times in milliseconds, the text may have several lines.

    `parts` are the text before, in and after the highlighted word, if there is one; `speaker` is
    who says it, if that is known.
    """

    start: int
    end: int
    text: str
    parts: tuple[str, str, str] | None = None
    speaker: str | None = None

    def marked(self, before: str, after: str, escape: Callable[[str], str] = str) -> str:
        """The escaped text, with `before` and `after` around its highlighted word."""
        if self.parts is None:
            return escape(self.text)
        first, word, last = map(escape, self.parts)
        return f"{first}{before}{word}{after}{last}"

    def labelled(self, before: str, after: str, escape: Callable[[str], str] = str) -> str:
        """As `marked`, beginning with the speaker."""
        speaker = None if self.speaker is None else escape(self.speaker)
        return labelled(speaker, self.marked(before, after, escape))


def cues(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[Cue]:
    """The subtitles of a transcript, in order."""
    found = _laid_out(transcript, settings)
    if settings.min_gap_ms and not settings.highlight_words:
        return apart(found, settings.min_gap_ms)
    return found


def with_length(found: Iterable[Cue]) -> Iterator[Cue]:
    """The subtitles in order, those without a length made a little longer: players skip them.

    Those of one speaker do not overlap; several may speak at once. Words may have no length, and a
    segment without words may be over the words of others. What follows begins later if need be; at
    the end of the file, such a subtitle begins earlier.
    """
    last: Cue | None = None
    shown: dict[str | None, int] = {}
    is_long = True
    before = 0  # the end of the subtitle before `last`
    for cue in found:
        if last is not None:
            yield last
            before = last.end
        start, end = max(cue.start, shown.get(cue.speaker, 0)), cue.end
        is_long = end > start
        shown[cue.speaker] = end = end if is_long else start + _LEAST
        last = cue._replace(start=start, end=end)
    if last is not None:
        late = _LEAST if not is_long and last.start - _LEAST >= before else 0
        yield last._replace(start=last.start - late, end=last.end - late)


def apart(found: Iterable[Cue], gap: int) -> Iterator[Cue]:
    """The subtitles with `gap` ms between them: they end earlier, but last half their time.

    Where one speaker interrupts another, both stay as long as they are.
    """
    before: Cue | None = None
    for cue in found:
        if before is not None:
            both = before.speaker != cue.speaker and before.end > cue.start
            yield before if both else _ending(before, cue.start - gap)
        before = cue
    if before is not None:
        yield before


def _ending(cue: Cue, latest: int) -> Cue:
    if cue.end <= latest:
        return cue
    return cue._replace(end=max(latest, (cue.start + cue.end) // 2))


def too_fast(found: Iterable[Cue], limit: float) -> Iterator[tuple[Cue, float]]:
    """Subtitles with more than `limit` characters per second, and their number per second."""
    for cue in found:
        characters = width(" ".join(cue.text.split()))
        if characters:
            speed = characters * 1000 / max(1, cue.end - cue.start)
            if speed > limit:
                yield cue, speed


def _laid_out(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[Cue]:
    first = next(iter(transcript.segments), None)
    if first is not None and first.words:
        yield from with_length(_of_words(transcript, settings))
    else:
        for segment in by_speaker(transcript.segments):
            # Only here, as in whisper: an arrow in a text could be read as a line of times.
            text = without_blank_lines(segment.text.strip().replace("-->", "->"))
            start, end = milliseconds(segment.start), milliseconds(segment.end)
            yield Cue(start, end, text, speaker=segment.speaker)


def _of_words(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[Cue]:
    for speaker, subtitle in _subtitles(by_speaker(transcript.segments), settings):
        found = _highlighted(subtitle) if settings.highlight_words else (_plain(subtitle),)
        for cue in found:
            yield cue if speaker is None else cue._replace(speaker=speaker)


def _plain(subtitle: list[Word]) -> Cue:
    text = _text([word.word for word in subtitle])
    return Cue(milliseconds(subtitle[0].start), milliseconds(subtitle[-1].end), text)


def _highlighted(subtitle: list[Word]) -> Iterator[Cue]:
    """One cue for each word, underlined, and one for each gap between words."""
    whole = _plain(subtitle)
    shown_until = whole.start
    texts = [word.word for word in subtitle]
    for i, word in enumerate(subtitle):
        start, end = milliseconds(word.start), milliseconds(word.end)
        if shown_until != start:
            yield Cue(shown_until, start, whole.text)
        marked = _WORD.sub(rf"\1{_OPEN}\2{_CLOSE}", texts[i])
        first, word_and_last = _text([*texts[:i], marked, *texts[i + 1 :]]).split(_OPEN, 1)
        shown, last = word_and_last.split(_CLOSE, 1)
        yield Cue(start, end, first + shown + last, (first, shown, last))
        shown_until = end


def _text(texts: Sequence[str]) -> str:
    """The text of a subtitle: no empty lines, which would end it."""
    return without_blank_lines("".join(texts))


_Subtitle = tuple[str | None, list[Word]]
"""A speaker, if known, and the words."""


def _subtitles(segments: Iterable[Segment], settings: OutputSettings) -> Iterator[_Subtitle]:
    """Words grouped into subtitles; the first word of a line has a line break before it."""
    chunk = settings.max_words_per_line or _UNLIMITED
    layout: _Layout | None = None
    for segment in segments:
        words = segment.words or (Word(segment.start, segment.end, segment.text, 0.0),)
        words = _breakable(words, settings.max_line_width or _UNLIMITED)
        layout = layout or _Layout(settings, words[0].start)
        for i, word in enumerate(words):
            speaker = layout.speaker
            if done := layout.add(word, segment.speaker, begins_chunk=i % chunk == 0):
                yield speaker, done
    if layout and layout.subtitle:
        yield layout.speaker, layout.subtitle


def _breakable(words: tuple[Word, ...], limit: int) -> tuple[Word, ...]:
    """The words as they may be put on lines.

    Without the characters for marking; no word begins with an accent or vowel sign of the word
    before; none of a script without spaces is longer than a line.
    """
    if all(word.word.isascii() for word in words):
        return words
    whole: list[Word] = []
    for word in words:
        text = word.word.translate(_NO_MARKS)
        if whole and text and is_mark(text[0]):
            last = whole.pop()
            whole.append(msgspec.structs.replace(last, end=word.end, word=last.word + text))
        else:
            whole.append(msgspec.structs.replace(word, word=text))
    return tuple(piece for word in whole for piece in _pieces(word, limit))


def _pieces(word: Word, limit: int) -> Iterator[Word]:
    """A word of a script without spaces, cut to fit a line, each piece with its share of time."""
    if width(word.word.strip()) <= max(limit, _SHORT) or not is_unspaced(word.word):
        yield word
        return
    parts = list(clusters(word.word))
    share = (word.end - word.start) / len(parts)
    for at in range(0, len(parts), limit):
        last = at + limit >= len(parts)
        end = word.end if last else round(word.start + (at + limit) * share, 3)
        start = round(word.start + at * share, 3)
        yield Word(start, end, "".join(parts[at : at + limit]), word.probability, word.speaker)


def _clings(before: str, text: str) -> bool:
    """Whether no line may end between two texts, in Chinese and Japanese."""
    first, last = text[:1], before[-1:]
    return bool(first and last) and (
        first in _NOT_FIRST
        or _is_wide(first, "Pe", "Pf")
        or (_is_wide(last, "Ps", "Pi") and not first.isspace())
    )


def _is_wide(character: str, *categories: str) -> bool:
    return (
        unicodedata.category(character) in categories
        and unicodedata.east_asian_width(character) in "WF"
    )


class _Layout:
    """A subtitle that is filled word by word."""

    def __init__(self, settings: OutputSettings, first_start: float) -> None:
        self.subtitle: list[Word] = []
        self.speaker: str | None = None
        self._width = settings.max_line_width or _UNLIMITED
        self._lines = settings.max_line_count
        # Subtitles span segments only if all three limits are set.
        self._keep_segments = None in {
            settings.max_line_width,
            settings.max_line_count,
            settings.max_words_per_line,
        }
        self._line_width = 0
        self._line_words = 0
        self._line_count = 1
        self._last_start = first_start

    def add(self, word: Word, speaker: str | None, *, begins_chunk: bool) -> list[Word] | None:
        """Add a word of a speaker; returns the subtitle that ends before it, if any."""
        pause = not self._keep_segments and word.start - self._last_start > _LONG_PAUSE
        boundary = bool(self.subtitle) and (
            (begins_chunk and self._keep_segments) or speaker != self.speaker
        )
        self.speaker = speaker
        self._last_start = word.start
        fits = self._line_width + width(word.word) <= self._width
        if self._line_width > 0 and fits and not pause and not boundary:
            self._append(word)
            return None
        moved = [] if boundary or pause else self._taken_from_line(word)
        first, *rest = [*moved, word]
        done = self._begin_line(first, boundary=boundary, pause=pause)
        for one in rest:
            self._append(one)
        return done

    def _append(self, word: Word) -> None:
        self._line_width += width(word.word)
        self._line_words += 1
        self.subtitle.append(word)

    def _taken_from_line(self, word: Word) -> list[Word]:
        """Words taken from the end of the line, because `word` must not be separated from them."""
        moved = [word]
        count = 0
        while _clings(self.subtitle[-1 - count].word if self.subtitle else "", moved[0].word):
            count += 1
            if count >= self._line_words:
                return []
            moved.insert(0, self.subtitle[-count])
        if sum(width(one.word) for one in moved) > self._width:
            return []
        if count:
            del self.subtitle[-count:]
        return moved[:-1]

    def _begin_line(self, word: Word, *, boundary: bool, pause: bool) -> list[Word] | None:
        done = None
        text = word.word.strip()
        line_break = ""
        if boundary or (self.subtitle and self._is_full(pause=pause)):
            done, self.subtitle, self._line_count = self.subtitle, [], 1
        elif self._line_width > 0:
            self._line_count += 1
            line_break = "\n"
        label = 0 if self.subtitle else width(labelled(self.speaker, ""))
        self._line_width, self._line_words = label + width(text), 1
        self.subtitle.append(msgspec.structs.replace(word, word=line_break + text))
        return done

    def _is_full(self, *, pause: bool) -> bool:
        return self._lines is not None and (pause or self._line_count >= self._lines)
