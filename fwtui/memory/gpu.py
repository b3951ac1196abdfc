"""NVIDIA GPUs by NVML. Where there is no GPU, no driver or a broken one, there is no reading."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from fwtui.core.events import GpuReading

_MB = 2**20


class GpuMeter:
    """Reads all GPUs. NVML is loaded at the first reading and stays loaded."""

    def __init__(self, load: Callable[[], Any] | None = None) -> None:
        """`load` gives the NVML module, `pynvml` if None."""
        self._load = load or _pynvml
        self._nvml: Any = None
        self._is_absent = False

    def read(self) -> tuple[GpuReading, ...]:
        """One reading for each GPU that answers."""
        nvml = self._started()
        if nvml is None:
            return ()
        try:
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError:
            return ()
        return tuple(self._each(nvml, count))

    def _started(self) -> Any:
        """The initialised module, or None; an absent driver is not looked for again."""
        if self._nvml is not None or self._is_absent:
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

    def _each(self, nvml: Any, count: int) -> Iterator[GpuReading]:
        for index in range(count):
            with contextlib.suppress(nvml.NVMLError):
                yield _reading(nvml, index)


def _reading(nvml: Any, index: int) -> GpuReading:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    name = nvml.nvmlDeviceGetName(handle)
    return GpuReading(
        index=index,
        name=name.decode(errors="replace") if isinstance(name, bytes) else name,
        used=memory.used / _MB,
        total=memory.total / _MB,
        utilisation=_utilisation(nvml, handle),
    )


def _utilisation(nvml: Any, handle: Any) -> float:
    """Percent; 0 where the GPU does not say (parts of a GPU, old ones)."""
    try:
        return float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except nvml.NVMLError:
        return 0.0


def _pynvml() -> Any:
    import pynvml

    return pynvml
