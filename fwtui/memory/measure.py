"""How much memory our processes, the machine and its GPUs use right now."""

import os
import threading
from typing import TYPE_CHECKING

from fwtui.core.events import MemoryReading
from fwtui.memory.gpu import GpuMeter

if TYPE_CHECKING:
    import psutil

MB = 2**20


class MemoryMeter:
    """Reads the memory of a process and all its descendants; any thread may call it."""

    def __init__(self, pid: int | None = None, gpus: GpuMeter | None = None) -> None:
        """`pid`: the root of the process tree, this process if None."""
        self._pid = os.getpid() if pid is None else pid
        self._gpus = gpus or GpuMeter()
        self._peak = 0
        self._lock = threading.Lock()

    def read(self) -> MemoryReading:
        """Take one reading. Its peak is the highest RSS of the tree that this meter has seen.

        The tree's RSS is a sum: pages that processes share count for each of them.
        """
        import psutil

        with self._lock:
            rss, vms = _tree(self._pid)
            self._peak = max(self._peak, rss)
            machine = psutil.virtual_memory()
            return MemoryReading(
                rss=rss / MB,
                vms=vms / MB,
                percent=100 * rss / machine.total,
                peak_rss=self._peak / MB,
                system_used=(machine.total - machine.available) / MB,
                system_total=machine.total / MB,
                gpus=self._gpus.read(),
            )


def _tree(pid: int) -> tuple[int, int]:
    """RSS and VMS of a process and its descendants, in bytes; what has ended meanwhile is 0."""
    import psutil

    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0, 0
    pairs = [_one(process) for process in processes]
    return sum(rss for rss, _ in pairs), sum(vms for _, vms in pairs)


def _one(process: "psutil.Process") -> tuple[int, int]:
    import psutil

    try:
        info = process.memory_info()
    except psutil.Error:
        return 0, 0
    return info.rss, info.vms
