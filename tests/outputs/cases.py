"""Transcripts and option sets for the golden files: hand-made corners and generated speech."""

import math
import random

from fwtui.core.segment import Segment, Transcript, Word
from fwtui.core.settings import OutputSettings

LONG = " ".join(["Lorem ipsum dolor sit amet"] * 12)

OPTIONS = {
    "plain": OutputSettings(),
    "pretty": OutputSettings(pretty_json=True),
    "highlight": OutputSettings(highlight_words=True),
    "width": OutputSettings(max_line_width=18),
    "narrow": OutputSettings(max_line_width=1, max_line_count=1),
    "width_count": OutputSettings(max_line_width=18, max_line_count=2),
    "words": OutputSettings(max_words_per_line=3),
    "words_count": OutputSettings(max_words_per_line=4, max_line_count=1),
    "all": OutputSettings(max_line_width=18, max_line_count=2, max_words_per_line=3),
    "all_highlight": OutputSettings(
        max_line_width=30, max_line_count=3, max_words_per_line=1, highlight_words=True
    ),
}
# The option sets that make a difference, by format and by whether there are word times.
LAYOUTS = tuple(name for name in OPTIONS if name != "pretty")
USED = {"txt": ("plain",), "tsv": ("plain",), "json": ("plain", "pretty")}


def segment(start: float, end: float, text: str, words: tuple[Word, ...] | None = None) -> Segment:
    """A segment with the values that do not matter here."""
    return Segment(
        id=int(start) + 1,
        seek=int(start * 100),
        start=start,
        end=end,
        text=text,
        tokens=(50364, 1, 50465),
        avg_logprob=-0.2537,
        compression_ratio=1.0 + len(text) / 97,
        no_speech_prob=1e-07,
        words=words,
        temperature=0.0,
    )


def spoken(start: float, *words: str, gap: float = 0.0, length: float = 0.5) -> Segment:
    """A segment with a time for every word; `gap` seconds before each."""
    timed = []
    at = start
    for word in words:
        timed.append(Word(round(at + gap, 3), round(at + gap + length, 3), word, 0.875))
        at += gap + length
    return segment(start, round(at, 3), "".join(words), tuple(timed))


def generated(seed: int, count: int) -> Transcript:
    """Random speech with word times, pauses of up to 8 s, and segments that have no words."""
    rng = random.Random(seed)
    segments = []
    at = 0.0
    for i in range(count):
        at = round(at + rng.choice([0.0, 0.0, 0.12, 1.5, 3.0, 3.02, 8.0]), 2)
        words = tuple(_random_word(rng) for _ in range(1 + int(rng.random() * 9)))
        found = spoken(at, *words, gap=rng.choice([0.0, 0.0, 0.07, 3.4]))
        if i and rng.random() < 0.1:
            found = segment(found.start, found.end, found.text, rng.choice([None, ()]))
        segments.append(found)
        at = found.end
    return Transcript("en", tuple(segments), at)


def _random_word(rng: random.Random) -> str:
    letters = "".join(chr(97 + int(rng.random() * 26)) for _ in range(int(rng.random() * 12)))
    return rng.choice([" ", " ", " ", " ", "", "  "]) + letters


CASES = {
    "empty": Transcript("en", ()),
    "simple": Transcript(
        "en", (segment(0.0, 2.0, " Hello there."), segment(2.0, 4.56, " How are you?"))
    ),
    "unicode": Transcript(
        "ja",
        (
            segment(0.0, 1.0, " こんにちは 世界"),
            segment(1.0, 2.0, ' "Grüße" \\ \u2028 \x85 \x07 \U0001f600 </b> & <i>'),
        ),
    ),
    "corners": Transcript(
        "de",
        (
            segment(0.0, 0.0, ""),
            segment(0.0004, 0.0005, "   "),
            segment(1.0005, 1.0015, " a --> b\tc\t --> "),
            segment(3599.9994, 3599.9996, LONG),
            segment(3600.0, 7325.1, "one hour"),
            segment(360000.0, 445566.778, "more than a hundred hours"),
        ),
    ),
    "not_numbers": Transcript(
        "en",
        (
            Segment(
                id=1,
                seek=0,
                start=0.0,
                end=1.0,
                text="odd",
                tokens=(),
                avg_logprob=-math.inf,
                compression_ratio=math.nan,
                no_speech_prob=math.inf,
                temperature=None,
            ),
        ),
    ),
    "words": Transcript(
        "en",
        (
            spoken(0.0, " The", " quick", " brown", " fox", " jumps", " over", "-", "board", "."),
            spoken(4.5, " It", " -->", " rests", gap=0.25),
            spoken(12.0, " Then", " it", " goes", " on", " for", " a", " long", " while"),
            spoken(3605.5, " Late"),
        ),
    ),
    "words_unicode": Transcript(
        "zh",
        (
            spoken(0.0, "你", "好", "世界", "\uff0c", "今", "天", "天气", "很", "好", "。"),
            spoken(6.0, " Ça", " va", "?", "  ", "\u3000", " Oui", "", " ", gap=0.1),
        ),
    ),
    "words_then_none": Transcript(
        "en",
        (
            spoken(0.0, " First", " with", " words."),
            segment(2.0, 4.0, " Second without, but with --> an arrow."),
            segment(4.0, 6.0, " Third with an empty list.", ()),
            spoken(6.0, " Fourth", " again."),
        ),
    ),
    "none_then_words": Transcript(
        "en", (segment(0.0, 2.0, " First without."), spoken(2.0, " Second", " with"))
    ),
    "pauses": Transcript(
        "en",
        (
            spoken(0.0, " one", " two", " three", gap=2.5),
            spoken(20.0, " four", " five", gap=2.51),
            spoken(40.0, " six", " seven", gap=4.0),
        ),
    ),
    "long_segment": Transcript("en", (spoken(0.0, *[" w"] * 1003, length=0.1),)),
    "generated_1": generated(1, 20),
    "generated_2": generated(2, 20),
}


def has_words(transcript: Transcript) -> bool:
    """Whether whisper lays this transcript out by words."""
    return bool(transcript.segments and transcript.segments[0].words)


def golden_names() -> list[tuple[str, str, str]]:
    """(case, option set, format) of every golden file."""
    return [
        (case, options, name)
        for case, transcript in CASES.items()
        for name in ("txt", "vtt", "srt", "tsv", "json")
        for options in USED.get(name, LAYOUTS if has_words(transcript) else ("plain",))
        if case != "long_segment" or (name == "srt" and options in {"plain", "width"})
    ]
