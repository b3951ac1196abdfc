"""Reads the facts of this machine; blocks. What may crash or hang runs in child processes."""

import contextlib
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import msgspec

from fwtui.core.child_process import CHILD_FOLDER, child_environment
from fwtui.core.paths import expand_home, path_to_text
from fwtui.doctor.results import Cpu, Disk, Gpus, Library, Native, Terminal
from fwtui.engine.client import environment, wheel_folders
from fwtui.memory.gpu import GpuMeter

PACKAGES = (
    "fwtui",
    "faster-whisper",
    "ctranslate2",
    "av",
    "onnxruntime",
    "huggingface-hub",
    "textual",
)
PATIENCE = 20.0  # seconds for a child
_TMUX_SECONDS = 2.0
_LOAD = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
# -I -S: without other modules.
LOADER = (sys.executable, "-I", "-S", "-c", _LOAD)
NATIVE = (sys.executable, "-P", "-m", "fwtui.doctor.native")
_NVIDIA = "0x10de"
_DISPLAY = "0x03"


def cuda_libraries(system: str = sys.platform) -> tuple[str, ...]:
    """The libraries that CTranslate2 loads to use a GPU."""
    match system:
        case "win32":
            return ("cublas64_12.dll",)
        case "darwin":
            return ()
        case _:
            return ("libcublas.so.12", "libcublasLt.so.12")


def versions(names: Sequence[str] = PACKAGES) -> Mapping[str, str]:
    """The version of each package, empty if it is missing."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def tested() -> Mapping[str, tuple[str, str]]:
    """The oldest and the newest version of each package that fwtui was tested with."""
    text = Path(__file__).with_name("tested.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, tuple[str, str]])


def cpu() -> Cpu:
    """The processor."""
    text = ""
    with contextlib.suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    fields = dict(_fields(text))
    name = fields.get("model name") or platform.processor() or platform.machine()
    flags = frozenset(fields.get("flags", "").split())
    return Cpu(name, platform.machine(), _cores(), flags)


def _fields(text: str) -> list[tuple[str, str]]:
    """The fields of the first processor."""
    first = text.split("\n\n", 1)[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return [(key.strip(), value.strip()) for key, _, value in pairs]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpus() -> Gpus:
    """The GPUs that the driver reports within a second."""
    readings = GpuMeter().read()
    driver, cuda = _driver() if readings else ("", "")
    return Gpus(readings, driver, cuda, _on_bus())


def _driver() -> tuple[str, str]:
    import pynvml

    try:
        version = pynvml.nvmlSystemGetDriverVersion()
        cuda = int(pynvml.nvmlSystemGetCudaDriverVersion())
    except pynvml.NVMLError:
        return "", ""
    text = version.decode(errors="replace") if isinstance(version, bytes) else str(version)
    return text, f"{cuda // 1000}.{cuda % 1000 // 10}"


def _on_bus(devices: Path = Path("/sys/bus/pci/devices")) -> int:
    """The number of NVIDIA display and 3D controllers on the PCI bus (Linux)."""
    count = 0
    for device in devices.glob("*"):
        with contextlib.suppress(OSError):
            vendor = (device / "vendor").read_text(encoding="ascii").strip()
            kind = (device / "class").read_text(encoding="ascii").strip()
            count += vendor == _NVIDIA and kind.startswith(_DISPLAY)
    return count


def load_library(name: str) -> Library:
    """Try to load a library in a child process, found as by the engine."""
    try:
        done = subprocess.run(
            [*LOADER, name],
            cwd=CHILD_FOLDER,
            env=environment(child_environment(), wheel_folders()),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Library(name, f"{name}: {type(error).__name__}")
    if done.returncode == 0:
        return Library(name)
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    reason = lines[-1].removeprefix("OSError: ") if lines else f"{name}: exit {done.returncode}"
    return Library(name, reason)


def native() -> Native:
    """The capabilities of CTranslate2, read in a child process with the engine's libraries."""
    try:
        done = subprocess.run(
            NATIVE,
            cwd=CHILD_FOLDER,
            env=environment(child_environment(), wheel_folders()),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        return msgspec.json.decode(done.stdout, type=Native)
    except msgspec.DecodeError:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        return Native(error=lines[-1] if lines else f"exit code {done.returncode}")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Native(error=f"{type(error).__name__}")


def disk(name: str, folder: Path) -> Disk:
    """The disk of a folder, which need not exist yet."""
    path = expand_home(folder).absolute()
    text = path_to_text(path)
    existing = next((one for one in (path, *path.parents) if one.exists()), path)
    try:
        free = shutil.disk_usage(existing).free
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return Disk(name, text, 0, error=error.strerror or str(error))
    return Disk(name, text, free, _file_system(existing), open_to=_open_to(name, path))


_PRIVATE = {"state": ("", "sessions", "live", "watched")}


def _open_to(name: str, folder: Path) -> str:
    """Who else can write to a folder that decides what fwtui does; empty if nobody can."""
    if sys.platform == "win32" or name not in _PRIVATE:
        return ""
    for path in (*folder.parents, *(folder / part for part in _PRIVATE[name])):
        with contextlib.suppress(OSError):
            mode = path.stat().st_mode
            # In a sticky folder such as /tmp nobody can replace what belongs to others.
            is_safe = mode & stat.S_ISVTX and path in folder.parents
            if mode & stat.S_IWOTH and not is_safe:
                return "everybody"
    return ""


def _file_system(folder: Path) -> str:
    """The type of the file system that a folder is on."""
    import psutil

    path = folder.resolve()
    mounts = {Path(one.mountpoint): one.fstype for one in psutil.disk_partitions(all=True)}
    return next((mounts[one] for one in (path, *path.parents) if one in mounts), "")


def terminal() -> Terminal:
    """The terminal of stdout."""
    stream = sys.__stdout__
    size = shutil.get_terminal_size()
    return Terminal(
        tty=stream is not None and stream.isatty(),
        environ=dict(os.environ),
        columns=size.columns,
        lines=size.lines,
        encoding=(stream.encoding if stream is not None else "") or "",
        clipboard=not os.environ.get("TMUX") or tmux_reaches_clipboard(),
    )


def tmux_reaches_clipboard() -> bool:
    """Whether tmux can send to the clipboard of the terminal around it."""
    return "clipboard" in (run_tmux("display-message", "-p", "#{client_termfeatures}") or "")


def run_tmux(*arguments: str, data: bytes = b"") -> str | None:
    """The output of a command of tmux, with `data` on its stdin; None if it failed."""
    command = ("tmux", *arguments)
    try:
        done = subprocess.run(
            command,
            input=data,
            capture_output=True,
            timeout=_TMUX_SECONDS,
            check=True,
            cwd=CHILD_FOLDER,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
