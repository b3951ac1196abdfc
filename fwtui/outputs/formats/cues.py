"""Line breaking of subtitles: segments to cues for srt, vtt and ass, the same as in whisper.

With word times, words are filled into lines and lines into subtitles by the user's limits. If
the first segment has no word times, every segment is one subtitle.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from fwtui.core.segment import Segment, Transcript, Word
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.layout import milliseconds, without_blank_lines

# Seconds between the starts of two words that end a subtitle, when subtitles span segments.
_LONG_PAUSE = 3.0
# Whisper's "no limit": characters in a line, words in a line.
_UNLIMITED = 1000

_WORD = re.compile(r"^(\s*)(.*)$")


class Cue(NamedTuple):
    """One subtitle; times in milliseconds, the text may have several lines."""

    start: int
    end: int
    text: str


def cues(transcript: Transcript, settings: OutputSettings) -> Iterator[Cue]:
    """The subtitles of a transcript, in order."""
    found = _laid_out(transcript, settings)
    if settings.min_gap_ms and not settings.highlight_words:
        return apart(found, settings.min_gap_ms)
    return found


def apart(found: Iterable[Cue], gap: int) -> Iterator[Cue]:
    """The subtitles with `gap` ms between them: they end earlier, but last half their time."""
    before: Cue | None = None
    for cue in found:
        if before is not None:
            yield _ending(before, cue.start - gap)
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
        characters = len(" ".join(cue.text.split()))
        if characters:
            speed = characters * 1000 / max(1, cue.end - cue.start)
            if speed > limit:
                yield cue, speed


def _laid_out(transcript: Transcript, settings: OutputSettings) -> Iterator[Cue]:
    if transcript.segments and transcript.segments[0].words:
        for subtitle in _subtitles(transcript.segments, settings):
            yield from _highlighted(subtitle) if settings.highlight_words else [_plain(subtitle)]
    else:
        for segment in transcript.segments:
            # Only here, as in whisper: an arrow in a text could be read as a line of times.
            text = without_blank_lines(segment.text.strip().replace("-->", "->"))
            yield Cue(milliseconds(segment.start), milliseconds(segment.end), text)


def _plain(subtitle: list[Word]) -> Cue:
    text = without_blank_lines("".join(word.word for word in subtitle))
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
        marked = [*texts[:i], _WORD.sub(r"\1<u>\2</u>", texts[i]), *texts[i + 1 :]]
        yield Cue(start, end, without_blank_lines("".join(marked)))
        shown_until = end


def _subtitles(segments: tuple[Segment, ...], settings: OutputSettings) -> Iterator[list[Word]]:
    """Words grouped into subtitles; the first word of a line has a line break before it."""
    chunk = settings.max_words_per_line or _UNLIMITED
    layout: _Layout | None = None
    for segment in segments:
        words = segment.words or (Word(segment.start, segment.end, segment.text, 0.0),)
        layout = layout or _Layout(settings, words[0].start)
        for i, word in enumerate(words):
            if done := layout.add(word, begins_chunk=i % chunk == 0):
                yield done
    if layout and layout.subtitle:
        yield layout.subtitle


class _Layout:
    """A subtitle that is filled word by word."""

    def __init__(self, settings: OutputSettings, first_start: float) -> None:
        self.subtitle: list[Word] = []
        self._width = settings.max_line_width or _UNLIMITED
        self._lines = settings.max_line_count
        # Subtitles span segments only if all three limits are set.
        self._keep_segments = None in {
            settings.max_line_width,
            settings.max_line_count,
            settings.max_words_per_line,
        }
        self._line_width = 0
        self._line_count = 1
        self._last_start = first_start

    def add(self, word: Word, *, begins_chunk: bool) -> list[Word] | None:
        """Add a word; returns the subtitle that ends before it, if any."""
        pause = not self._keep_segments and word.start - self._last_start > _LONG_PAUSE
        boundary = begins_chunk and bool(self.subtitle) and self._keep_segments
        self._last_start = word.start
        fits = self._line_width + len(word.word) <= self._width
        if self._line_width > 0 and fits and not pause and not boundary:
            self._line_width += len(word.word)
            self.subtitle.append(word)
            return None
        return self._begin_line(word, boundary=boundary, pause=pause)

    def _begin_line(self, word: Word, *, boundary: bool, pause: bool) -> list[Word] | None:
        done = None
        text = word.word.strip()
        line_break = ""
        if boundary or (self.subtitle and self._is_full(pause=pause)):
            done, self.subtitle, self._line_count = self.subtitle, [], 1
        elif self._line_width > 0:
            self._line_count += 1
            line_break = "\n"
        self._line_width = len(text)
        self.subtitle.append(msgspec.structs.replace(word, word=line_break + text))
        return done

    def _is_full(self, *, pause: bool) -> bool:
        return self._lines is not None and (pause or self._line_count >= self._lines)
