"""The results of the checks: one for each thing checked, their exit code and summary."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from fwtui.errors import ExitCode


class Severity(StrEnum):
    """The severity of a result, in ascending order."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class CheckResult(msgspec.Struct, frozen=True):
    """The result of a check: `text` describes it, `fix` says what to do, if anything."""

    group: str
    name: str
    level: Severity
    text: str
    fix: str = ""


def worst(results: Iterable[CheckResult]) -> Severity:
    """The highest severity."""
    order = list(Severity)
    return max((one.level for one in results), key=order.index, default=Severity.OK)


def exit_code(level: Severity) -> ExitCode:
    """0: no problems; 1: warnings; 4: fwtui cannot work."""
    match level:
        case Severity.OK | Severity.NOTE:
            return ExitCode.DONE
        case Severity.WARNING:
            return ExitCode.SOME_FAILED
        case Severity.ERROR:
            return ExitCode.CANNOT_START


def summary(results: Iterable[CheckResult]) -> str:
    """`2 problems, 1 warning`, or `no problems`."""
    levels = [one.level for one in results]
    parts = []
    for level, word in ((Severity.ERROR, "problem"), (Severity.WARNING, "warning")):
        if count := levels.count(level):
            parts.append(f"{count} {word}{'s' if count > 1 else ''}")
    return ", ".join(parts) or "no problems"
