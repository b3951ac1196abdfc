"""Measures the memory that our processes, the machine and its GPUs use."""

import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from fwtui.core.events import MemoryReading
from fwtui.memory.cgroup import CgroupMeter
from fwtui.memory.gpu import GpuMeter

if TYPE_CHECKING:
    import psutil

MB = 2**20
# The kernel walks all pages of a process for its PSS: 10 ms per GB.
PSS_SECONDS = 10.0
WAKING_SECONDS = 10.0


class MemoryMeter:
    """Reads the memory of a process and all its descendants; any thread may call it.

    `last_engines` is the last reading in which there were descendants.
    """

    def __init__(
        self,
        pid: int | None = None,
        gpus: GpuMeter | None = None,
        cgroup: CgroupMeter | None = None,
    ) -> None:
        """`pid`: the root of the process tree, this process if None."""
        self._pid = os.getpid() if pid is None else pid
        self._gpus = gpus or GpuMeter()
        self._cgroup = cgroup or CgroupMeter()
        self._peak = 0
        self._pss: float | None = None
        self._pss_at = -PSS_SECONDS
        self._lock = threading.Lock()
        self.last_engines: MemoryReading | None = None

    def read(self, measured: Mapping[int, float] = MappingProxyType({})) -> MemoryReading:
        """Take one reading. Its peak is the highest RSS of the tree that this meter has seen.

        The tree's RSS is a sum: pages that processes share count for each of them. `measured`: the
        RSS in MB of processes (by pid) that have measured it themselves, a moment ago.
        """
        import psutil

        with self._lock:
            processes = _tree(self._pid)
            pairs = [_one(process, measured.get(process.pid)) for process in processes]
            rss, vms = sum(rss for rss, _ in pairs), sum(vms for _, vms in pairs)
            self._peak = max(self._peak, rss)
            pids = [process.pid for process in processes]
            machine = psutil.virtual_memory()
            cgroup = self._cgroup.read()
            available = machine.available / MB
            total = machine.total / MB
            if cgroup is not None:
                available = min(available, cgroup.available)
            limit = cgroup.limit if cgroup is not None and cgroup.limit < total else None
            reading = MemoryReading(
                rss=rss / MB,
                vms=vms / MB,
                percent=100 * rss / MB / (limit or total),
                peak_rss=self._peak / MB,
                system_used=(machine.total - machine.available) / MB,
                system_total=total,
                gpus=self._gpus.read(pids),
                available=available,
                cgroup_limit=limit,
                pss=self._pss_of(pids),
                engines=sum(rss for rss, _ in pairs[1:]) / MB,
            )
            if reading.engines:
                self.last_engines = reading
            return reading

    def count_gpus(self, patience: float = WAKING_SECONDS) -> int:
        """The number of GPUs; waits for a driver that is waking up."""
        with self._lock:
            self._gpus.read()
        self._gpus.wait(patience)
        with self._lock:
            return len(self._gpus.read())

    def _pss_of(self, pids: Iterable[int]) -> float | None:
        """The PSS, which may be some seconds old; None if it cannot be read."""
        now = time.monotonic()
        if now - self._pss_at >= PSS_SECONDS:
            self._pss, self._pss_at = _pss(pids), now
        return self._pss


def peak_of(pid: int) -> float:
    """The highest memory (RSS) that a process has had, in MB; its present one where that is all
    the system says, and 0 if it has ended.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        if lines:
            return int(lines[0].split()[1]) / 1024
    except (OSError, ValueError, IndexError):
        pass
    import psutil

    try:
        info = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0.0
    return float(getattr(info, "peak_wset", info.rss)) / MB


def _tree(pid: int) -> "Sequence[psutil.Process]":
    """A process and its descendants."""
    import psutil

    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _one(process: "psutil.Process", rss: float | None) -> tuple[int, int]:
    """RSS (`rss` in MB, if known) and VMS in bytes; 0 for a process that has ended meanwhile."""
    import psutil

    try:
        info = process.memory_info()
    except psutil.Error:
        return 0, 0
    return info.rss if rss is None else round(rss * MB), info.vms


def _pss(pids: Iterable[int]) -> float | None:
    """Proportional set size in MB, of those that can be read (Linux; our own processes)."""
    found = [pss for pid in pids if (pss := _pss_of_one(pid)) is not None]
    return sum(found) / 1024 if found else None


def _pss_of_one(pid: int) -> int | None:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), None)
