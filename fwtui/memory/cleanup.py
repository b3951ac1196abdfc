"""Frees memory: returns it to the operating system."""

import ctypes
import gc
import re
import sys
from collections.abc import Callable
from pathlib import Path

MANY = 10_000  # so many files leave megabytes of free pages behind
_MB = 2**20


def clean_up() -> float:
    """Collect garbage, then have the C library return its free pages; returns the MB freed.

    Without the second step glibc keeps hundreds of MB of an unloaded model.
    """
    before = rss()
    gc.collect()
    return_free_pages()
    return max(0.0, before - rss())


def rss() -> float:
    """The memory that this process uses, in MB."""
    import psutil

    return float(psutil.Process().memory_info().rss) / _MB


def return_free_pages() -> None:
    """Have the C library (glibc) return the free pages that it keeps for later."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


def peak_rss() -> float:
    """The peak memory of this process, in MB; 0 if the system does not report it."""
    if sys.platform == "win32":
        return 0.0
    if sys.platform.startswith("linux"):
        # Not getrusage: its value starts with the peak of the parent process.
        status = Path("/proc/self/status").read_text()
        found = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
        return int(found[1]) / 1024 if found else 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (_MB if sys.platform == "darwin" else 1024)


def _malloc_trim() -> Callable[[int], int] | None:
    """The function of glibc, if this process runs on glibc (musl, macOS and Windows have none)."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    return trim
