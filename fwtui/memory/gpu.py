"""NVIDIA GPUs through NVML. No readings without a GPU or a working driver."""

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any

from fwtui.core.events import GpuReading

_MB = 2**20
PATIENCE = 1.0  # seconds; a driver that is being reset does not answer at all


class GpuMeter:
    """Reads all GPUs. NVML is loaded at the first reading and stays loaded.

    A driver may hang: each reading is a thread's, and one that does not come back in `patience`
    seconds is no reading. Nobody waits for it again before it has come back.
    """

    def __init__(self, load: Callable[[], Any] | None = None, patience: float = PATIENCE) -> None:
        """`load` returns the NVML module; None: `pynvml`."""
        self._load = load or _pynvml
        self._patience = patience
        self._nvml: Any = None
        self._is_absent = False
        self._thread: threading.Thread | None = None
        self._found: tuple[GpuReading, ...] = ()

    def read(self, pids: Collection[int] = ()) -> tuple[GpuReading, ...]:
        """One reading per GPU that answers; `pids`: our processes."""
        if self._is_absent or (self._thread is not None and self._thread.is_alive()):
            return ()
        self._found = ()
        thread = threading.Thread(target=self._read, args=(pids,), name="nvml", daemon=True)
        self._thread = thread
        thread.start()
        thread.join(self._patience)
        return () if thread.is_alive() else self._found

    def wait(self, seconds: float) -> None:
        """Wait for a driver that is waking up, which can take seconds per GPU."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _read(self, pids: Collection[int]) -> None:
        nvml = self._started()
        if nvml is None:
            return
        try:
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError:
            return
        self._found = tuple(_each(nvml, count, pids))

    def _started(self) -> Any:
        """The initialised module, or None; an absent driver is not tried again."""
        if self._nvml is not None:
            return self._nvml
        try:
            nvml = self._load()
        except (ImportError, OSError):
            self._is_absent = True
            return None
        try:
            nvml.nvmlInit()
        except nvml.NVMLError:
            self._is_absent = True
            return None
        self._nvml = nvml
        return nvml


def _each(nvml: Any, count: int, pids: Collection[int]) -> Iterator[GpuReading]:
    for index in range(count):
        with contextlib.suppress(nvml.NVMLError):
            yield _reading(nvml, index, pids)


def _reading(nvml: Any, index: int, pids: Collection[int]) -> GpuReading:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    name = nvml.nvmlDeviceGetName(handle)
    return GpuReading(
        index=index,
        name=name.decode(errors="replace") if isinstance(name, bytes) else name,
        used=memory.used / _MB,
        total=memory.total / _MB,
        utilisation=_utilisation(nvml, handle),
        temperature=_temperature(nvml, handle),
        ours=_ours(nvml, handle, pids),
    )


def _utilisation(nvml: Any, handle: Any) -> float:
    """Percent; 0 if the GPU does not report it (parts of a GPU, old ones)."""
    try:
        return float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except nvml.NVMLError:
        return 0.0


def _temperature(nvml: Any, handle: Any) -> float | None:
    try:
        return float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
    except nvml.NVMLError:
        return None


def _ours(nvml: Any, handle: Any, pids: Collection[int]) -> float | None:
    """MB used by our processes; None in containers, whose process ids the driver does not know."""
    try:
        running = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except nvml.NVMLError:
        return None
    amounts = [process.usedGpuMemory for process in running if process.pid in pids]
    known = [amount for amount in amounts if amount is not None]
    return sum(known) / _MB if known else None


def _pynvml() -> Any:
    import pynvml

    return pynvml
