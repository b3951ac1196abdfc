"""What is doubtful in a transcript: a passage, with its times, that somebody should listen to."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import msgspec


class FindingKind(StrEnum):
    """What is doubtful about a passage."""

    REPETITION = "repetition"
    LOW_CONFIDENCE = "low_confidence"
    MISSING_SPEECH = "missing_speech"
    LANGUAGE = "language"
    TOO_FAST = "too_fast"


class Finding(msgspec.Struct, frozen=True):
    """A passage to check. Times in seconds of the file; `detail` is for people."""

    kind: FindingKind
    start: float
    end: float
    detail: str = ""


TITLES = {
    FindingKind.REPETITION: "repeats itself",
    FindingKind.LOW_CONFIDENCE: "the model was unsure",
    FindingKind.MISSING_SPEECH: "speech without text",
    FindingKind.LANGUAGE: "another language",
    FindingKind.TOO_FAST: "too fast to read",
}


def said_of(finding: Finding) -> str:
    """The finding in words, without its times."""
    title = TITLES[finding.kind]
    return f"{title}: {finding.detail}" if finding.detail else title


def counted(findings: Iterable[Finding]) -> str:
    """How many of which kind: "2 x repeats itself, another language"; empty if there are none."""
    kinds = Counter(finding.kind for finding in findings)
    return ", ".join(
        f"{kinds[kind]} x {title}" if kinds[kind] > 1 else title
        for kind, title in TITLES.items()
        if kinds[kind]
    )
