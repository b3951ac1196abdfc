"""Hallucination detection: rules on the times and probabilities of words. Pure.

Ported from `WhisperModel.generate_segments` of faster-whisper 1.2.1 (MIT), where they are
nested functions. Segments are its dicts: start, end, and words with start, end, probability.
"""

from collections.abc import Sequence
from typing import Any

PUNCTUATION = "\"'“¿([{-\"'.。,，!！?？:：”)]}、"  # noqa: RUF001

SegmentDict = dict[str, Any]


def word_anomaly(word: dict[str, Any]) -> float:
    """Anomaly score of a word: improbable, very short or very long (0 is normal)."""
    duration = word["end"] - word["start"]
    score = 1.0 if word.get("probability", 0.0) < 0.15 else 0.0
    if duration < 0.133:
        score += (0.133 - duration) * 15
    if duration > 2.0:
        score += duration - 2.0
    return score


def is_anomalous(segment: SegmentDict | None) -> bool:
    """Whether the first words of a segment are anomalous enough to doubt all of it."""
    if segment is None or not segment["words"]:
        return False
    words = [word for word in segment["words"] if word["word"] not in PUNCTUATION][:8]
    score = sum(word_anomaly(word) for word in words)
    return score >= 3 or score + 0.01 >= len(words)


def next_spoken(segments: Sequence[SegmentDict]) -> SegmentDict | None:
    """The first segment that has words."""
    return next((segment for segment in segments if segment["words"]), None)


def leading_silence(segments: Sequence[SegmentDict], start: float, threshold: float) -> float:
    """Seconds of silence to skip before an anomalous first segment; 0 if there is none."""
    first = next_spoken(segments)
    if first is None or not is_anomalous(first):
        return 0.0
    gap = float(first["start"] - start)
    return gap if gap > threshold else 0.0


def first_hallucination(
    segments: Sequence[SegmentDict],
    *,
    start: float,
    duration: float,
    window_end: float,
    last_speech: float,
    threshold: float,
) -> int | None:
    """Index of the first anomalous segment with silence, or another anomaly, on both sides.

    All in seconds: `start`, `duration` and `window_end` (nominal) of the window, `last_speech`
    before it, and `threshold`, the minimum length of a silence.
    """
    last_end = last_speech
    for index, segment in enumerate(segments):
        if not segment["words"]:
            continue
        if is_anomalous(segment):
            following = next_spoken(segments[index + 1 :])
            next_start = following["words"][0]["start"] if following else start + duration
            silence_before = (
                segment["start"] - last_end > threshold
                or segment["start"] < threshold
                or segment["start"] - start < 2.0
            )
            silence_after = (
                next_start - segment["end"] > threshold
                or is_anomalous(following)
                or window_end - segment["end"] < 2.0
            )
            if silence_before and silence_after:
                return index
        last_end = segment["end"]
    return None
