"""The results of the checks: one for each thing checked, their exit code and summary."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from fwtui.core.events import GpuReading
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


class Cpu(msgspec.Struct, frozen=True):
    """The processor. `cores` that fwtui may use; `flags`: its features, empty if unknown."""

    name: str
    machine: str
    cores: int
    flags: frozenset[str] = frozenset()


class Gpus(msgspec.Struct, frozen=True):
    """GPUs according to the driver; `on_bus`: how many the machine has, working or not."""

    readings: tuple[GpuReading, ...] = ()
    driver: str = ""
    cuda: str = ""
    on_bus: int = 0


class Library(msgspec.Struct, frozen=True):
    """A library loaded in a child process; `error` is empty if that worked."""

    name: str
    error: str = ""


class Native(msgspec.Struct, frozen=True):
    """The capabilities of CTranslate2; `error` if it cannot be imported."""

    version: str = ""
    gpus: int = 0
    cpu_types: tuple[str, ...] = ()
    gpu_types: tuple[str, ...] = ()
    error: str = ""


class Disk(msgspec.Struct, frozen=True):
    """The disk of a folder. `free` in bytes; `error`: why nothing can be written, if so.

    `open_to`: who else can write to the folder, if that is a risk.
    """

    name: str
    path: str
    free: int
    kind: str = ""
    error: str = ""
    open_to: str = ""


class Terminal(msgspec.Struct, frozen=True):
    """The terminal; `tty`: whether there is one; `clipboard`: whether it can be copied to."""

    tty: bool
    environ: Mapping[str, str]
    columns: int
    lines: int
    encoding: str
    clipboard: bool = True


class SelfTest(msgspec.Struct, frozen=True):
    """The result of the self-test: expected and `found` text, its time, or a timeout."""

    expected: str
    found: str = ""
    seconds: float = 0.0
    device: str = ""
    timed_out: bool = False
    error: str = ""
    fix: str = ""
