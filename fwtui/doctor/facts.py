"""What the doctor looks at, as plain data."""

from collections.abc import Mapping

import msgspec

from fwtui.core.events import GpuReading


class Cpu(msgspec.Struct, frozen=True):
    """`cores` that we may use; `flags` are its features, empty where they cannot be read."""

    name: str
    machine: str
    cores: int
    flags: frozenset[str] = frozenset()


class Gpus(msgspec.Struct, frozen=True):
    """GPUs as the driver tells; `on_bus`: how many the machine has, whether they work or not."""

    readings: tuple[GpuReading, ...] = ()
    driver: str = ""
    cuda: str = ""
    on_bus: int = 0


class Library(msgspec.Struct, frozen=True):
    """A library that was tried in a child; `error` is empty when it could be loaded."""

    name: str
    error: str = ""


class Native(msgspec.Struct, frozen=True):
    """What CTranslate2 says of itself; `error` if it cannot be imported."""

    version: str = ""
    gpus: int = 0
    cpu_types: tuple[str, ...] = ()
    gpu_types: tuple[str, ...] = ()
    error: str = ""


class Disk(msgspec.Struct, frozen=True):
    """The disk of a folder. Bytes; `error` says why nothing can be written there, if so."""

    name: str
    path: str
    free: int
    kind: str = ""
    error: str = ""


class Terminal(msgspec.Struct, frozen=True):
    """What is known of the terminal; `tty`: there is one."""

    tty: bool
    environ: Mapping[str, str]
    columns: int
    lines: int
    encoding: str


class SelfTest(msgspec.Struct, frozen=True):
    """What became of it. `found` words; `seconds` it took; `late`: it was given up."""

    expected: str
    found: str = ""
    seconds: float = 0.0
    device: str = ""
    late: bool = False
    error: str = ""
    fix: str = ""
