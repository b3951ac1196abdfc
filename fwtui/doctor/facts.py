"""Facts about the machine, as data for the verdicts."""

from collections.abc import Mapping

import msgspec

from fwtui.core.events import GpuReading


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
    """The disk of a folder. `free` in bytes; `error`: why nothing can be written, if so."""

    name: str
    path: str
    free: int
    kind: str = ""
    error: str = ""


class Terminal(msgspec.Struct, frozen=True):
    """The terminal; `tty`: whether there is one."""

    tty: bool
    environ: Mapping[str, str]
    columns: int
    lines: int
    encoding: str


class SelfTest(msgspec.Struct, frozen=True):
    """The result of the self-test: expected and `found` text, its time, or a timeout."""

    expected: str
    found: str = ""
    seconds: float = 0.0
    device: str = ""
    timed_out: bool = False
    error: str = ""
    fix: str = ""
