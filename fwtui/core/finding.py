"""Findings: passages of a transcript that should be checked, with their times."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from fwtui.core.channels import channel_name


class FindingKind(StrEnum):
    """Why a passage should be checked."""

    REPETITION = "repetition"
    LOW_CONFIDENCE = "low_confidence"
    MISSING_SPEECH = "missing_speech"
    LANGUAGE = "language"
    TOO_FAST = "too_fast"
    CUT_OFF = "cut_off"
    UNSPOKEN = "text_without_speech"
    SPEAKER = "doubtful_speaker"


class Finding(msgspec.Struct, frozen=True):
    """A passage to check. Times in seconds; `detail` is text for the user.

    `channel`: the only one that it is about, from 0.
    """

    kind: FindingKind
    start: float
    end: float
    detail: str = ""
    channel: int | None = None


TITLES = {
    FindingKind.REPETITION: "repetition",
    FindingKind.LOW_CONFIDENCE: "low confidence",
    FindingKind.MISSING_SPEECH: "missing text",
    FindingKind.LANGUAGE: "other language",
    FindingKind.TOO_FAST: "too fast to read",
    FindingKind.CUT_OFF: "text cut off",
    FindingKind.UNSPOKEN: "text without speech",
    FindingKind.SPEAKER: "doubtful speaker",
}


def finding_text(finding: Finding) -> str:
    """The finding as text, without its times."""
    title = TITLES[finding.kind]
    if finding.channel is not None:
        title = f"{title} ({channel_name(finding.channel, 2 if finding.channel < 2 else 3)})"
    return f"{title}: {finding.detail}" if finding.detail else title


def findings_text(findings: Iterable[Finding]) -> str:
    """Findings counted by kind: "2× repetition, other language"; empty if there are none."""
    kinds = Counter(finding.kind for finding in findings)
    return ", ".join(
        f"{kinds[kind]}× {title}" if kinds[kind] > 1 else title
        for kind, title in TITLES.items()
        if kinds[kind]
    )
