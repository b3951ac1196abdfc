"""What the doctor says: one finding for each thing that was looked at."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from fwtui.errors import ExitCode


class Severity(StrEnum):
    """How much a finding matters, the least first."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class CheckResult(msgspec.Struct, frozen=True):
    """`text` says what is; `fix` what to do about it, empty where nothing needs to be done."""

    group: str
    name: str
    level: Severity
    text: str
    fix: str = ""


def worst(findings: Iterable[CheckResult]) -> Severity:
    """The level of all of them together."""
    order = list(Severity)
    return max((one.level for one in findings), key=order.index, default=Severity.OK)


def exit_code(level: Severity) -> ExitCode:
    """0: nothing to do; 1: warnings; 4: something keeps fwtui from working."""
    match level:
        case Severity.OK | Severity.NOTE:
            return ExitCode.DONE
        case Severity.WARNING:
            return ExitCode.SOME_FAILED
        case Severity.ERROR:
            return ExitCode.CANNOT_START


def summary(findings: Iterable[CheckResult]) -> str:
    """`2 problems, 1 warning`, or that all is well."""
    levels = [one.level for one in findings]
    parts = []
    for level, word in ((Severity.ERROR, "problem"), (Severity.WARNING, "warning")):
        if count := levels.count(level):
            parts.append(f"{count} {word}{'s' if count > 1 else ''}")
    return ", ".join(parts) or "all is well"
